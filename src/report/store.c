/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A blob is a list of extents and a tail. The tail grows in memory; a full one
 * becomes an extent. When memory is used up, tails of more than a piece go to
 * the file instead.
 *
 * An extent of the file is reserved larger than it is needed at first, the
 * more, the larger its blob is; so the list of extents stays short, and the
 * bytes of a blob together, whatever other blobs grow at the same time. What is
 * reserved and not used is a hole in the file, and what was given back becomes
 * one.
 */
#include "config.h"

#include "report/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/fdio.h"
#include "util/log.h"
#include "util/xalloc.h"

#define TAIL_LEAST  64u
#define TAIL_MOST   (64u << 10)
#define EXTENT_MOST (16u << 20)

/* In the file at and room are multiples of STORE_PIECE. */
struct extent {
	uint8_t *data; /* in memory; NULL: in the file */
	uint64_t at;
	uint32_t len, room;
};

struct store {
	size_t memory, memory_max;
	int fd; /* -1: none yet */
	uint64_t file_end;
	bool is_broken;
};

struct store *
store_new(size_t memory_max)
{
	struct store *s = xcalloc(1, sizeof(*s));

	s->memory_max = memory_max;
	s->fd = -1;
	return s;
}

void
store_free(struct store *s)
{
	if (s == NULL)
		return;
	fd_close(&s->fd);
	free(s);
}

bool
store_is_broken(const struct store *s)
{
	return s->is_broken;
}

size_t
store_memory(const struct store *s)
{
	return s->memory;
}

/* --- the file ------------------------------------------------------------ */

static void
store_failed(struct store *s, const char *why)
{
	if (!s->is_broken)
		log_error("the output of hosts can't be kept in a temporary "
			  "file: %s; set TMPDIR to a directory with more room",
		    why);
	s->is_broken = true;
}

static void
store_write(struct store *s, const uint8_t *data, size_t len, uint64_t at)
{
	struct error err;
	ssize_t n;

	if (s->fd == -1 && !s->is_broken) {
		s->fd = fd_temporary(NULL, &err);
		if (s->fd == -1)
			store_failed(s, err.text);
	}
	while (len > 0 && !s->is_broken) {
		n = pwrite(s->fd, data, len, (off_t)at);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			store_failed(s, strerror(errno));
			return;
		}
		data += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
}

static size_t
store_read(struct store *s, uint8_t *data, size_t len, uint64_t at)
{
	size_t done = 0;
	ssize_t n;

	while (done < len && !s->is_broken) {
		n = pread(s->fd, data + done, len - done, (off_t)(at + done));
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			store_failed(
			    s, n == 0 ? "it was cut" : strerror(errno));
			break;
		}
		done += (size_t)n;
	}
	return done;
}

/* --- blobs --------------------------------------------------------------- */

static struct extent *
blob_extend(struct blob *b)
{
	struct extent *e;

	b->extents =
	    xreallocarray(b->extents, b->extent_count + 1, sizeof(*b->extents));
	e = &b->extents[b->extent_count++];
	memset(e, 0, sizeof(*e));
	return e;
}

/* A new extent at the end of the file. */
static struct extent *
blob_extend_file(struct store *s, struct blob *b)
{
	uint64_t room = b->size / STORE_PIECE * STORE_PIECE;
	struct extent *e = blob_extend(b);

	if (room < STORE_PIECE)
		room = STORE_PIECE;
	if (room > EXTENT_MOST)
		room = EXTENT_MOST;
	e->at = s->file_end;
	e->room = (uint32_t)room;
	s->file_end += room;
	return e;
}

static void
blob_spill(struct store *s, struct blob *b, const uint8_t *data, size_t len)
{
	struct extent *e =
	    b->extent_count > 0 ? &b->extents[b->extent_count - 1] : NULL;
	size_t n;

	while (len > 0) {
		if (e == NULL || e->len == e->room)
			e = blob_extend_file(s, b);
		n = e->room - e->len < len ? e->room - e->len : len;
		store_write(s, data, n, e->at + e->len);
		e->len += (uint32_t)n;
		data += n;
		len -= n;
	}
}

