/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *   BEGIN ─▶ SAME ─▶ CLAIM ─▶ OVERLAP ─▶ OPEN ─▶ OPENED ─▶ READ
 *     │    -checksum      -resume                            │
 *     ▼                                                      ▼
 *   LINK ──▶ OVER ◀────────────── VERIFY ◀──────────────── SYNC
 *
 * A state that has nothing to do goes on to the next. The replies note what
 * they bring; a failure in any of them leads to OVER. There the file waits for
 * the replies that are still to come, since requests can't be withdrawn.
 *
 * The temporary is made when the host has opened the file, and goes with every
 * failure. With -resume it stays, if the fault is not on this side, and cut to
 * what has arrived without a gap.
 */
#include "config.h"

#include "worker/get_file.h"

#include <stdlib.h>
#include <string.h>

#include "util/fdio.h"
#include "util/xalloc.h"
#include "worker/disk.h"
#include "worker/session.h"
#include "worker/worker.h"

/* --- comparing ----------------------------------------------------------- */

static void
compared(void *ctx, enum compare_result result, const char *why,
    const uint8_t *sha256)
{
	struct get_file *f = ctx;

	f->is_compared = true;
	f->result = result;
	f->has_sha256 = sha256 != NULL;
	if (sha256 != NULL)
		memcpy(f->sha256, sha256, sizeof(f->sha256));
	if (result == COMPARE_FAILED && f->state == GET_FILE_VERIFY)
		transfer_failed(f->files->t, STATUS_TRANSFER, f->source,
		    "cannot be verified: %s", why);
}

static void
compare_begin(struct get_file *f, int fd, uint64_t bytes, bool wants_sha256)
{
	f->is_compared = false;
	f->compare = compare_new(&f->files->t->comparer, f->source, fd, bytes,
	    NULL, wants_sha256, compared, f);
}

/* Returns whether the comparison is over. */
static bool
compare_go(struct get_file *f)
{
	if (!f->is_compared)
		compare_step(f->compare);
	if (!f->is_compared)
		return false;
	compare_free(f->compare);
	f->compare = NULL;
	return true;
}

/* --- the states ---------------------------------------------------------- */

static void
step_begin(struct get_file *f)
{
	struct transfer *t = f->files->t;

	if (f->type == ENTRY_SYMLINK) {
		get_link_begin(f);
		return;
	}
	f->state = GET_FILE_CLAIM;
	if (!transfer_has(t, TRANSFER_CHECKSUM))
		return;
	f->here = get_place_open_file(f->files->place, f->path, f->told);
	f->is_empty_here = f->here != -1 && f->told == 0;
	if (f->here == -1 || f->told == 0)
		return;
	f->state = GET_FILE_SAME;
	compare_begin(f, f->here, f->told, false);
}

static void
step_same(struct get_file *f)
{
	if (!compare_go(f))
		return;
	fd_close(&f->here);
	if (f->result == COMPARE_SAME)
		get_file_succeed(f, 0, true);
	else
		f->state = GET_FILE_CLAIM;
}

static void
step_claim(struct get_file *f)
{
	struct get_place *place = f->files->place;
	struct error err;
	int rc;

	if (get_place_parent(place, f->path) == -1) {
		get_file_end(f, false);
		return;
	}
	if (get_file_claim(f, f->told) == -1)
		return;
	f->state = GET_FILE_OPEN;
	if (!transfer_has(f->files->t, TRANSFER_RESUME))
		return;
	rc = target_file_claim(place->target, f->path,
	    transfer_config(f->files->t)->token, get_files_seq(f->files),
	    &f->file, &f->begin, &err);
	if (rc == -1) {
		get_file_end_local(f, &err);
	} else if (rc == 1 && f->begin > 0 && f->begin <= f->told) {
		f->state = GET_FILE_OVERLAP;
		compare_begin(f, target_file_fd(f->file), f->begin, false);
	} else if (rc == 1) {
		/* Nothing in it, or more than in the file. */
		target_file_discard(f->file, false);
		f->file = NULL;
		f->begin = 0;
	}
}

static void
step_overlap(struct get_file *f)
{
	if (!compare_go(f))
		return;
	f->state = GET_FILE_OPEN;
	if (f->result == COMPARE_SAME)
		return;
	f->begin = 0;
	target_file_discard(f->file, false);
	f->file = NULL;
}

static void
open_done(void *ctx, struct sftp_reply *reply)
{
	struct get_file *f = ctx;

	f->waiting--;
	if (reply->type != SFTP_HANDLE) {
		if (f->state == GET_FILE_OPENED) {
			transfer_refused(
			    f->files->t, f->source, "opening it", reply);
			get_file_end(f, true);
		}
		return;
	}
	f->handle = reply->handle;
	if (f->state != GET_FILE_OPENED)
		get_file_close(f);
}

static void
step_open(struct get_file *f)
{
	f->state = GET_FILE_OPENED;
	f->waiting++;
	sftp_open(
	    &f->files->t->sftp, f->source, SFTP_FLAG_READ, 0, open_done, f);
}

static void
step_opened(struct get_file *f)
{
	struct get_files *files = f->files;
	struct error err;

	if (f->handle.len == 0)
		return;
	if (f->file == NULL &&
	    target_file_create(files->place->target, f->path,
		transfer_config(files->t)->token, get_files_seq(files),
		&f->file, &err) == -1)
		get_file_end_local(f, &err);
	else
		get_read_begin(f);
}

