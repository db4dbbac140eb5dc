/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "util/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

void
buf_init(struct buf *b, size_t max_bytes)
{
	memset(b, 0, sizeof(*b));
	b->max = max_bytes;
}

void
buf_init_wiped(struct buf *b, size_t max_bytes)
{
	buf_init(b, max_bytes);
	b->is_wiped = true;
}

void
buf_clear(struct buf *b)
{
	bool is_wiped = b->is_wiped;

	if (b->data != NULL)
		explicit_bzero(b->data, b->size);
	free(b->data);
	buf_init(b, b->max);
	b->is_wiped = is_wiped;
}

char *
buf_take_string(struct buf *b)
{
	char *s = b->data != NULL
	    ? xstrndup((const char *)buf_head(b), buf_len(b))
	    : xstrdup("");

	buf_clear(b);
	return s;
}

uint8_t *
buf_reserve(struct buf *b, size_t count)
{
	size_t len = buf_len(b), size;
	uint8_t *data;

	if (count > b->max || len > b->max - count)
		return NULL;
	if (b->size - b->tail >= count && b->data != NULL)
		return b->data + b->tail;
	/* Moving is cheap if at least half of the storage was consumed. */
	if (b->head >= b->size / 2 && b->size - len >= count &&
	    b->data != NULL) {
		memmove(b->data, b->data + b->head, len);
		/* A part of a secret may have stood there. */
		explicit_bzero(b->data + len, b->tail - len);
	} else {
		size = b->size > 0 ? b->size : 256;
		while (size - len < count)
			size *= 2;
		data = xmalloc(size);
		if (b->data != NULL) {
			memcpy(data, b->data + b->head, len);
			explicit_bzero(b->data, b->size);
			free(b->data);
		}
		b->data = data;
		b->size = size;
	}
	b->head = 0;
	b->tail = len;
	return b->data + b->tail;
}

void
buf_advance(struct buf *b, size_t count)
{
	b->tail += count;
}

void
buf_consume(struct buf *b, size_t count)
{
	if (b->is_wiped && count > 0)
		explicit_bzero(b->data + b->head, count);
	b->head += count;
	if (b->head == b->tail)
		b->head = b->tail = 0;
}

int
buf_append(struct buf *b, const void *data, size_t count)
{
	uint8_t *p = buf_reserve(b, count);

	if (p == NULL)
		return -1;
	if (count > 0)
		memcpy(p, data, count);
	b->tail += count;
	return 0;
}

int
buf_puts(struct buf *b, const char *s)
{
	return buf_append(b, s, strlen(s));
}

int
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	uint8_t *p;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0 || (p = buf_reserve(b, (size_t)len + 1)) == NULL)
		return -1;
	va_start(ap, fmt);
	vsnprintf((char *)p, (size_t)len + 1, fmt, ap);
	va_end(ap);
	b->tail += (size_t)len;
	return 0;
}

int
buf_put_u8(struct buf *b, uint8_t v)
{
	return buf_append(b, &v, 1);
}

int
buf_put_u32(struct buf *b, uint32_t v)
{
	uint8_t be[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16),
	    (uint8_t)(v >> 8), (uint8_t)v};

	return buf_append(b, be, sizeof(be));
}

int
buf_put_u64(struct buf *b, uint64_t v)
{
	uint8_t *p = buf_reserve(b, 8);

	if (p == NULL)
		return -1;
	buf_put_u32(b, (uint32_t)(v >> 32));
	return buf_put_u32(b, (uint32_t)v);
}

int
buf_put_string(struct buf *b, const void *data, size_t count)
{
	if (count > UINT32_MAX - 4 || buf_reserve(b, count + 4) == NULL)
		return -1;
	buf_put_u32(b, (uint32_t)count);
	return buf_append(b, data, count);
}

int
cursor_get_bytes(struct cursor *c, const uint8_t **data, size_t count)
{
	if (count > c->left) {
		c->left = 0;
		return -1;
	}
	*data = c->p;
	c->p += count;
	c->left -= count;
	return 0;
}

int
cursor_get_u8(struct cursor *c, uint8_t *v)
{
	const uint8_t *p;

	if (cursor_get_bytes(c, &p, 1) == -1)
		return -1;
	*v = p[0];
	return 0;
}

int
cursor_get_u32(struct cursor *c, uint32_t *v)
{
	const uint8_t *p;

	if (cursor_get_bytes(c, &p, 4) == -1)
		return -1;
	*v = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
	    p[3];
	return 0;
}

int
cursor_get_u64(struct cursor *c, uint64_t *v)
{
	uint32_t high, low;

	if (cursor_get_u32(c, &high) == -1 || cursor_get_u32(c, &low) == -1)
		return -1;
	*v = (uint64_t)high << 32 | low;
	return 0;
}

int
cursor_get_string(struct cursor *c, const uint8_t **data, size_t *count)
{
	uint32_t len;

	if (cursor_get_u32(c, &len) == -1 ||
	    cursor_get_bytes(c, data, len) == -1)
		return -1;
	*count = len;
	return 0;
}
