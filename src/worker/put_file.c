/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One file on its way to a host:
 *
 *   BEGIN ─▶ LOOK ─▶ COMPARE ─▶ CLAIM ─▶ OVERLAP ─▶ OPEN ─▶ WRITE ─▶ FINISH
 *     │       -update, -checksum    -resume                              │
 *     └───────────────────────────────────────────────────▶ OPEN         │
 *                                                                        ▼
 *             over ◀─ RENAME ◀─ ASIDE ◀─ BACKUP ◀──── VERIFY ◀───────────┘
 *
 * Each step asks for what it needs and goes on when all is answered; a failure
 * anywhere leads to CLEAN. What follows the last write (mode, times, fsync,
 * size, close) is sent right behind it, so that a small file costs three round
 * trips; and many files are on their way at once.
 *
 * The target is replaced by a rename of a file that is complete: old or new,
 * never half. ASIDE is for servers that can't rename over a file.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/fdio.h"
#include "util/xalloc.h"
#include "worker/put.h"
#include "worker/session.h"
#include "worker/temp_name.h"

enum file_state {
	FILE_BEGIN,
	FILE_LOOK,
	FILE_COMPARE,
	FILE_CLAIM,
	FILE_PARTIAL,
	FILE_OVERLAP,
	FILE_OPEN,
	FILE_OPENED,
	FILE_WRITE,
	FILE_FINISH,
	FILE_VERIFY,
	FILE_BACKUP,
	FILE_RENAME,
	FILE_ASIDE,
	FILE_RENAMED,
	FILE_REASON,
	FILE_CLEAN,
};

/* --- the local file ------------------------------------------------------ */

