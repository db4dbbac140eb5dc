/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * content: what a host has sent on a stream, as a whole. Equal contents of many
 * hosts are kept once: they are told by their SHA-256.
 */
#ifndef REPORT_CONTENT_H
#define REPORT_CONTENT_H

#include <stddef.h>
#include <stdint.h>

#include "report/store.h"
#include "util/digest.h"

struct contents;

/* Shared by its owners. Nothing sent is no content, but NULL. */
struct content {
	struct blob blob;
	uint8_t digest[DIGEST_BYTES];
	uint32_t owners;
	struct content *next; /* of the same bucket */
};

/* Where they are kept; s outlives the set. */
struct contents *contents_new(struct store *s);
/* All contents are to be given up before. */
void contents_free(struct contents *set);

/*
 * Take the bytes of b, which is empty then, and return what stands for them;
 * digest is theirs. The caller is an owner. NULL if there are none.
 */
struct content *content_take(struct contents *set, struct blob *b,
    const uint8_t digest[static DIGEST_BYTES]);
/* One more owner; returns c. NULL is fine here and below. */
struct content *content_share(struct content *c);
/* One owner less; the last one frees it. */
void content_drop(struct contents *set, struct content *c);

/* As blob_read(); NULL has no bytes. */
size_t content_read(struct contents *set, const struct content *c,
    uint64_t offset, void *data, size_t len);
uint64_t content_size(const struct content *c);

#endif
