/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * heap: the memory of one SSH session. libssh2 allocates through it
 * (libssh2_session_init_ex), so that a session can never take more than its
 * limit, leaves nothing behind when it ends (libssh2 leaks what it holds of
 * an unfinished key exchange), and wipes what it frees.
 */
#ifndef WORKER_HEAP_H
#define WORKER_HEAP_H

#include <stdbool.h>
#include <stddef.h>

struct heap_block;

/* Called with every block that libssh2 frees, before it is gone. */
typedef void (*heap_freed)(void *ctx, const void *data, size_t size);

struct heap {
	struct heap_block *blocks; /* all that is allocated */
	size_t used_bytes;
	size_t max_bytes;
	bool wipe; /* overwrite blocks when they are freed */
	heap_freed freed;
	void *freed_ctx;
};

void heap_init(struct heap *h, size_t max_bytes, heap_freed freed, void *ctx);
/* Free all that was not freed. */
void heap_clear(struct heap *h);

/*
 * As malloc, realloc and free; NULL if the limit would be exceeded, and only
 * then. A cipher's block fits in every block.
 */
void *heap_alloc(struct heap *h, size_t size);
void *heap_realloc(struct heap *h, void *p, size_t size);
void heap_free(struct heap *h, void *p);

/* The block that begins with this text; NULL if there is none. */
void *heap_find(const struct heap *h, const char *text);

#endif
