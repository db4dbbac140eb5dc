/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * buf: a byte queue with a maximum from birth. Bytes are appended at the tail
 * and consumed at the head; the content is always contiguous.
 */
#ifndef UTIL_BUF_H
#define UTIL_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *data;
	size_t head;   /* first byte not consumed */
	size_t tail;   /* one past the last byte */
	size_t size;   /* allocated */
	size_t max;    /* content never exceeds this many bytes */
	bool is_wiped; /* what is consumed is overwritten at once */
};

void buf_init(struct buf *b, size_t max_bytes);
/* For secrets that pass through: as buf_init(), but with is_wiped. */
void buf_init_wiped(struct buf *b, size_t max_bytes);
/* Wipe and free the storage; b is then empty, as it was made. */
void buf_clear(struct buf *b);
/* What is in it, up to a NUL byte, as a string, which the caller frees; then
 * buf_clear(). */
char *buf_take_string(struct buf *b);

static inline size_t
buf_len(const struct buf *b)
{
	return b->data != NULL ? b->tail - b->head : 0;
}

static inline uint8_t *
buf_head(const struct buf *b)
{
	return b->data != NULL ? b->data + b->head : NULL;
}

/*
 * Room for count more bytes. Returns where to write them, or NULL if the
 * maximum would be exceeded. The bytes count only after buf_advance().
 */
uint8_t *buf_reserve(struct buf *b, size_t count);
void buf_advance(struct buf *b, size_t count);

/* Drop count bytes at the head; count is at most buf_len(). */
void buf_consume(struct buf *b, size_t count);

/* These append, and return 0, or -1 (nothing appended) over the maximum. */
int buf_append(struct buf *b, const void *data, size_t count);
int buf_puts(struct buf *b, const char *s);
int buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Big-endian, as in RFC 4251 section 5. */
int buf_put_u8(struct buf *b, uint8_t v);
int buf_put_u32(struct buf *b, uint32_t v);
int buf_put_u64(struct buf *b, uint64_t v);
/* A "string" of RFC 4251: length in 4 bytes, then the bytes. */
int buf_put_string(struct buf *b, const void *data, size_t count);

/*
 * A cursor over bytes that came from elsewhere. Each get returns 0, or -1 if
 * the bytes do not suffice, and then the cursor stays failed: left is 0.
 */
struct cursor {
	const uint8_t *p;
	size_t left;
};

int cursor_get_u8(struct cursor *c, uint8_t *v);
int cursor_get_u32(struct cursor *c, uint32_t *v);
int cursor_get_u64(struct cursor *c, uint64_t *v);
/* *data points into the cursor's own bytes. */
int cursor_get_bytes(struct cursor *c, const uint8_t **data, size_t count);
int cursor_get_string(struct cursor *c, const uint8_t **data, size_t *count);

#endif
