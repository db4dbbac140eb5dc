/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Directories of a put: made if they are not there, never changed if they are.
 * In those that were there temporaries of dead runs may lie about: a sweep
 * lists the directory and removes them, or remembers them for -resume.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "util/path.h"
#include "util/xalloc.h"
#include "worker/put.h"
#include "worker/temp_name.h"

/*
 * Names that a sweep looks at: enough for every directory but a spool; and
 * when nothing else is left to do.
 */
#define SWEEP_MAX   10000u
#define SWEEP_LEAST 1000u
/* Temporaries that one sweep removes. */
#define STALE_MAX 1000u

enum dir_state { DIR_BEGIN, DIR_MADE, DIR_MODE, DIR_LOOKED };

static void
made_set(struct put *put, unsigned depth, bool is_made)
{
	uint64_t bit = (uint64_t)1 << (depth % 64);

	if (depth / 64 >= put->made_words) {
		put->made = xreallocarray(
		    put->made, depth / 64 + 1, sizeof(*put->made));
		while (put->made_words <= depth / 64)
			put->made[put->made_words++] = 0;
	}
	if (is_made)
		put->made[depth / 64] |= bit;
	else
		put->made[depth / 64] &= ~bit;
}

static bool
made_get(const struct put *put, unsigned depth)
{
	return depth / 64 < put->made_words &&
	    (put->made[depth / 64] >> (depth % 64) & 1) != 0;
}

static void
sweep(struct put_item *item)
{
	struct put_item *s = put_item_new(
	    item->put, NULL, xstrdup(item->target), put_sweep_step);

	s->is_barrier = transfer_has(item->put->t, TRANSFER_RESUME);
}

void
put_dir_step(struct put_item *item)
{
	struct put *put = item->put;
	struct sftp *f = &put->t->sftp;
	struct sftp_attrs attrs = {
	    .flags = SFTP_ATTR_MODE, .mode = item->entry.mode | 0700};

	if (item->waiting > 0)
		return;
	switch ((enum dir_state)item->state) {
	case DIR_BEGIN:
		made_set(put, put->depth, false);
		if (transfer_has(put->t, TRANSFER_DRY_RUN)) {
			item->is_over = true;
			return;
		}
		sftp_mkdir(f, item->target, attrs.mode, put_reply, item);
		item->state = DIR_MADE;
		break;
	case DIR_MADE:
		if (item->status == SFTP_OK) {
			made_set(put, put->depth, true);
			/* The umask there has had its say. */
			sftp_setstat(f, item->target, &attrs, put_reply, item);
			item->state = DIR_MODE;
		} else {
			/* Servers don't tell "it exists" from other failures */
			sftp_stat(f, item->target, true, put_reply_look, item);
			item->state = DIR_LOOKED;
		}
		break;
	case DIR_MODE:
		if (item->status != SFTP_OK)
			put_failed(item, STATUS_TRANSFER,
			    "setting its mode: %s", item->words);
		item->is_over = true;
		return;
	case DIR_LOOKED:
		item->is_over = true;
		if (item->status == SFTP_OK && S_ISDIR(item->attrs.mode)) {
			sweep(item);
			return;
		}
		put_failed(item, STATUS_TRANSFER, "%s",
		    item->status == SFTP_OK ? "is no directory there"
					    : item->words);
		put->skip_depth = put->depth;
		return;
	}
	item->waiting++;
}

/* The times of a new directory, once all that belongs in it is there. */
void
put_dir_end_step(struct put_item *item)
{
	struct put *put = item->put;
	const struct sftp_attrs attrs = {.flags = SFTP_ATTR_TIMES,
	    .atime = (uint32_t)item->entry.mtime_s,
	    .mtime = (uint32_t)item->entry.mtime_s};

	if (item->waiting > 0)
		return;
	if (item->state == DIR_BEGIN && made_get(put, put->depth + 1) &&
	    transfer_has(put->t, TRANSFER_PRESERVE)) {
		if (put->item_count > 1)
			return;
		sftp_setstat(
		    &put->t->sftp, item->target, &attrs, put_reply_any, item);
		item->waiting++;
		item->state = DIR_MADE;
		return;
	}
	item->is_over = true;
}

