/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <unistd.h>

#include "util/fdio.h"
#include "worker/disk.h"
#include "worker/get_file.h"

static void
close_done(void *ctx, struct sftp_reply *reply)
{
	struct get_files *files = ctx;

	/* It was open for reading only: whatever the server says to that. */
	(void)reply;
	files->closing--;
}

void
get_file_release(struct get_file *f)
{
	if (f->sync != NULL)
		f->files->t->local_jobs--;
	disk_abandon(f->sync);
	f->sync = NULL;
	compare_free(f->compare);
	f->compare = NULL;
	fd_close(&f->here);
	get_read_stop(f);
}

/* How much of the temporary a later run can go on from. */
static uint64_t
part_bytes(const struct get_file *f)
{
	switch (f->state) {
	case GET_FILE_OVERLAP:
	case GET_FILE_OPEN:
	case GET_FILE_OPENED:
		return f->begin;
	case GET_FILE_READ:
		return get_read_contiguous(f);
	case GET_FILE_SYNC:
	case GET_FILE_VERIFY:
		return f->size;
	case GET_FILE_BEGIN:
	case GET_FILE_LINK:
	case GET_FILE_SAME:
	case GET_FILE_CLAIM:
	case GET_FILE_OVER:
		return 0;
	}
	return 0;
}

void
get_file_discard(struct get_file *f, bool keeps_part)
{
	uint64_t bytes = 0;

	if (f->file == NULL)
		return;
	if (keeps_part && transfer_has(f->files->t, TRANSFER_RESUME))
		bytes = part_bytes(f);
	if (bytes > 0 && ftruncate(target_file_fd(f->file), (off_t)bytes) == -1)
		bytes = 0;
	target_file_discard(f->file, bytes > 0);
	f->file = NULL;
}

void
get_file_close(struct get_file *f)
{
	if (f->handle.len == 0)
		return;
	f->files->closing++;
	sftp_close(&f->files->t->sftp, &f->handle, close_done, f->files);
	f->handle.len = 0;
}

void
get_file_end(struct get_file *f, bool keeps_part)
{
	if (f->state == GET_FILE_OVER)
		return;
	get_file_discard(f, keeps_part);
	get_file_release(f);
	get_file_close(f);
	/* What came over the line counts. */
	f->files->claimed -= f->claimed;
	f->files->claimed += f->arrived;
	f->claimed = 0;
	f->state = GET_FILE_OVER;
}

void
get_file_succeed(struct get_file *f, uint64_t bytes, bool is_unchanged)
{
	transfer_done(f->files->t, bytes, is_unchanged);
	get_file_release(f);
	get_file_close(f);
	f->state = GET_FILE_OVER;
}

void
get_file_end_local(struct get_file *f, const struct error *err)
{
	get_place_failed(f->files->place, err);
	get_file_end(f, false);
}

const char *
get_file_backup_suffix(const struct get_file *f)
{
	const char *suffix = transfer_config(f->files->t)->backup_suffix;

	return suffix[0] != '\0' ? suffix : NULL;
}

int
get_file_claim(struct get_file *f, uint64_t bytes)
{
	uint64_t max = transfer_config(f->files->t)->max_bytes;
	uint64_t others = f->files->claimed - f->claimed;

	if (max == 0 || max > INT64_MAX)
		max = INT64_MAX;
	if (others <= max && bytes <= max - others) {
		f->files->claimed = others + bytes;
		f->claimed = bytes;
		return 0;
	}
	transfer_failed(f->files->t, STATUS_TRANSFER, f->source,
	    "with it there would be more than %llu bytes (-max-size)",
	    (unsigned long long)max);
	get_file_end(f, false);
	return -1;
}
