/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file is read in ranges, many on their way at once, up to the size that
 * the listing tells; meanwhile FSTAT tells the size that counts. What is
 * appended after that is not fetched, so a log that grows comes to an end. A
 * range whose answer is short is asked for again, from where that ended.
 *
 * A size of 0 may be true, or be that of a file in /proc: it is read, one
 * range at a time, until the server sees its end.
 *
 * Zeros are not written into a new file, so that a sparse file stays one.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/xalloc.h"
#include "worker/get_file.h"

/* Part of a file. */
struct get_range {
	struct get_file *file;
	struct get_range *next, **link; /* link: of those on their way */
	uint64_t offset;
	size_t len, got;
};

static struct get_range *
range_new(struct get_file *f, uint64_t offset, size_t len)
{
	struct get_range *r = xcalloc(1, sizeof(*r));

	r->file = f;
	r->offset = offset;
	r->len = len;
	return r;
}

static void
push_again(struct get_file *f, uint64_t offset, size_t len)
{
	struct get_range *r = range_new(f, offset, len);

	r->next = f->again;
	f->again = r;
}

static void
unlink_asked(struct get_range *r)
{
	*r->link = r->next;
	if (r->next != NULL)
		r->next->link = r->link;
}

/* --- contents ------------------------------------------------------------ */