/* Whether fd is still the file that control has seen. */
static bool
is_unchanged(const struct put_item *item)
{
	const struct msg_entry *e = &item->entry;
	struct stat st;

	return fstat(item->fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (uint64_t)st.st_dev == e->dev && (uint64_t)st.st_ino == e->ino &&
	    (uint64_t)st.st_size == e->size &&
	    (uint64_t)st.st_mtim.tv_sec == e->mtime_s &&
	    (uint32_t)st.st_mtim.tv_nsec == e->mtime_ns &&
	    (uint64_t)st.st_ctim.tv_sec == e->ctime_s &&
	    (uint32_t)st.st_ctim.tv_nsec == e->ctime_ns;
}

static int
open_source(struct put_item *item)
{
	const char *source = item->entry.source;

	item->fd = open(
	    source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (item->fd == -1) {
		transfer_failed(
		    item->put->t, STATUS_ERROR, source, "%s", strerror(errno));
		return -1;
	}
	if (!is_unchanged(item)) {
		transfer_failed(item->put->t, STATUS_ERROR, source,
		    "has changed since the run began");
		return -1;
	}
	return 0;
}

/* --- names --------------------------------------------------------------- */

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* A path beside the target that no other run, host or item uses. */
static char *
temporary(const struct put_item *item, unsigned which)
{
	const struct transfer *t = item->put->t;
	char name[TEMP_NAME_SIZE], *parent, *path;

	temp_name_make(name, sizeof(name), base_name(item->target),
	    transfer_config(t)->token, t->session->job * 2 + which);
	parent = put_parent(item->target);
	path = put_join(parent, name);
	free(parent);
	return path;
}

/* A partial file of an earlier run for this target, out of the list. */
static char *
take_partial(struct put_item *item)
{
	struct put *put = item->put;
	struct temp_name name;
	char *path, *parent, *own;
	size_t i;
	bool is_here;

	for (i = 0; i < put->partial_count; i++) {
		path = put->partials[i];
		if (!temp_name_parse(base_name(path), &name) ||
		    !temp_name_is_of(&name, base_name(item->target)))
			continue;
		parent = put_parent(path);
		own = put_parent(item->target);
		is_here = strcmp(parent, own) == 0;
		free(parent);
		free(own);
		if (!is_here)
			continue;
		put->partials[i] = put->partials[--put->partial_count];
		return path;
	}
	return NULL;
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
	    item->entry.type == ENTRY_FILE && !item->is_useless)
		return; /* the next run goes on with it */
	sftp_remove(f, item->temp, put_reply_any, item);
	item->waiting++;
}

void
put_file_stop(struct put_item *item)
{
	/* What takes the target's place must not stop half-way. */
	if (item->state < FILE_RENAMED)
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

static bool
is_regular(const struct sftp_attrs *a)
{
	return (a->flags & SFTP_ATTR_MODE) != 0 && S_ISREG(a->mode);
}

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
	item->state = FILE_CLAIM;
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
	bool is_alike = item->status == SFTP_OK && is_regular(a) &&
	    a->size == item->entry.size;

	item->state = FILE_CLAIM;
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
		item->state = FILE_CLAIM;
}

/* --- an earlier run's partial file --------------------------------------- */

static void
reply_open(void *ctx, struct sftp_reply *reply)
{
	struct put_item *item = ctx;

	put_reply(item, reply);
	if (reply->type == SFTP_HANDLE)
		item->handle = reply->handle;
}

static void
step_claim(struct put_item *item)
{
	struct transfer *t = item->put->t;
	char *partial;

	if (transfer_has(t, TRANSFER_DRY_RUN)) {
		transfer_would(t, item->entry.source, item->target);
		over(item);
		return;
	}
	item->temp = temporary(item, 0);
	item->state = FILE_OPEN;
	partial = transfer_has(t, TRANSFER_RESUME) ? take_partial(item) : NULL;
	if (partial == NULL)
		return;
	/* Whoever renames it first has it. */
	sftp_rename(&t->sftp, partial, item->temp, put_reply, item);
	item->waiting++;
	free(partial);
	item->state = FILE_PARTIAL;
}

static void
step_partial(struct put_item *item)
{
	struct transfer *t = item->put->t;

	item->state = FILE_OPEN;
	if (item->status != SFTP_OK)
		return;
	item->has_temp = item->is_partial = true;
	sftp_stat(&t->sftp, item->temp, false, put_reply, item);
	item->waiting++;
	item->state = FILE_OVERLAP;
}

static void
step_overlap(struct put_item *item)
{
	const struct sftp_attrs *a = &item->attrs;

	/* First time here: its size is known; then: its contents. */
	if (item->status == SFTP_OK && is_regular(a) && a->size > 0 &&
	    a->size <= item->entry.size && item->sent == 0) {
		item->sent = a->size;
		compare(item, item->temp, item->sent);
		return;
	}
	if (!item->is_same)
		item->sent = 0;
	transfer_moved(item->put->t, item->sent);
	item->state = FILE_OPEN;
}

/* --- contents ------------------------------------------------------------ */

static void
step_open(struct put_item *item)
{
	struct transfer *t = item->put->t;
	unsigned flags = SFTP_FLAG_WRITE;
	const struct sftp_attrs cut = {.flags = SFTP_ATTR_SIZE};

	item->state = FILE_OPENED;
	if (item->is_partial && item->sent == 0) {
		sftp_setstat(&t->sftp, item->temp, &cut, put_reply_any, item);
		item->waiting++;
	}
	if (!item->is_partial)
		flags |= SFTP_FLAG_CREATE | SFTP_FLAG_EXCL;
	item->has_temp = true;
	sftp_open(&t->sftp, item->temp, flags, 0600, reply_open, item);
	item->waiting++;
}

static void
reply_write(void *ctx, struct sftp_reply *reply)
{
	struct put_item *item = ctx;

	item->waiting--;
	if (reply->status != SFTP_OK)
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
step_opened(struct put_item *item)
{
	if (item->handle.len == 0) {
		item->has_temp = item->is_partial;
		put_failed(item, STATUS_TRANSFER, "%s", item->words);
		return;
	}
	item->state = FILE_WRITE;
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
		transfer_failed(t, STATUS_ERROR, item->entry.source,
		    "has changed while it was sent");
		item->is_failed = true;
	} else if (transfer_has(t, TRANSFER_VERIFY)) {
		compare(item, item->temp, item->entry.size);
		item->state = FILE_VERIFY;
	} else {
		item->state = FILE_BACKUP;
	}
}

static void
step_verify(struct put_item *item)
{
	if (item->is_same)
		item->state = FILE_BACKUP;
	else if (!item->is_failed)
		put_failed(item, STATUS_TRANSFER,
		    "what arrived differs from what was sent");
	item->is_useless = item->is_failed;
}

/* --- taking the target's place ------------------------------------------- */

static void
reply_backup(void *ctx, struct sftp_reply *reply)
{
	struct put_item *item = ctx;

	item->waiting--;
	if (reply->status != SFTP_OK && reply->status != SFTP_NO_SUCH_FILE)
		put_refused(item, "making the backup", reply);
}

/*
 * Keep the old target under another name. By a hard link it stays in its
 * place, too, until it is replaced; the link is made under a name of our own,
 * since an older backup may be in the way. If the target and its backup are
 * one file already, the rename does nothing: then the link has to go.
 */
static void
step_backup(struct put_item *item)
{
	struct transfer *t = item->put->t;
	struct sftp *f = &t->sftp;
	const char *suffix = transfer_config(t)->backup_suffix;
	char *backup;

	item->state = FILE_RENAME;
	if (suffix[0] == '\0')
		return;
	backup = xasprintf("%s%s", item->target, suffix);
	if ((f->extensions & SFTP_HARDLINK) != 0 &&
	    (f->extensions & SFTP_POSIX_RENAME) != 0) {
		free(item->aside);
		item->aside = temporary(item, 1);
		sftp_link(f, item->target, item->aside, reply_backup, item);
		sftp_rename(f, item->aside, backup, reply_backup, item);
		sftp_remove(f, item->aside, put_reply_any, item);
		item->waiting += 3;
	} else {
		sftp_remove(f, backup, put_reply_any, item);
		sftp_rename(f, item->target, backup, reply_backup, item);
		item->waiting += 2;
	}
	free(backup);
}

static void
step_rename(struct put_item *item)
{
	sftp_rename(
	    &item->put->t->sftp, item->temp, item->target, put_reply, item);
	item->waiting++;
	item->state = FILE_RENAMED;
}

static void
arrived(struct put_item *item)
{
	struct transfer *t = item->put->t;

	item->has_temp = false;
	transfer_done(t, item->entry.size, false);
	over(item);
}

static void
step_renamed(struct put_item *item)
{
	struct sftp *f = &item->put->t->sftp;

	if (item->status == SFTP_OK) {
		arrived(item);
		return;
	}
	/* Why? Maybe it is a directory, or rename() does not replace. */
	sftp_stat(f, item->target, false, put_reply_look, item);
	item->waiting++;
	item->state = FILE_REASON;
}

static void
step_reason(struct put_item *item)
{
	struct sftp *f = &item->put->t->sftp;
	bool is_there = item->status == SFTP_OK;

	if (is_there && (item->attrs.flags & SFTP_ATTR_MODE) != 0 &&
	    S_ISDIR(item->attrs.mode)) {
		put_failed(item, STATUS_TRANSFER, "is a directory there");
		return;
	}
	if (!is_there || (f->extensions & SFTP_POSIX_RENAME) != 0 ||
	    item->aside != NULL) {
		put_failed(item, STATUS_TRANSFER,
		    "renaming the new file to it: %s", item->words);
		return;
	}
	/*
	 * Without posix-rename: the old file steps aside, the new one takes
	 * its place, the old one goes; or it comes back.
	 */
	item->aside = temporary(item, 1);
	sftp_rename(f, item->target, item->aside, put_reply_any, item);
	sftp_rename(f, item->temp, item->target, put_reply, item);
	item->waiting += 2;
	item->state = FILE_ASIDE;
}

static void
step_aside(struct put_item *item)
{
	struct sftp *f = &item->put->t->sftp;

	if (item->status == SFTP_OK) {
		sftp_remove(f, item->aside, put_reply_any, item);
		item->waiting++;
		item->status = SFTP_OK;
		arrived(item);
		return;
	}
	sftp_rename(f, item->aside, item->target, put_reply_any, item);
	item->waiting++;
	put_failed(item, STATUS_TRANSFER, "renaming the new file to it: %s",
	    item->words);
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
	case FILE_CLAIM:
		step_claim(item);
		break;
	case FILE_PARTIAL:
		step_partial(item);
		break;
	case FILE_OVERLAP:
		step_overlap(item);
		break;
	case FILE_OPEN:
		step_open(item);
		break;
	case FILE_OPENED:
		step_opened(item);
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
	case FILE_BACKUP:
		step_backup(item);
		break;
	case FILE_RENAME:
		step_rename(item);
		break;
	case FILE_RENAMED:
		step_renamed(item);
		break;
	case FILE_REASON:
		step_reason(item);
		break;
	case FILE_ASIDE:
		step_aside(item);
		break;
	case FILE_CLEAN:
		over(item);
		break;
	}
}

