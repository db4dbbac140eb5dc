/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One file on its way to a host:
 *
 *   BEGIN ─▶ LOOK ─▶ COMPARE ─▶ OPEN ─▶ OPENED ─▶ WRITE ─▶ FINISH ─▶ VERIFY
 *            -update, -checksum           │ ▲                           │
 *                      -resume:           ▼ │                           ▼
 *                                CLAIM ─▶ OVERLAP           over ◀─ REPLACE
 *
 * Each step asks for what it needs and goes on when all is answered; a failure
 * anywhere leads to CLEAN. What follows the last write (mode, times, fsync,
 * size, close) is sent right behind it, so that a small file costs three round
 * trips; and many files are on their way at once. How the new file takes the
 * target's place is in put_replace.c.
 *
 * Whoever can make files in the directory can make one that looks like a part
 * of ours. So a part is gone on with only if it belongs to the user that a
 * file of our own, just made, belongs to.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/fdio.h"
#include "util/path.h"
#include "util/xalloc.h"
#include "worker/put.h"
#include "worker/session.h"
#include "worker/temp_name.h"

enum file_state {
	FILE_BEGIN,
	FILE_LOOK,
	FILE_COMPARE,
	FILE_OPEN,
	FILE_OPENED,
	FILE_CLAIM,
	FILE_OVERLAP,
	FILE_WRITE,
	FILE_FINISH,
	FILE_VERIFY,
	FILE_REPLACE,
	FILE_CLEAN,
};

/* --- the local file ------------------------------------------------------ */

/* Whether st is of the file that control has seen, as it was. */
static bool
is_entry(const struct stat *st, const struct msg_entry *e)
{
	return S_ISREG(st->st_mode) && (uint64_t)st->st_dev == e->dev &&
	    (uint64_t)st->st_ino == e->ino &&
	    (uint64_t)st->st_size == e->size &&
	    (uint64_t)st->st_mtim.tv_sec == e->mtime_s &&
	    (uint32_t)st->st_mtim.tv_nsec == e->mtime_ns &&
	    (uint64_t)st->st_ctim.tv_sec == e->ctime_s &&
	    (uint32_t)st->st_ctim.tv_nsec == e->ctime_ns;
}

static bool
is_unchanged(const struct put_item *item)
{
	struct stat st;

	return fstat(item->fd, &st) == 0 && is_entry(&st, &item->entry);
}

/* The cage lets none be opened that has come into its place since then. */
static bool
is_replaced(const struct put_item *item)
{
	struct stat st;

	return lstat(item->entry.source, &st) == 0 &&
	    !is_entry(&st, &item->entry);
}

