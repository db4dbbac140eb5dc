/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A put goes through the run's entries in their order and has several of them
 * in work at once, each an item with steps of its own (put_file.c, put_dir.c).
 * What follows a directory waits until that is there; nothing else waits.
 *
 * First of all the destination is looked at: a directory that entries go into,
 * or the name of the one entry.
 */
#include "config.h"

#include "worker/task_put.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/fdio.h"
#include "util/log.h"
#include "util/path.h"
#include "util/xalloc.h"
#include "worker/put.h"
#include "worker/session.h"

/* --- for the items ------------------------------------------------------- */

/* A copy of e and of all that it points to, in one block. */
static void
entry_copy(struct put_item *item, const struct msg_entry *e)
{
	size_t source = strlen(e->source) + 1, link = strlen(e->link) + 1;
	char *p = xmalloc(source + link + e->sha256.len);

	item->entry = *e;
	item->entry_bytes = (struct bytes){(uint8_t *)p, source + link};
	item->entry.path = "";
	item->entry.source = memcpy(p, e->source, source);
	item->entry.link = memcpy(p + source, e->link, link);
	item->entry.sha256.data = (uint8_t *)p + source + link;
	if (e->sha256.len > 0)
		memcpy(p + source + link, e->sha256.data, e->sha256.len);
}

struct put_item *
put_item_new(struct put *put, const struct msg_entry *entry, char *target,
    void (*step)(struct put_item *item))
{
	struct put_item *item = xcalloc(1, sizeof(*item)), **p = &put->items;

	item->put = put;
	item->step = step;
	item->target = target;
	item->fd = -1;
	item->number = put->item_number++;
	if (entry != NULL)
		entry_copy(item, entry);
	while (*p != NULL)
		p = &(*p)->next;
	*p = item;
	put->item_count++;
	return item;
}

static void
item_free(struct put_item *item)
{
	void *bytes;
	size_t i;

	compare_free(item->compare);
	fd_close(&item->fd);
	memcpy(&bytes, &item->entry_bytes.data, sizeof(bytes));
	free(bytes);
	free(item->target);
	free(item->temp);
	free(item->part);
	free(item->old);
	for (i = 0; i < item->stale_count; i++)
		free(item->stale[i]);
	free(item->stale);
	free(item);
}

void
put_refused(
    struct put_item *item, const char *what, const struct sftp_reply *reply)
{
	if (!item->is_failed && !item->put->t->is_stopping)
		transfer_refused(item->put->t, item->target, what, reply);
	item->is_failed = true;
}