void
put_file_step(struct put_item *item)
{
	for (;;) {
		if (item->compare != NULL)
			compare_step(item->compare);
		if (item->is_failed && item->state != FILE_CLEAN &&
		    item->waiting == 0)
			clean(item);
		if (item->state == FILE_WRITE && !item->is_failed) {
			step_write(item);
			return;
		}
		if (item->waiting > 0 || item->compare != NULL || item->is_over)
			return;
		file_state(item);
	}
}

/* --- symlinks ------------------------------------------------------------ */

void
put_link_step(struct put_item *item)
{
	struct transfer *t = item->put->t;

	if (item->state == FILE_BEGIN && item->waiting == 0 &&
	    !transfer_has(t, TRANSFER_DRY_RUN)) {
		item->temp = temporary(item, 0);
		item->has_temp = true;
		sftp_symlink(
		    &t->sftp, item->entry.link, item->temp, put_reply, item);
		item->waiting++;
		item->state = FILE_OPENED;
		return;
	}
	if (item->state == FILE_BEGIN) {
		item->state = FILE_CLAIM; /* of a dry run */
	} else if (item->state == FILE_OPENED && item->waiting == 0) {
		if (item->status != SFTP_OK)
			put_failed(item, STATUS_TRANSFER,
			    "making a symbolic link: %s", item->words);
		item->state = FILE_BACKUP;
	}
	put_file_step(item);
}