static void
tail_resize(struct store *s, struct blob *b, size_t size)
{
	s->memory = s->memory - b->tail_size + size;
	b->tail = xreallocarray(b->tail, size, 1);
	b->tail_size = (uint32_t)size;
}

static void
tail_free(struct store *s, struct blob *b)
{
	s->memory -= b->tail_size;
	free(b->tail);
	b->tail = NULL;
	b->tail_len = b->tail_size = 0;
}

static void
tail_spill(struct store *s, struct blob *b)
{
	blob_spill(s, b, b->tail, b->tail_len);
	tail_free(s, b);
}

/* A full tail: from now on one of the extents. */
static void
tail_keep(struct blob *b)
{
	struct extent *e = blob_extend(b);

	e->data = b->tail;
	e->len = e->room = b->tail_len;
	b->tail = NULL;
	b->tail_len = b->tail_size = 0;
}

/* At most as many bytes as make a tail. */
static void
tail_append(struct store *s, struct blob *b, const uint8_t *data, size_t len)
{
	size_t size = b->tail_size > 0 ? b->tail_size : TAIL_LEAST;

	while (size < b->tail_len + len)
		size *= 2;
	if (s->memory - b->tail_size + size > s->memory_max &&
	    b->tail_len + len > STORE_PIECE) {
		tail_spill(s, b);
		blob_spill(s, b, data, len);
		return;
	}
	if (size > b->tail_size)
		tail_resize(s, b, size);
	memcpy(b->tail + b->tail_len, data, len);
	b->tail_len += (uint32_t)len;
	if (b->tail_len == TAIL_MOST)
		tail_keep(b);
}

void
blob_append(struct store *s, struct blob *b, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t n;

	for (; len > 0; p += n, len -= n) {
		n = TAIL_MOST - b->tail_len;
		n = n < len ? n : len;
		b->size += n;
		tail_append(s, b, p, n);
	}
}

void
blob_seal(struct store *s, struct blob *b)
{
	if (s->memory > s->memory_max)
		tail_spill(s, b);
	else if (b->tail_len < b->tail_size)
		tail_resize(s, b, b->tail_len);
}

/* Copy from an extent what is there. */
static size_t
extent_read(struct store *s, const struct extent *e, size_t offset,
    uint8_t *data, size_t len)
{
	if (e->data == NULL)
		return store_read(s, data, len, e->at + offset);
	memcpy(data, e->data + offset, len);
	return len;
}

size_t
blob_read(struct store *s, const struct blob *b, uint64_t offset, void *data,
    size_t len)
{
	const struct extent *e;
	uint8_t *to = data;
	size_t done = 0, i, n, got;

	for (i = 0; i < b->extent_count && done < len; i++) {
		e = &b->extents[i];
		if (offset >= e->len) {
			offset -= e->len;
			continue;
		}
		n = e->len - (size_t)offset;
		n = n < len - done ? n : len - done;
		got = extent_read(s, e, (size_t)offset, to + done, n);
		done += got;
		if (got < n)
			return done;
		offset = 0;
	}
	if (done < len && offset < b->tail_len) {
		n = b->tail_len - (size_t)offset;
		n = n < len - done ? n : len - done;
		memcpy(to + done, b->tail + offset, n);
		done += n;
	}
	return done;
}

void
blob_clear(struct store *s, struct blob *b)
{
	bool can_punch = s->fd != -1;
	const struct extent *e;
	size_t i;

	tail_free(s, b);
	for (i = 0; i < b->extent_count; i++) {
		e = &b->extents[i];
		if (e->data != NULL) {
			s->memory -= e->room;
			free(e->data);
		} else if (can_punch) {
			/* Not every file system can: no room comes back. */
			can_punch =
			    fallocate(s->fd,
				FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				(off_t)e->at, (off_t)e->room) == 0;
		}
	}
	free(b->extents);
	memset(b, 0, sizeof(*b));
}