void
put_failed(struct put_item *item, enum status status, const char *fmt, ...)
{
	char words[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	if (!item->is_failed && !item->put->t->is_stopping)
		transfer_failed(
		    item->put->t, status, item->target, "%s", words);
	item->is_failed = true;
}

void
put_local_failed(struct put_item *item, const char *why)
{
	if (!item->is_failed && !item->put->t->is_stopping)
		transfer_failed(
		    item->put->t, STATUS_ERROR, item->entry.source, "%s", why);
	item->is_failed = item->is_useless = true;
}

static void
note_words(struct put_item *item, const struct sftp_reply *reply)
{
	struct bytes words = sftp_words(reply);

	snprintf(item->words, sizeof(item->words), "%.*s",
	    (int)(words.len < sizeof(item->words) ? words.len
						  : sizeof(item->words)),
	    (const char *)words.data);
}

void
put_reply_look(void *ctx, struct sftp_reply *reply)
{
	struct put_item *item = ctx;

	item->waiting--;
	item->status = reply->status;
	if (reply->type == SFTP_ATTRS)
		item->attrs = reply->attrs;
}

void
put_reply(void *ctx, struct sftp_reply *reply)
{
	note_words(ctx, reply);
	put_reply_look(ctx, reply);
}

void
put_reply_any(void *ctx, struct sftp_reply *reply)
{
	struct put_item *item = ctx;

	(void)reply;
	item->waiting--;
}

/* --- the destination ----------------------------------------------------- */

enum resolve_state { RESOLVE_BEGIN, RESOLVE_LOOKED, RESOLVE_MADE };

/* Ask for path and all above it to be made; those that exist refuse. */
static void
make_parents(struct put_item *item, const char *path)
{
	struct sftp *f = &item->put->t->sftp;
	char *copy = xstrdup(path), *p;

	for (p = copy + 1; *p != '\0'; p++) {
		if (*p != '/' || p[-1] == '/')
			continue;
		*p = '\0';
		sftp_mkdir(f, copy, 0777, put_reply, item);
		item->waiting++;
		*p = '/';
	}
	sftp_mkdir(f, path, 0777, put_reply, item);
	item->waiting++;
	free(copy);
}

static void
resolved(struct put_item *item, bool is_directory)
{
	struct put *put = item->put;
	char *parent;

	item->is_over = true;
	put->is_ready = true;
	put->is_named = !is_directory;
	if (transfer_has(put->t, TRANSFER_ROOT) ||
	    transfer_has(put->t, TRANSFER_DRY_RUN))
		return; /* its own entry looks after the directory */
	parent = is_directory ? xstrdup(put->base) : path_parent(put->base);
	put_item_new(put, NULL, parent, put_sweep_step)->is_barrier =
	    transfer_has(put->t, TRANSFER_RESUME);
}

/* Nothing can be sent. */
static void
unresolved(struct put_item *item, const char *why)
{
	put_failed(item, STATUS_TRANSFER, "%s", why);
	item->is_over = true;
	item->put->has_ended = true;
}

static void
step_looked(struct put_item *item, bool is_second)
{
	struct transfer *t = item->put->t;
	const char *destination = transfer_config(t)->destination;
	size_t len = strlen(destination);
	bool is_tree = transfer_has(t, TRANSFER_ROOT);
	bool is_into = is_tree || transfer_has(t, TRANSFER_INTO) ||
	    (len > 0 && destination[len - 1] == '/');
	char *parent;

	if (item->status == SFTP_OK && S_ISDIR(item->attrs.mode)) {
		resolved(item, true);
	} else if (item->status == SFTP_OK && is_into) {
		unresolved(item, "is no directory there");
	} else if (item->status == SFTP_OK && !S_ISREG(item->attrs.mode)) {
		/* To replace /dev/null would be a bad surprise. */
		unresolved(item, "is a special file there");
	} else if (item->status == SFTP_OK) {
		resolved(item, false);
	} else if (item->status != SFTP_NO_SUCH_FILE) {
		unresolved(item, item->words);
	} else if (!is_second && transfer_has(t, TRANSFER_MKDIR) &&
	    !transfer_has(t, TRANSFER_DRY_RUN)) {
		parent = is_into && !is_tree ? xstrdup(item->target)
					     : path_parent(item->target);
		make_parents(item, parent);
		free(parent);
		item->state = RESOLVE_MADE;
	} else if (is_into && !is_tree && !transfer_has(t, TRANSFER_MKDIR)) {
		unresolved(
		    item, "there is no such directory (-mkdir would make it)");
	} else if (is_into && !is_tree && !transfer_has(t, TRANSFER_DRY_RUN)) {
		unresolved(item, item->words);
	} else {
		resolved(item, is_into);
	}
}

static void
resolve_step(struct put_item *item)
{
	struct sftp *f = &item->put->t->sftp;

	if (item->waiting > 0)
		return;
	switch ((enum resolve_state)item->state) {
	case RESOLVE_BEGIN:
		sftp_stat(f, item->target, true, put_reply, item);
		item->waiting++;
		item->state = RESOLVE_LOOKED;
		break;
	case RESOLVE_LOOKED:
		step_looked(item, item->is_second);
		item->is_second = true;
		break;
	case RESOLVE_MADE:
		/* Why the last could not be made is what matters. */
		sftp_stat(f, item->target, true, put_reply_look, item);
		item->waiting++;
		item->state = RESOLVE_LOOKED;
		break;
	}
}

/* --- entries ------------------------------------------------------------- */

static char *
target_of(const struct put *put, const struct msg_entry *e)
{
	return put->is_named || e->path[0] == '\0'
	    ? xstrdup(put->base)
	    : path_join(put->base, e->path);
}

/* The line at the end: one source, or their number. */
static void
note_route(struct put *put, const struct msg_entry *e)
{
	struct transfer *t = put->t;
	const struct msg_config *config = transfer_config(t);
	char *target, count[64];

	if (t->route[0] != '\0')
		return;
	if (transfer_has(t, TRANSFER_INTO) && e->type != ENTRY_DIR) {
		snprintf(count, sizeof(count), "%llu files",
		    (unsigned long long)config->total_files);
		transfer_route(t, count, config->destination);
		return;
	}
	target = target_of(put, e);
	transfer_route(t, e->source, target);
	free(target);
}

/* What is in a directory that could not be made: one line for all of it. */
static void
entry_skip(struct put *put, const struct msg_entry *e)
{
	if (e->type == ENTRY_FILE || e->type == ENTRY_SYMLINK)
		put->skipped++;
	if (put->skip_depth > 0 || put->skipped == 0)
		return;
	transfer_note(put->t, e->source, "%llu files in it not sent",
	    (unsigned long long)put->skipped);
	put->t->failures += put->skipped;
	put->skipped = 0;
}

static void
entry_start(struct put *put, const struct msg_entry *e)
{
	static const struct {
		void (*step)(struct put_item *item);
		bool is_barrier;
	} kinds[] = {[ENTRY_FILE] = {put_file_step, false},
	    [ENTRY_SYMLINK] = {put_link_step, false},
	    [ENTRY_DIR] = {put_dir_step, true},
	    [ENTRY_DIR_END] = {put_dir_end_step, true}};
	bool is_skipped = put->skip_depth > 0;
	struct put_item *item;

	if (e->type == ENTRY_DIR)
		put->depth++;
	if (e->type == ENTRY_DIR_END && put->depth-- == put->skip_depth)
		put->skip_depth = 0;
	if (is_skipped) {
		entry_skip(put, e);
		return;
	}
	/* Why so was told with the one that could not be opened. */
	if (put->is_exhausted && e->type == ENTRY_FILE) {
		put->t->failures++;
		return;
	}
	note_route(put, e);
	item = put_item_new(put, e, target_of(put, e), kinds[e->type].step);
	item->is_barrier = kinds[e->type].is_barrier;
}

static bool
can_start(const struct put *put)
{
	const struct transfer *t = put->t;
	const struct put_item *item;

	if (!put->is_ready || put->has_ended || t->is_stopping ||
	    put->item_count >= transfer_config(t)->files ||
	    transfer_is_clogged(t) || !sftp_has_room(&t->sftp))
		return false;
	for (item = put->items; item != NULL; item = item->next) {
		if (item->is_barrier && !item->is_over)
			return false;
	}
	return true;
}

static void
entries_start(struct put *put)
{
	struct msg_entry e;
	struct error err;
	int rc;

	while (can_start(put)) {
		rc = entry_next(&put->cursor, &e, &err);
		if (rc == -1 || (rc == 1 && e.type > ENTRY_DIR_END))
			fatal("the list of files: %s",
			    rc == -1 ? err.text : "malformed");
		if (rc == 0) {
			put->has_ended = true;
			return;
		}
		entry_start(put, &e);
	}
}

/*
 * Step every item, and free those that are over. Items may be added. Returns
 * how many were freed.
 */
static unsigned
items_step(struct put *put)
{
	struct put_item **p = &put->items, *item;
	unsigned freed = 0;

	while ((item = *p) != NULL) {
		if (!item->is_over)
			item->step(item);
		if (!item->is_over || item->waiting > 0) {
			p = &item->next;
			continue;
		}
		*p = item->next;
		put->item_count--;
		item_free(item);
		freed++;
	}
	return freed;
}

/* --- operations ---------------------------------------------------------- */

static void
put_begin(struct transfer *t)
{
	const struct msg_config *config = transfer_config(t);
	struct put *put = xcalloc(1, sizeof(*put));
	size_t len = strlen(config->destination);

	t->task = put;
	put->t = t;
	while (len > 1 && config->destination[len - 1] == '/')
		len--;
	put->base = xstrndup(config->destination, len);
	entry_cursor_init_fd(
	    &put->cursor, WORKER_INPUT_FD, config->input_bytes);
	put_item_new(put, NULL, xstrdup(put->base), resolve_step);
}

static bool
put_step(struct transfer *t)
{
	struct put *put = t->task;
	unsigned freed;

	do {
		entries_start(put);
		freed = items_step(put);
	} while (freed > 0 && can_start(put));
	return put->items == NULL && (put->has_ended || t->is_stopping);
}

static void
put_stop(struct transfer *t)
{
	struct put *put = t->task;
	struct put_item *item;

	for (item = put->items; item != NULL; item = item->next) {
		if (item->step == put_file_step || item->step == put_link_step)
			put_file_stop(item);
		else
			item->is_over = true;
	}
}

static void
put_free(struct transfer *t)
{
	struct put *put = t->task;
	struct put_item *item;
	size_t i;

	while ((item = put->items) != NULL) {
		put->items = item->next;
		item_free(item);
	}
	for (i = 0; i < put->partial_count; i++)
		free(put->partials[i]);
	free(put->partials);
	free(put->made);
	free(put->base);
	entry_cursor_clear(&put->cursor);
	free(put);
}

const struct transfer_ops task_put_ops = {
    .begin = put_begin,
    .step = put_step,
    .stop = put_stop,
    .free = put_free,
};
