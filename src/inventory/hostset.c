/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The set itself: an array of names in order of insertion, and beside it an
 * open-addressing hash table of indices into that array. The table is a power
 * of two at most half full; a slot holds index + 1, so that 0 is empty. The
 * hash of each name is kept, which makes growing cheap and spares most string
 * comparisons. Names leave the set only in bulk (difference, intersection):
 * the array is closed up and the table is filled anew, so there are no
 * tombstones; or they all leave, in the reverse order in which they came.
 *
 * The names themselves stand in blocks of growing size, which never move and
 * are freed together.
 *
 * The expressions are in hostset_expr.c, their operands in hostset_parse.c,
 * folding is in hostset_fold.c.
 */
#include "config.h"

#include "inventory/hostset.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/hash.h"
#include "util/xalloc.h"

#define BLOCK_FIRST 64
#define BLOCK_MAX   65536

struct block {
	struct block *next;
	size_t size;
	size_t used;
	char names[];
};

struct entry {
	const char *name;
	uint32_t hash;
};

struct hostset {
	struct entry *entries;
	size_t count;
	size_t size; /* of entries */
	uint32_t *slots;
	size_t slot_count;    /* a power of two, or 0 */
	struct block *blocks; /* the latest first */
};

struct hostset *
hostset_new(void)
{
	return xcalloc(1, sizeof(struct hostset));
}

static void
free_blocks(struct block *b)
{
	struct block *next;

	for (; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
}

void
hostset_free(struct hostset *set)
{
	if (set == NULL)
		return;
	free_blocks(set->blocks);
	free(set->entries);
	free(set->slots);
	free(set);
}

size_t
hostset_count(const struct hostset *set)
{
	return set->count;
}

const char *
hostset_name(const struct hostset *set, size_t index)
{
	return set->entries[index].name;
}

static uint32_t
hash_name(const char *name)
{
	return hash_fold(hash_add(HASH_START, name, strlen(name)));
}

/* The slot that holds name, or the empty one where it would go. */
static size_t
find_slot(const struct hostset *set, const char *name, uint32_t hash)
{
	const struct entry *e;
	size_t mask = set->slot_count - 1, slot = hash & mask;

	while (set->slots[slot] != 0) {
		e = &set->entries[set->slots[slot] - 1];
		if (e->hash == hash && strcmp(e->name, name) == 0)
			break;
		slot = (slot + 1) & mask;
	}
	return slot;
}

/* Fill the table anew; the names are known to be distinct. */
static void
refill(struct hostset *set)
{
	size_t i, slot, mask = set->slot_count - 1;

	if (set->slot_count == 0)
		return;
	memset(set->slots, 0, set->slot_count * sizeof(*set->slots));
	for (i = 0; i < set->count; i++) {
		slot = set->entries[i].hash & mask;
		while (set->slots[slot] != 0)
			slot = (slot + 1) & mask;
		set->slots[slot] = (uint32_t)i + 1;
	}
}

void
hostset_reserve(struct hostset *set, size_t count)
{
	size_t need, slot_count;

	if (count > HOSTSET_MAX - set->count)
		count = HOSTSET_MAX - set->count;
	need = set->count + count;
	if (need > set->size) {
		set->size = need;
		set->entries = xreallocarray(
		    set->entries, set->size, sizeof(*set->entries));
	}
	slot_count = set->slot_count > 0 ? set->slot_count : 16;
	while (slot_count / 2 < need)
		slot_count *= 2;
	if (slot_count > set->slot_count) {
		set->slot_count = slot_count;
		set->slots =
		    xreallocarray(set->slots, slot_count, sizeof(*set->slots));
		refill(set);
	}
}

size_t
hostset_find(const struct hostset *set, const char *name)
{
	size_t slot;

	if (set->count == 0)
		return SIZE_MAX;
	slot = find_slot(set, name, hash_name(name));
	return set->slots[slot] != 0 ? set->slots[slot] - 1 : SIZE_MAX;
}

int
hostset_has(const struct hostset *set, const char *name)
{
	return hostset_find(set, name) != SIZE_MAX;
}

/* A copy of name in the set's blocks. */
static const char *
keep_name(struct hostset *set, const char *name)
{
	struct block *b = set->blocks;
	size_t len = strlen(name) + 1, size = BLOCK_FIRST;
	char *copy;

	if (b == NULL || b->size - b->used < len) {
		if (b != NULL)
			size = b->size < BLOCK_MAX ? b->size * 2 : BLOCK_MAX;
		if (size < len)
			size = len;
		b = xmalloc(sizeof(*b) + size);
		b->next = set->blocks;
		b->size = size;
		b->used = 0;
		set->blocks = b;
	}
	copy = b->names + b->used;
	memcpy(copy, name, len);
	b->used += len;
	return copy;
}

/* hostset_add() of a name whose hash is known. */
static int
add_hashed(
    struct hostset *set, const char *name, uint32_t hash, struct error *err)
{
	size_t slot;

	if (set->count == set->size && set->count < HOSTSET_MAX)
		hostset_reserve(set, set->count > 8 ? set->count : 8);
	slot = find_slot(set, name, hash);
	if (set->slots[slot] != 0)
		return 0;
	if (set->count == HOSTSET_MAX)
		return error_set(err, "more than %d hosts", HOSTSET_MAX);
	set->entries[set->count].name = keep_name(set, name);
	set->entries[set->count].hash = hash;
	set->slots[slot] = (uint32_t)++set->count;
	return 1;
}

int
hostset_add(struct hostset *set, const char *name, struct error *err)
{
	return add_hashed(set, name, hash_name(name), err);
}

void
hostset_empty(struct hostset *set)
{
	const struct entry *e;

	while (set->count > 0) {
		e = &set->entries[set->count - 1];
		set->slots[find_slot(set, e->name, e->hash)] = 0;
		set->count--;
	}
	if (set->blocks != NULL) {
		free_blocks(set->blocks->next);
		set->blocks->next = NULL;
		set->blocks->used = 0;
	}
}

int
hostset_union(
    struct hostset *set, const struct hostset *other, struct error *err)
{
	const struct entry *e;
	size_t i;

	for (i = 0; i < other->count; i++) {
		e = &other->entries[i];
		if (add_hashed(set, e->name, e->hash, err) == -1)
			return -1;
	}
	return 0;
}

/* Keep the names whose membership in other is as wanted. */
static void
filter(struct hostset *set, const struct hostset *other, int wanted)
{
	size_t i, kept = 0;

	for (i = 0; i < set->count; i++) {
		if (hostset_has(other, set->entries[i].name) == wanted)
			set->entries[kept++] = set->entries[i];
	}
	if (kept < set->count) {
		set->count = kept;
		refill(set);
	}
}

void
hostset_subtract(struct hostset *set, const struct hostset *other)
{
	if (other->count > 0)
		filter(set, other, 0);
}

void
hostset_intersect(struct hostset *set, const struct hostset *other)
{
	filter(set, other, 1);
}
