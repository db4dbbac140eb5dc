/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * store: what hosts have sent, kept until it can be shown. Up to a limit it is
 * in memory, what comes then is in a temporary file without a name, so that
 * memory does not grow with what hosts send.
 */
#ifndef REPORT_STORE_H
#define REPORT_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

/* A sequence of bytes in a store that grows at its end; all zero if empty. */
struct blob {
	uint64_t size; /* bytes in all */
	struct extent *extents;
	size_t extent_count;
	uint8_t *tail; /* what came after them */
	uint32_t tail_len, tail_size;
};

/*
 * memory_max: bytes that may be in memory; over it each blob still has up to
 * STORE_PIECE of its last ones there.
 */
#define STORE_PIECE (8u << 10)
struct store *store_new(size_t memory_max);
/* The blobs are to be cleared before. */
void store_free(struct store *s);

/*
 * Whether the file could not be written or read: then bytes are missing. It
 * has been told with log_error().
 */
bool store_is_broken(const struct store *s);
/* Bytes of all blobs in memory. */
size_t store_memory(const struct store *s);

void blob_append(struct store *s, struct blob *b, const void *data, size_t len);
/* Nothing is appended any more: take no more memory than that needs. */
void blob_seal(struct store *s, struct blob *b);
/*
 * Copy up to len bytes from offset on; returns how many that were. Fewer come
 * at the end, or if the store is broken.
 */
size_t blob_read(struct store *s, const struct blob *b, uint64_t offset,
    void *data, size_t len);
/* Give back its memory and its part of the file. */
void blob_clear(struct store *s, struct blob *b);

#endif