static int
open_source(struct put_item *item)
{
	static const char changed[] = "has changed since the run began";
	const char *source = item->entry.source, *why = NULL;

	item->fd = open(
	    source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (item->fd == -1) {
		item->put->is_exhausted |= errno == EMFILE || errno == ENFILE;
		why = strerror(errno);
		if (errno == EACCES && is_replaced(item))
			why = changed;
	} else if (!is_unchanged(item)) {
		why = changed;
	}
	if (why == NULL)
		return 0;
	transfer_failed(item->put->t, STATUS_ERROR, source, "%s", why);
	return -1;
}

/* --- names --------------------------------------------------------------- */

char *
put_temporary(const struct put_item *item, unsigned which)
{
	const struct transfer *t = item->put->t;
	uint32_t seq =
	    item->number << 18 | (t->session->job & 0x1ffff) << 1 | (which & 1);
	char name[TEMP_NAME_SIZE], *parent, *path;

	temp_name_make(name, sizeof(name), path_base(item->target),
	    transfer_config(t)->token, seq);
	parent = path_parent(item->target);
	path = path_join(parent, name);
	free(parent);
	return path;
}

/* A partial file of an earlier run for this target, out of the list. */
static char *
take_partial(struct put_item *item)
{
	struct put *put = item->put;
	char *own = path_parent(item->target), *path = NULL, *parent;
	struct temp_name name;
	bool is_here;
	size_t i;

	for (i = 0; i < put->partial_count && path == NULL; i++) {
		path = put->partials[i];
		parent = path_parent(path);
		is_here = strcmp(parent, own) == 0 &&
		    temp_name_parse(path_base(path), &name) &&
		    temp_name_is_of(&name, path_base(item->target));
		free(parent);
		if (is_here)
			put->partials[i] = put->partials[--put->partial_count];
		else
			path = NULL;
	}
	free(own);
	return path;
}

/* --- the end of an item -------------------------------------------------- */

static void
over(struct put_item *item)
{
	item->is_over = true;
}

static void
clean(struct put_item *item)
{
	struct sftp *f = &item->put->t->sftp;

	compare_free(item->compare);
	item->compare = NULL;
	/* A link that is being made when all stops. */
	if (item->entry.type == ENTRY_SYMLINK && item->waiting > 0)
		item->has_temp = true;
	item->state = FILE_CLEAN;
	if (item->handle.len > 0) {
		sftp_close(f, &item->handle, put_reply_any, item);
		item->handle.len = 0;
		item->waiting++;
	}
	if (!item->has_temp)
		return;
	item->has_temp = false;
	if (transfer_has(item->put->t, TRANSFER_RESUME) &&
	    item->entry.type == ENTRY_FILE && item->sent > 0 &&
	    !item->is_useless)
		return; /* the next run goes on with it */
	sftp_remove(f, item->temp, put_reply_any, item);
	item->waiting++;
}

void
put_file_stop(struct put_item *item)
{
	/* What takes the target's place must not stop half-way. */
	if (!item->is_committing)
		clean(item);
}

static void
unchanged(struct put_item *item)
{
	transfer_moved(item->put->t, item->entry.size);
	transfer_done(item->put->t, 0, true);
	over(item);
}

/* --- what is there already ----------------------------------------------- */

static void
compared(void *ctx, enum compare_result result, const char *why,
    const uint8_t *sha256)
{
	struct put_item *item = ctx;

	compare_free(item->compare);
	item->compare = NULL;
	item->is_same = result == COMPARE_SAME;
	if (result == COMPARE_FAILED && item->state != FILE_COMPARE &&
	    item->state != FILE_OVERLAP)
		put_failed(item, STATUS_TRANSFER, "verifying it: %s", why);
	else if (item->is_same && item->state != FILE_OVERLAP)
		transfer_sha256(item->put->t, sha256);
}

/* Compare the first length bytes of path with the local file's. */
static void
compare(struct put_item *item, const char *path, uint64_t length)
{
	const struct bytes *sha = &item->entry.sha256;
	bool is_whole = length == item->entry.size;

	item->is_same = false;
	item->compare = compare_new(&item->put->t->comparer, path, item->fd,
	    length, is_whole && sha->len == 32 ? sha->data : NULL, false,
	    compared, item);
}

static void
step_begin(struct put_item *item)
{
	struct transfer *t = item->put->t;

	if (open_source(item) == -1) {
		over(item);
		return;
	}
	item->state = FILE_OPEN;
	if (transfer_has(t, TRANSFER_UPDATE) ||
	    transfer_has(t, TRANSFER_CHECKSUM)) {
		sftp_stat(&t->sftp, item->target, false, put_reply, item);
		item->waiting++;
		item->state = FILE_LOOK;
	}
}

static void
step_look(struct put_item *item)
{
	const struct sftp_attrs *a = &item->attrs;
	bool is_alike = item->status == SFTP_OK && S_ISREG(a->mode) &&
	    a->size == item->entry.size;

	item->state = FILE_OPEN;
	if (!is_alike)
		return;
	if (transfer_has(item->put->t, TRANSFER_CHECKSUM)) {
		compare(item, item->target, item->entry.size);
		item->state = FILE_COMPARE;
	} else if ((a->flags & SFTP_ATTR_TIMES) != 0 &&
	    a->mtime == (uint32_t)item->entry.mtime_s) {
		unchanged(item);
	}
}

static void
step_compare(struct put_item *item)
{
	if (item->is_same)
		unchanged(item);
	else
		item->state = FILE_OPEN;
}

/* --- the temporary, maybe one that an earlier run has left --------------- */

static void
reply_open(void *ctx, struct sftp_reply *reply)
{
	struct put_item *item = ctx;

	put_reply(item, reply);
	if (reply->type == SFTP_HANDLE)
		item->handle = reply->handle;
}

static void
step_open(struct put_item *item)
{
	struct transfer *t = item->put->t;

	if (transfer_has(t, TRANSFER_DRY_RUN)) {
		transfer_would(t, item->entry.source, item->target);
		over(item);
		return;
	}
	item->temp = put_temporary(item, 0);
	item->has_temp = true;
	sftp_open(&t->sftp, item->temp,
	    SFTP_FLAG_WRITE | SFTP_FLAG_CREATE | SFTP_FLAG_EXCL, 0600,
	    reply_open, item);
	item->waiting++;
	item->state = FILE_OPENED;
}

static void
reply_own(void *ctx, struct sftp_reply *reply)
{
	struct put_item *item = ctx;

	item->waiting--;
	if (reply->type == SFTP_ATTRS && (reply->attrs.flags & SFTP_ATTR_IDS))
		item->own_uid = (int64_t)reply->attrs.uid;
}

/* Whoever renames a part first has it. */
static void
claim(struct put_item *item, const char *part)
{
	struct sftp *f = &item->put->t->sftp;

	item->own_uid = -1;
	item->part = put_temporary(item, 1);
	sftp_fstat(f, &item->handle, reply_own, item);
	sftp_rename(f, part, item->part, put_reply_any, item);
	sftp_stat(f, item->part, false, put_reply, item);
	item->waiting += 3;
	item->state = FILE_CLAIM;
}

static void
step_opened(struct put_item *item)
{
	char *part;

	if (item->handle.len == 0) {
		item->has_temp = false;
		put_failed(item, STATUS_TRANSFER, "%s", item->words);
		return;
	}
	item->state = FILE_WRITE;
	part = !item->is_resumed ? take_partial(item) : NULL;
	if (part != NULL)
		claim(item, part);
	free(part);
}

static void
step_claim(struct put_item *item)
{
	const struct sftp_attrs *a = &item->attrs;

	item->state = FILE_WRITE;
	if (item->status != SFTP_OK || !S_ISREG(a->mode) ||
	    item->own_uid == -1 || (a->flags & SFTP_ATTR_IDS) == 0 ||
	    a->uid != item->own_uid)
		return; /* not ours: not touched */
	item->state = FILE_OVERLAP;
	item->is_same = false;
	item->part_bytes = a->size;
	if (a->size > 0 && a->size <= item->entry.size)
		compare(item, item->part, a->size);
}

static void
step_overlap(struct put_item *item)
{
	struct sftp *f = &item->put->t->sftp;
	const struct sftp_attrs mode = {.flags = SFTP_ATTR_MODE, .mode = 0600};
	char *useless = item->is_same ? item->temp : item->part;

	sftp_remove(f, useless, put_reply_any, item);
	item->waiting++;
	item->state = FILE_WRITE;
	if (!item->is_same)
		return;
	free(item->temp);
	item->temp = item->part;
	item->part = NULL;
	item->sent = item->part_bytes;
	transfer_moved(item->put->t, item->sent);
	sftp_close(f, &item->handle, put_reply_any, item);
	item->handle.len = 0;
	/* It may have its final mode already. */
	sftp_setstat(f, item->temp, &mode, put_reply_any, item);
	sftp_open(f, item->temp, SFTP_FLAG_WRITE, 0, reply_open, item);
	item->waiting += 3;
	item->is_resumed = true;
	item->state = FILE_OPENED;
}

/* --- contents ------------------------------------------------------------ */

static void
reply_write(void *ctx, struct sftp_reply *reply)
{
	struct put_item *item = ctx;

	item->waiting--;
	if (reply->error == ENODATA)
		put_local_failed(item, "has become shorter while it was sent");
	else if (reply->error != 0)
		put_local_failed(item, strerror(reply->error));
	else if (reply->status != SFTP_OK)
		put_refused(item, "writing it", reply);
}

static void
reply_setstat(void *ctx, struct sftp_reply *reply)
{
	struct put_item *item = ctx;

	item->waiting--;
	if (reply->status != SFTP_OK)
		put_refused(item, "setting its mode", reply);
}

static void
reply_fsync(void *ctx, struct sftp_reply *reply)
{
	struct put_item *item = ctx;

	item->waiting--;
	if (reply->status != SFTP_OK && reply->status != SFTP_OP_UNSUPPORTED)
		put_refused(item, "fsync", reply);
}

static void
reply_close(void *ctx, struct sftp_reply *reply)
{
	struct put_item *item = ctx;

	item->waiting--;
	if (reply->status != SFTP_OK)
		put_refused(item, "closing it", reply);
}

/* All that comes after the last byte, in one go. */
static void
finish(struct put_item *item)
{
	struct transfer *t = item->put->t;
	const struct msg_config *config = transfer_config(t);
	struct sftp_attrs attrs = {.flags = SFTP_ATTR_MODE,
	    .mode = config->file_mode != FILE_MODE_KEEP ? config->file_mode
							: item->entry.mode};

	if (transfer_has(t, TRANSFER_PRESERVE)) {
		attrs.flags |= SFTP_ATTR_TIMES;
		attrs.atime = attrs.mtime = (uint32_t)item->entry.mtime_s;
	}
	sftp_fsetstat(&t->sftp, &item->handle, &attrs, reply_setstat, item);
	item->waiting++;
	if (t->sftp.extensions & SFTP_FSYNC) {
		sftp_fsync(&t->sftp, &item->handle, reply_fsync, item);
		item->waiting++;
	}
	sftp_fstat(&t->sftp, &item->handle, put_reply, item);
	sftp_close(&t->sftp, &item->handle, reply_close, item);
	item->waiting += 2;
	item->handle.len = 0;
	item->state = FILE_FINISH;
}

/* Called without waiting for answers: many writes are on their way. */
static void
step_write(struct put_item *item)
{
	struct transfer *t = item->put->t;
	uint64_t left;
	size_t len;

	while ((left = item->entry.size - item->sent) > 0) {
		if (!sftp_can_write(&t->sftp))
			return;
		len = t->sftp.write_max;
		if (len > left)
			len = (size_t)left;
		len = transfer_allowance(t, len);
		if (len == 0)
			return;
		sftp_write(&t->sftp, &item->handle, item->fd, item->sent, len,
		    reply_write, item);
		item->waiting++;
		item->sent += len;
		transfer_moved(t, len);
	}
	finish(item);
}

static void
step_finish(struct put_item *item)
{
	struct transfer *t = item->put->t;

	if (item->status != SFTP_OK ||
	    (item->attrs.flags & SFTP_ATTR_SIZE) == 0) {
		put_failed(item, STATUS_TRANSFER, "the host tells no size");
	} else if (item->attrs.size != item->entry.size) {
		item->is_useless = true;
		put_failed(item, STATUS_TRANSFER,
		    "the host has %llu of its %llu bytes",
		    (unsigned long long)item->attrs.size,
		    (unsigned long long)item->entry.size);
	} else if (!is_unchanged(item)) {
		put_local_failed(item, "has changed while it was sent");
	} else if (transfer_has(t, TRANSFER_VERIFY)) {
		compare(item, item->temp, item->entry.size);
		item->state = FILE_VERIFY;
	} else {
		item->state = FILE_REPLACE;
	}
}

static void
step_verify(struct put_item *item)
{
	if (item->is_same)
		item->state = FILE_REPLACE;
	else if (!item->is_failed)
		put_failed(item, STATUS_TRANSFER,
		    "what arrived differs from what was sent");
	item->is_useless = item->is_failed;
}

/* --- steps --------------------------------------------------------------- */

static void
file_state(struct put_item *item)
{
	switch ((enum file_state)item->state) {
	case FILE_BEGIN:
		step_begin(item);
		break;
	case FILE_LOOK:
		step_look(item);
		break;
	case FILE_COMPARE:
		step_compare(item);
		break;
	case FILE_OPEN:
		step_open(item);
		break;
	case FILE_OPENED:
		step_opened(item);
		break;
	case FILE_CLAIM:
		step_claim(item);
		break;
	case FILE_OVERLAP:
		step_overlap(item);
		break;
	case FILE_WRITE:
		step_write(item);
		break;
	case FILE_FINISH:
		step_finish(item);
		break;
	case FILE_VERIFY:
		step_verify(item);
		break;
	case FILE_REPLACE:
		put_replace_step(item);
		break;
	case FILE_CLEAN:
		over(item);
		break;
	}
}

void
put_file_step(struct put_item *item)
{
	while (!item->is_over) {
		if (item->compare != NULL)
			compare_step(item->compare);
		if (item->state == FILE_WRITE && !item->is_failed) {
			step_write(item);
			return;
		}
		if (item->waiting > 0 || item->compare != NULL)
			return;
		if (item->is_failed && item->state != FILE_CLEAN)
			clean(item);
		else
			file_state(item);
	}
}

/* --- symlinks ------------------------------------------------------------ */

void
put_link_step(struct put_item *item)
{
	struct transfer *t = item->put->t;

	if (item->waiting > 0)
		return;
	if (item->state == FILE_BEGIN && transfer_has(t, TRANSFER_DRY_RUN)) {
		item->state = FILE_OPEN;
	} else if (item->state == FILE_BEGIN) {
		item->temp = put_temporary(item, 0);
		sftp_symlink(
		    &t->sftp, item->entry.link, item->temp, put_reply, item);
		item->waiting++;
		item->state = FILE_OPENED;
		return;
	} else if (item->state == FILE_OPENED) {
		item->has_temp = item->status == SFTP_OK;
		if (!item->has_temp)
			put_failed(item, STATUS_TRANSFER,
			    "making a symbolic link: %s", item->words);
		item->state = FILE_REPLACE;
	}
	put_file_step(item);
}
