/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/content.h"

#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

#define BUCKETS_LEAST 64u

struct contents {
	struct store *store;
	struct content **buckets;
	size_t bucket_count; /* a power of 2 */
	size_t count;
};

struct contents *
contents_new(struct store *s)
{
	struct contents *set = xcalloc(1, sizeof(*set));

	set->store = s;
	set->bucket_count = BUCKETS_LEAST;
	set->buckets = xcalloc(set->bucket_count, sizeof(*set->buckets));
	return set;
}

void
contents_free(struct contents *set)
{
	if (set == NULL)
		return;
	free(set->buckets);
	free(set);
}

static struct content **
contents_bucket(const struct contents *set, const uint8_t *digest)
{
	size_t index;

	memcpy(&index, digest, sizeof(index));
	return &set->buckets[index & (set->bucket_count - 1)];
}

static void
contents_insert(struct contents *set, struct content *c)
{
	struct content **bucket = contents_bucket(set, c->digest);

	c->next = *bucket;
	*bucket = c;
}

static void
contents_grow(struct contents *set)
{
	struct content **old = set->buckets, *c, *next;
	size_t count = set->bucket_count, i;

	set->bucket_count *= 2;
	set->buckets = xcalloc(set->bucket_count, sizeof(*set->buckets));
	for (i = 0; i < count; i++) {
		for (c = old[i]; c != NULL; c = next) {
			next = c->next;
			contents_insert(set, c);
		}
	}
	free(old);
}

struct content *
content_take(struct contents *set, struct blob *b,
    const uint8_t digest[static DIGEST_BYTES])
{
	struct content *c;

	if (b->size == 0)
		return NULL;
	for (c = *contents_bucket(set, digest); c != NULL; c = c->next) {
		if (memcmp(c->digest, digest, DIGEST_BYTES) != 0)
			continue;
		blob_clear(set->store, b);
		return content_share(c);
	}
	c = xcalloc(1, sizeof(*c));
	blob_seal(set->store, b);
	c->blob = *b;
	memset(b, 0, sizeof(*b));
	memcpy(c->digest, digest, DIGEST_BYTES);
	c->owners = 1;
	if (++set->count > set->bucket_count)
		contents_grow(set);
	contents_insert(set, c);
	return c;
}

struct content *
content_share(struct content *c)
{
	if (c != NULL)
		c->owners++;
	return c;
}

void
content_drop(struct contents *set, struct content *c)
{
	struct content **at;

	if (c == NULL || --c->owners > 0)
		return;
	for (at = contents_bucket(set, c->digest); *at != c; at = &(*at)->next)
		;
	*at = c->next;
	set->count--;
	blob_clear(set->store, &c->blob);
	free(c);
}

size_t
content_read(struct contents *set, const struct content *c, uint64_t offset,
    void *data, size_t len)
{
	return c != NULL ? blob_read(set->store, &c->blob, offset, data, len)
			 : 0;
}

uint64_t
content_size(const struct content *c)
{
	return c != NULL ? c->blob.size : 0;
}
