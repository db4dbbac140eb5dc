/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "wire/entry_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "util/digest.h"
#include "util/fdio.h"
#include "util/log.h"

/* What is read and, once there is a file, written at a time. */
#define BLOCK_BYTES 32768u

void
entry_file_init(struct entry_file *f, size_t spill_bytes)
{
	size_t most = spill_bytes > BLOCK_BYTES ? spill_bytes : BLOCK_BYTES;

	f->fd = -1;
	f->disk_bytes = 0;
	f->spill_bytes = spill_bytes;
	/* One frame goes in before it is seen that it is too much. */
	buf_init(&f->tail, most + FRAME_MAX);
}

void
entry_file_clear(struct entry_file *f)
{
	fd_close(&f->fd);
	f->disk_bytes = 0;
	buf_clear(&f->tail);
}

int
entry_file_flush(struct entry_file *f, struct error *err)
{
	size_t before = buf_len(&f->tail);
	int rc;

	if (f->fd == -1) {
		f->fd = fd_temporary(NULL, err);
		if (f->fd == -1)
			return -1;
	}
	rc = fd_temporary_write(f->fd, &f->tail, err);
	f->disk_bytes += before - buf_len(&f->tail);
	return rc;
}

int
entry_file_append(
    struct entry_file *f, const struct msg_entry *e, struct error *err)
{
	size_t most = f->fd == -1 ? f->spill_bytes : BLOCK_BYTES;

	if (frame_write(&f->tail, FRAME_ENTRY, FRAME_NO_JOB, e) == -1)
		return error_set(err, "%s: the names are too long", e->path);
	return buf_len(&f->tail) > most ? entry_file_flush(f, err) : 0;
}

uint64_t
entry_file_length(const struct entry_file *f)
{
	return f->disk_bytes + buf_len(&f->tail);
}

int
entry_file_reader(struct entry_file *f, struct error *err)
{
	int read_only;

	if (f->fd != -1)
		fatal("entry_file_reader: the file has no name any more");
	f->fd = fd_temporary(&read_only, err);
	return read_only;
}

static void
cursor_init(struct entry_cursor *c)
{
	memset(c, 0, sizeof(*c));
	c->fd = -1;
	buf_init(&c->in, FRAME_MAX + BLOCK_BYTES);
}

void
entry_cursor_init(struct entry_cursor *c, const struct entry_file *f)
{
	cursor_init(c);
	c->file = f;
}

void
entry_cursor_init_fd(struct entry_cursor *c, int fd, uint64_t length)
{
	cursor_init(c);
	c->fd = fd;
	c->length = length;
}

void
entry_cursor_clear(struct entry_cursor *c)
{
	buf_clear(&c->in);
	cursor_init(c);
}

/* As pread(2), at most count bytes of the list, from disk or from memory. */
static ssize_t
cursor_read(const struct entry_cursor *c, uint8_t *p, size_t count)
{
	const struct entry_file *f = c->file;
	size_t skip;
	ssize_t n;

	if (f != NULL && c->offset >= f->disk_bytes) {
		skip = (size_t)(c->offset - f->disk_bytes);
		if (count > buf_len(&f->tail) - skip)
			count = buf_len(&f->tail) - skip;
		memcpy(p, buf_head(&f->tail) + skip, count);
		return (ssize_t)count;
	}
	do
		n = pread(
		    f != NULL ? f->fd : c->fd, p, count, (off_t)c->offset);
	while (n == -1 && errno == EINTR);
	return n;
}

/*
 * Read on. Returns 1, 0 if nothing more is there, or -1 with err. The buffer
 * grows beyond a block only for an entry that is larger.
 */
static int
cursor_fill(struct entry_cursor *c, struct error *err)
{
	uint64_t length =
	    c->file != NULL ? entry_file_length(c->file) : c->length;
	size_t have = buf_len(&c->in);
	size_t count = have < BLOCK_BYTES ? BLOCK_BYTES - have : BLOCK_BYTES;
	uint8_t *p;
	ssize_t n;

	if (c->offset == length)
		return 0;
	if (count > length - c->offset)
		count = (size_t)(length - c->offset);
	p = buf_reserve(&c->in, count);
	if (p == NULL)
		return error_set(err, "list of files: a frame is too long");
	n = cursor_read(c, p, count);
	if (n == -1)
		return error_set(err, "list of files: %s", strerror(errno));
	if (n == 0)
		return error_set(err, "list of files: it is cut short");
	buf_advance(&c->in, (size_t)n);
	c->offset += (uint64_t)n;
	return 1;
}

static int
entry_read(const struct frame *frame, struct msg_entry *e)
{
	if (frame->type != FRAME_ENTRY || frame_read(frame, e) == -1 ||
	    e->type > ENTRY_DIR_END)
		return -1;
	return e->sha256.len == 0 || e->sha256.len == DIGEST_BYTES ? 0 : -1;
}

int
entry_next(struct entry_cursor *c, struct msg_entry *e, struct error *err)
{
	struct frame frame;
	ssize_t size;
	int rc;

	buf_consume(&c->in, c->used);
	c->used = 0;
	while ((size = frame_peek(&c->in, &frame)) == 0) {
		rc = cursor_fill(c, err);
		if (rc == 0 && buf_len(&c->in) > 0)
			return error_set(err, "list of files: it is cut short");
		if (rc != 1)
			return rc;
	}
	if (size == -1 || entry_read(&frame, e) == -1)
		return error_set(err, "list of files: it is malformed");
	c->used = (size_t)size;
	return 1;
}
