/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "worker/heap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

/*
 * A block of a cipher, EVP_MAX_BLOCK_LENGTH: libssh2 1.11 writes all of it for
 * a packet that is said to be shorter (CVE-2026-66035).
 */
#define LEAST_BYTES 32u

/* Stands before each block; its size keeps the data aligned as by malloc. */
struct heap_block {
	_Alignas(max_align_t) struct heap_block *next;
	struct heap_block **link; /* what points to this block */
	size_t size;
};

void
heap_init(struct heap *h, size_t max_bytes, heap_freed freed, void *ctx)
{
	memset(h, 0, sizeof(*h));
	h->max_bytes = max_bytes;
	h->wipe = true;
	h->freed = freed;
	h->freed_ctx = ctx;
}

void
heap_clear(struct heap *h)
{
	struct heap_block *b, *next;

	h->freed = NULL;
	for (b = h->blocks; b != NULL; b = next) {
		next = b->next;
		heap_free(h, b + 1);
	}
}

void *
heap_alloc(struct heap *h, size_t size)
{
	struct heap_block *b;

	if (size > h->max_bytes - h->used_bytes)
		return NULL;
	b = xmalloc(sizeof(*b) + (size < LEAST_BYTES ? LEAST_BYTES : size));
	b->size = size;
	b->next = h->blocks;
	b->link = &h->blocks;
	if (b->next != NULL)
		b->next->link = &b->next;
	h->blocks = b;
	h->used_bytes += size;
	return b + 1;
}

void *
heap_realloc(struct heap *h, void *p, size_t size)
{
	struct heap_block *old = p != NULL ? (struct heap_block *)p - 1 : NULL;
	void *new = heap_alloc(h, size);

	if (new != NULL && old != NULL) {
		memcpy(new, p, old->size < size ? old->size : size);
		heap_free(h, p);
	}
	return new;
}

void
heap_free(struct heap *h, void *p)
{
	struct heap_block *b;

	if (p == NULL)
		return;
	b = (struct heap_block *)p - 1;
	if (h->freed != NULL)
		h->freed(h->freed_ctx, p, b->size);
	*b->link = b->next;
	if (b->next != NULL)
		b->next->link = b->link;
	h->used_bytes -= b->size;
	if (h->wipe)
		explicit_bzero(p, b->size);
	free(b);
}

void *
heap_find(const struct heap *h, const char *text)
{
	size_t len = strlen(text);
	struct heap_block *b;

	for (b = h->blocks; b != NULL; b = b->next) {
		if (b->size >= len && memcmp(b + 1, text, len) == 0)
			return b + 1;
	}
	return NULL;
}