/* --- sweeps -------------------------------------------------------------- */

enum sweep_state { SWEEP_BEGIN, SWEEP_OPENED, SWEEP_LIST };

static void
list_add(char ***list, size_t *count, char *path)
{
	*list = xreallocarray(*list, *count + 1, sizeof(**list));
	(*list)[(*count)++] = path;
}

static void
sweep_name(struct put_item *item, const char *text, struct sftp_attrs *attrs)
{
	struct put *put = item->put;
	struct temp_name name;
	int64_t mtime_s =
	    (attrs->flags & SFTP_ATTR_TIMES) != 0 ? attrs->mtime : 0;

	if (!temp_name_parse(text, &name) ||
	    !temp_name_is_stale(&name, mtime_s, time(NULL)))
		return;
	if (transfer_has(put->t, TRANSFER_RESUME) && S_ISREG(attrs->mode)) {
		if (put->partial_count < PARTIALS_MAX)
			list_add(&put->partials, &put->partial_count,
			    path_join(item->target, text));
	} else if (item->stale_count < STALE_MAX) {
		/* If there are more the next run has a go at them. */
		list_add(&item->stale, &item->stale_count,
		    path_join(item->target, text));
	}
}

static void
reply_list(void *ctx, struct sftp_reply *reply)
{
	struct put_item *item = ctx;
	struct sftp_attrs attrs;
	struct bytes name;
	char text[TEMP_NAME_SIZE];
	int rc;

	item->waiting--;
	item->status = reply->status;
	if (reply->type != SFTP_NAME)
		return;
	if (reply->count == 0)
		item->listed = SWEEP_MAX; /* nonsense; no more of it */
	while ((rc = sftp_name_next(reply, &name, &attrs)) == 1) {
		item->listed++;
		if (name.len >= sizeof(text))
			continue;
		memcpy(text, name.data, name.len);
		text[name.len] = '\0';
		sweep_name(item, text, &attrs);
	}
	if (rc == -1)
		sftp_fault(&item->put->t->sftp, "malformed NAME packet");
}

static void
reply_opendir(void *ctx, struct sftp_reply *reply)
{
	struct put_item *item = ctx;

	put_reply(item, reply);
	if (reply->type == SFTP_HANDLE)
		item->handle = reply->handle;
}

/* Remove what was found, as fast as there is room for requests. */
static void
sweep_remove(struct put_item *item)
{
	struct sftp *f = &item->put->t->sftp;

	while (item->stale_count > 0 && sftp_has_room(f)) {
		sftp_remove(
		    f, item->stale[--item->stale_count], put_reply_any, item);
		item->waiting++;
		free(item->stale[item->stale_count]);
	}
}

/* All else is done, and this has gone on for long enough. */
static bool
sweep_is_last(const struct put_item *item)
{
	const struct put *put = item->put;

	return put->t->is_stopping || item->listed >= SWEEP_MAX ||
	    (put->has_ended && put->item_count == 1 &&
		item->listed >= SWEEP_LEAST);
}

void
put_sweep_step(struct put_item *item)
{
	struct sftp *f = &item->put->t->sftp;

	sweep_remove(item);
	if (item->waiting > 0)
		return;
	switch ((enum sweep_state)item->state) {
	case SWEEP_BEGIN:
		sftp_opendir(f, item->target, reply_opendir, item);
		item->waiting++;
		item->state = SWEEP_OPENED;
		return;
	case SWEEP_OPENED:
		if (item->handle.len == 0)
			break; /* may be unreadable: no matter */
		item->state = SWEEP_LIST;
		item->status = SFTP_OK;
		__attribute__((fallthrough));
	case SWEEP_LIST:
		if (item->status != SFTP_OK || sweep_is_last(item))
			break;
		sftp_readdir(f, &item->handle, reply_list, item);
		item->waiting++;
		return;
	}
	if (item->handle.len > 0) {
		sftp_close(f, &item->handle, put_reply_any, item);
		item->handle.len = 0;
		item->waiting++;
		return;
	}
	item->is_over = true;
}