static void
synced(void *ctx, int error, const uint8_t *sha256)
{
	struct get_file *f = ctx;

	(void)sha256;
	f->files->t->local_jobs--;
	f->sync = NULL;
	f->is_synced = true;
	f->sync_error = error;
	/* It may free everything. */
	transfer_wake(f->files->t);
}

static void
step_read(struct get_file *f)
{
	if (!get_read_step(f))
		return;
	get_file_close(f);
	if (f->is_empty_here && f->size == 0) {
		get_file_discard(f, false);
		get_file_succeed(f, 0, true);
		return;
	}
	f->state = GET_FILE_SYNC;
	f->files->t->local_jobs++;
	f->sync = disk_fsync(worker_threads(f->files->t->session->worker),
	    target_file_fd(f->file), synced, f);
}

static void
commit(struct get_file *f)
{
	struct transfer *t = f->files->t;
	uint32_t mode = transfer_config(t)->file_mode;
	struct timespec mtime = {.tv_sec = (time_t)f->mtime_s};
	bool has_time = transfer_has(t, TRANSFER_PRESERVE) &&
	    f->mtime_s != GET_TIME_UNKNOWN;
	struct error err;

	if (target_file_commit(f->file, mode == FILE_MODE_KEEP ? f->mode : mode,
		has_time ? &mtime : NULL, get_file_backup_suffix(f),
		&err) == -1) {
		get_file_end_local(f, &err);
		return;
	}
	f->file = NULL;
	if (transfer_has(t, TRANSFER_VERIFY))
		transfer_sha256(t, f->has_sha256 ? f->sha256 : NULL);
	get_file_succeed(f, f->size, false);
}

static void
step_sync(struct get_file *f)
{
	if (!f->is_synced)
		return;
	if (f->sync_error != 0) {
		get_place_file_failed(f->files->place, f->path, f->sync_error);
		get_file_end(f, false);
	} else if (transfer_has(f->files->t, TRANSFER_VERIFY)) {
		f->state = GET_FILE_VERIFY;
		compare_begin(f, target_file_fd(f->file), f->size, true);
	} else {
		commit(f);
	}
}

static void
step_verify(struct get_file *f)
{
	if (!compare_go(f))
		return;
	switch (f->result) {
	case COMPARE_SAME:
		commit(f);
		return;
	case COMPARE_DIFFERENT:
		transfer_failed(f->files->t, STATUS_TRANSFER, f->source,
		    "differs from what was received (-verify)");
		break;
	case COMPARE_FAILED:
		break;
	}
	get_file_end(f, false);
}

static void
file_step(struct get_file *f)
{
	switch (f->state) {
	case GET_FILE_BEGIN:
		step_begin(f);
		return;
	case GET_FILE_SAME:
		step_same(f);
		return;
	case GET_FILE_CLAIM:
		step_claim(f);
		return;
	case GET_FILE_OVERLAP:
		step_overlap(f);
		return;
	case GET_FILE_OPEN:
		step_open(f);
		return;
	case GET_FILE_OPENED:
		step_opened(f);
		return;
	case GET_FILE_READ:
		step_read(f);
		return;
	case GET_FILE_SYNC:
		step_sync(f);
		return;
	case GET_FILE_VERIFY:
		step_verify(f);
		return;
	case GET_FILE_LINK:
	case GET_FILE_OVER:
		return;
	}
}

/* --- all files ----------------------------------------------------------- */

void
get_files_init(
    struct get_files *files, struct transfer *t, struct get_place *place)
{
	memset(files, 0, sizeof(*files));
	files->t = t;
	files->place = place;
}

uint32_t
get_files_seq(struct get_files *files)
{
	return files->serial++ << 18 | (files->t->session->job & 0x3ffff);
}

void
get_files_add(struct get_files *files, const struct msg_entry *e)
{
	struct get_file *f = xcalloc(1, sizeof(*f)), **last = &files->first;

	f->files = files;
	f->type = (enum entry_type)e->type;
	f->source = xstrdup(e->source);
	f->path = xstrdup(e->path);
	f->mode = e->mode;
	f->mtime_s = e->mtime_s;
	f->told = e->size;
	f->here = -1;
	while (*last != NULL)
		last = &(*last)->next;
	*last = f;
	files->count++;
}

static void
file_free(struct get_file *f)
{
	get_read_clear(f);
	free(f->source);
	free(f->path);
	free(f);
}

void
get_files_step(struct get_files *files)
{
	struct get_file *f, **link = &files->first;
	enum get_file_state state;

	while ((f = *link) != NULL) {
		do {
			state = f->state;
			file_step(f);
		} while (f->state != state);
		if (f->state != GET_FILE_OVER || f->waiting > 0 ||
		    f->asked != NULL) {
			link = &f->next;
			continue;
		}
		*link = f->next;
		files->count--;
		file_free(f);
	}
}

void
get_files_stop(struct get_files *files)
{
	struct get_file *f;

	for (f = files->first; f != NULL; f = f->next)
		get_file_end(f, true);
}

void
get_files_clear(struct get_files *files)
{
	struct get_file *f;

	while ((f = files->first) != NULL) {
		files->first = f->next;
		if (f->state != GET_FILE_OVER) {
			get_file_discard(f, true);
			get_file_release(f);
		}
		file_free(f);
	}
	files->count = 0;
}