static int
write_at(int fd, const uint8_t *data, size_t len, uint64_t offset)
{
	ssize_t n;

	while (len > 0) {
		n = pwrite(fd, data, len, (off_t)offset);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			if (n == 0)
				errno = EIO;
			return -1;
		}
		data += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

static bool
is_zeros(const uint8_t *data, size_t len)
{
	return data[0] == 0 && memcmp(data, data + 1, len - 1) == 0;
}

static void
range_data(void *ctx, uint64_t offset, const uint8_t *data, size_t len)
{
	struct get_range *r = ctx;
	struct get_file *f = r->file;

	r->got += len;
	transfer_moved(f->files->t, len);
	f->arrived += len;
	if (f->state != GET_FILE_READ)
		return;
	if (f->has_size && offset >= f->size)
		return;
	if (f->has_size && len > f->size - offset)
		len = (size_t)(f->size - offset);
	if (offset + len > f->claimed && get_file_claim(f, offset + len) == -1)
		return;
	/* A part that another run has left may hold anything there. */
	if (f->begin == 0 && is_zeros(data, len))
		return;
	if (write_at(target_file_fd(f->file), data, len, offset) == -1) {
		get_place_file_failed(f->files->place, f->path, errno);
		get_file_end(f, false);
		return;
	}
	if (offset + len > f->end)
		f->end = offset + len;
}

static void
became_shorter(struct get_file *f)
{
	transfer_failed(f->files->t, STATUS_TRANSFER, f->source,
	    "became shorter while it was read");
	get_file_end(f, true);
}

static void
range_done(void *ctx, struct sftp_reply *reply)
{
	struct get_range *r = ctx;
	struct get_file *f = r->file;

	unlink_asked(r);
	transfer_give_back(f->files->t, r->len - r->got);
	if (f->state != GET_FILE_READ)
		;
	else if (reply->type == SFTP_DATA) {
		if (r->got < r->len)
			push_again(f, r->offset + r->got, r->len - r->got);
	} else if (reply->status == SFTP_EOF) {
		if (r->offset < f->eof)
			f->eof = r->offset;
	} else {
		transfer_refused(f->files->t, f->source, "reading it", reply);
		get_file_end(f, true);
	}
	free(r);
}

/* --- requests ------------------------------------------------------------ */

/*
 * The next range to ask for, not from what is to be asked again. Returns its
 * length, or 0.
 */
static size_t
next_len(const struct get_file *f)
{
	uint64_t limit = f->has_fstat ? f->size : f->told;
	uint32_t most = f->files->t->sftp.read_max;

	if (limit > 0) {
		if (f->ask >= limit)
			return 0;
		return limit - f->ask < most ? (size_t)(limit - f->ask) : most;
	}
	return f->asked == NULL && f->eof == UINT64_MAX ? most : 0;
}

static void
ask_range(struct get_file *f, uint64_t offset, size_t len)
{
	struct get_range *r = range_new(f, offset, len);

	r->next = f->asked;
	r->link = &f->asked;
	if (r->next != NULL)
		r->next->link = &r->next;
	f->asked = r;
	sftp_read(&f->files->t->sftp, &f->handle, offset, len, range_data,
	    range_done, r);
}

/* What is wanted beyond the size that FSTAT has told is not. */
static void
drop_beyond(struct get_file *f)
{
	struct get_range *r, **link = &f->again;

	while (f->has_size && (r = *link) != NULL) {
		if (r->offset < f->size) {
			if (r->len > f->size - r->offset)
				r->len = (size_t)(f->size - r->offset);
			link = &r->next;
			continue;
		}
		*link = r->next;
		free(r);
	}
}

static void
ask(struct get_file *f)
{
	struct transfer *t = f->files->t;
	size_t window = transfer_config(t)->channel_window, len;
	struct get_range *r;

	if (window < 2 * (size_t)t->sftp.read_max)
		window = 2 * (size_t)t->sftp.read_max;
	while (sftp_can_read(&t->sftp, window)) {
		r = f->again;
		len = r != NULL ? r->len : next_len(f);
		if (len == 0 || (len = transfer_allowance(t, len)) == 0)
			return;
		if (r == NULL) {
			ask_range(f, f->ask, len);
			f->ask += len;
			continue;
		}
		ask_range(f, r->offset, len);
		r->offset += len;
		r->len -= len;
		if (r->len == 0) {
			f->again = r->next;
			free(r);
		}
	}
}

/* --- the size ------------------------------------------------------------ */

static void
fstat_done(void *ctx, struct sftp_reply *reply)
{
	struct get_file *f = ctx;
	const struct sftp_attrs *attrs = &reply->attrs;

	f->waiting--;
	if (f->state != GET_FILE_READ)
		return;
	if (reply->type != SFTP_ATTRS) {
		transfer_refused(
		    f->files->t, f->source, "asking for its size", reply);
		get_file_end(f, true);
		return;
	}
	if ((attrs->flags & SFTP_ATTR_MODE) != 0) {
		if (!S_ISREG(attrs->mode)) {
			transfer_failed(f->files->t, STATUS_TRANSFER, f->source,
			    "is no regular file any more");
			get_file_end(f, true);
			return;
		}
		f->mode = attrs->mode & GET_MODE_BITS;
	}
	if ((attrs->flags & SFTP_ATTR_TIMES) != 0)
		f->mtime_s = attrs->mtime;
	f->has_fstat = true;
	f->size = (attrs->flags & SFTP_ATTR_SIZE) != 0 ? attrs->size : 0;
	f->has_size = f->size > 0;
	/* Also if it is 0 now: what was compared is not in it any more. */
	if (f->begin > f->size)
		became_shorter(f);
	else if (f->has_size)
		get_file_claim(f, f->size);
}

void
get_read_begin(struct get_file *f)
{
	f->eof = UINT64_MAX;
	f->ask = f->end = f->begin;
	f->state = GET_FILE_READ;
	f->waiting++;
	sftp_fstat(&f->files->t->sftp, &f->handle, fstat_done, f);
}

bool
get_read_step(struct get_file *f)
{
	drop_beyond(f);
	if (f->has_size && f->eof < f->size) {
		became_shorter(f);
		return false;
	}
	ask(f);
	if (!f->has_fstat || f->asked != NULL || f->again != NULL ||
	    next_len(f) > 0)
		return false;
	if (!f->has_size)
		f->size = f->eof;
	if (f->end != f->size &&
	    ftruncate(target_file_fd(f->file), (off_t)f->size) == -1) {
		get_place_file_failed(f->files->place, f->path, errno);
		get_file_end(f, false);
		return false;
	}
	return true;
}

uint64_t
get_read_contiguous(const struct get_file *f)
{
	uint64_t least = f->ask;
	const struct get_range *r;

	for (r = f->asked; r != NULL; r = r->next)
		if (r->offset + r->got < least)
			least = r->offset + r->got;
	for (r = f->again; r != NULL; r = r->next)
		if (r->offset < least)
			least = r->offset;
	return f->eof < least ? f->eof : least;
}

static void
free_ranges(struct get_range **list)
{
	struct get_range *r;

	while ((r = *list) != NULL) {
		*list = r->next;
		free(r);
	}
}

void
get_read_stop(struct get_file *f)
{
	free_ranges(&f->again);
}

void
get_read_clear(struct get_file *f)
{
	free_ranges(&f->asked);
	free_ranges(&f->again);
}
