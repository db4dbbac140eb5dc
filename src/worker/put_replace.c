/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a complete new file takes the target's place:
 *
 *   - No backup: renamed over it (posix-rename@openssh.com).
 *   - A backup, and the server makes hard links: the old file gets the
 *     backup's name as a second one, then as above. Both ways there is an old
 *     or a new file under the target's name at any moment.
 *   - Else the old file is moved away, to the backup's name, or, if the server
 *     can't rename over a file, to a name that tells whose it is; the new file
 *     is renamed; and if that fails the old one is moved back.
 *
 * From its first request to its last an item is committing: it is not cut
 * short, since then the target might be gone. A file that was moved away never
 * has a temporary's name, so no later run takes it for one.
 *
 *   BEGIN ─▶ LINKED ─▶ (rename) ──▶ RENAMED ─▶ over
 *     │        │                      ▲   │
 *     └────────┴▶ LOOKED ─▶ MOVED ────┘   ├─▶ REASON ─▶ MOVED, failed
 *                                         └─▶ BACK ─▶ failed
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/xalloc.h"
#include "worker/put.h"
#include "worker/session.h"

enum replace_state {
	REPLACE_BEGIN,
	REPLACE_LINKED,
	REPLACE_LOOKED,
	REPLACE_MOVED,
	REPLACE_RENAMED,
	REPLACE_REASON,
	REPLACE_BACK,
};

static bool
has(const struct put_item *item, enum sftp_extension extension)
{
	return (item->put->t->sftp.extensions & (unsigned)extension) != 0;
}

/* The new file is to have the target's name. */
static void
rename_new(struct put_item *item)
{
	sftp_rename(
	    &item->put->t->sftp, item->temp, item->target, put_reply, item);
	item->waiting++;
	item->replace = REPLACE_RENAMED;
}

static void
reply_move(void *ctx, struct sftp_reply *reply)
{
	struct put_item *item = ctx;

	item->has_moved = reply->status == SFTP_OK;
	put_reply(item, reply);
}

/* The old file, if there is one, goes to item->old. */
static void
move_old(struct put_item *item, bool is_backup)
{
	struct sftp *f = &item->put->t->sftp;

	/* An older backup is in the way of a rename that can't replace. */
	if (is_backup && !has(item, SFTP_POSIX_RENAME)) {
		sftp_remove(f, item->old, put_reply_any, item);
		item->waiting++;
	}
	sftp_rename(f, item->target, item->old, reply_move, item);
	item->waiting++;
	item->replace = REPLACE_MOVED;
}

static void
reply_link(void *ctx, struct sftp_reply *reply)
{
	struct put_item *item = ctx;

	item->waiting--;
	item->link_status = reply->status;
}

/*
 * The link is made under a name of our own, since an older backup may be in
 * the way. If the target and its backup are one file already the rename does
 * nothing: then the link has to go.
 */
static void
link_old(struct put_item *item)
{
	struct sftp *f = &item->put->t->sftp;
	char *link = put_temporary(item, 1);

	sftp_link(f, item->target, link, reply_link, item);
	sftp_rename(f, link, item->old, put_reply, item);
	sftp_remove(f, link, put_reply_any, item);
	item->waiting += 3;
	free(link);
	item->replace = REPLACE_LINKED;
}

/* Before it is moved: a directory is not. */
static void
look_at_old(struct put_item *item)
{
	sftp_stat(&item->put->t->sftp, item->target, false, put_reply, item);
	item->waiting++;
	item->replace = REPLACE_LOOKED;
}

static bool
is_directory(const struct put_item *item)
{
	return item->status == SFTP_OK && S_ISDIR(item->attrs.mode);
}

static void
step_looked(struct put_item *item)
{
	if (item->status == SFTP_NO_SUCH_FILE)
		rename_new(item);
	else if (is_directory(item))
		put_failed(item, STATUS_TRANSFER, "is a directory there");
	else if (item->status == SFTP_OK)
		move_old(item, true);
	else
		put_failed(item, STATUS_TRANSFER, "%s", item->words);
}

static void
step_begin(struct put_item *item)
{
	const char *suffix = transfer_config(item->put->t)->backup_suffix;

	item->is_committing = true;
	if (suffix[0] == '\0') {
		rename_new(item);
		return;
	}
	item->old = xasprintf("%s%s", item->target, suffix);
	if (has(item, SFTP_HARDLINK) && has(item, SFTP_POSIX_RENAME))
		link_old(item);
	else
		look_at_old(item);
}

static void
step_linked(struct put_item *item)
{
	if (item->link_status == SFTP_NO_SUCH_FILE)
		rename_new(item); /* there is no old file */
	else if (item->link_status != SFTP_OK)
		look_at_old(item);
	else if (item->status == SFTP_OK)
		rename_new(item);
	else
		put_failed(item, STATUS_TRANSFER, "making the backup: %s",
		    item->words);
}

static void
step_moved(struct put_item *item)
{
	if (item->has_moved || item->status == SFTP_NO_SUCH_FILE)
		rename_new(item);
	else
		put_failed(item, STATUS_TRANSFER,
		    "moving the old file out of the way: %s", item->words);
}

static void
step_renamed(struct put_item *item)
{
	struct transfer *t = item->put->t;

	if (item->status != SFTP_OK && item->has_moved) {
		sftp_rename(
		    &t->sftp, item->old, item->target, put_reply_look, item);
		item->waiting++;
		item->replace = REPLACE_BACK;
		return;
	}
	if (item->status != SFTP_OK) {
		/* Why? A directory, or a rename that does not replace. */
		sftp_stat(&t->sftp, item->target, false, put_reply_look, item);
		item->waiting++;
		item->replace = REPLACE_REASON;
		return;
	}
	if (item->is_old_useless) {
		sftp_remove(&t->sftp, item->old, put_reply_any, item);
		item->waiting++;
	}
	item->has_temp = false;
	transfer_done(t, item->entry.size, false);
	item->is_over = true;
}

static void
step_reason(struct put_item *item)
{
	if (is_directory(item)) {
		put_failed(item, STATUS_TRANSFER, "is a directory there");
	} else if (item->status == SFTP_OK && item->old == NULL &&
	    !has(item, SFTP_POSIX_RENAME)) {
		item->old = xasprintf("%s.%s.old", item->target,
		    transfer_config(item->put->t)->token);
		item->is_old_useless = true;
		move_old(item, false);
	} else {
		put_failed(item, STATUS_TRANSFER,
		    "renaming the new file to it: %s", item->words);
	}
}

static void
step_back(struct put_item *item)
{
	if (item->status == SFTP_OK)
		put_failed(item, STATUS_TRANSFER,
		    "renaming the new file to it: %s", item->words);
	else
		put_failed(item, STATUS_TRANSFER,
		    "renaming the new file to it: %s; the old file is now %s",
		    item->words, item->old);
}

void
put_replace_step(struct put_item *item)
{
	switch ((enum replace_state)item->replace) {
	case REPLACE_BEGIN:
		step_begin(item);
		break;
	case REPLACE_LINKED:
		step_linked(item);
		break;
	case REPLACE_LOOKED:
		step_looked(item);
		break;
	case REPLACE_MOVED:
		step_moved(item);
		break;
	case REPLACE_RENAMED:
		step_renamed(item);
		break;
	case REPLACE_REASON:
		step_reason(item);
		break;
	case REPLACE_BACK:
		step_back(item);
		break;
	}
}
