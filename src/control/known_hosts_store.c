/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A line is found through
 *
 *  - by_name, if its names are plain: each name leads to the line;
 *  - by_key, if its names are hashed: the key leads to the line, and then the
 *    name is matched;
 *  - by_revoked_key, likewise, if it is a @revoked line and its names are
 *    hashed or patterns;
 *  - always, the lines that every look-up tries: patterns, and hashed names
 *    after a marker that is not understood;
 *  - hashed, besides by_key: the unmarked lines with hashed names, tried one
 *    by one for another key of the name when no line holds the key presented.
 *
 * @cert-authority lines say nothing about plain keys and are dropped.
 */
#include "config.h"

#include "control/known_hosts_store.h"

#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

#define NONE UINT32_MAX

struct index_entry {
	uint32_t hash;
	uint32_t line;
	uint32_t next; /* entry in the same bucket, or NONE */
};

/*
 * Hashes to lines, which the caller then compares. Buckets keep the files'
 * order.
 */
struct index {
	struct index_entry *entries;
	size_t count;
	size_t size;
	uint32_t *heads; /* a bucket's first and last entry, or NONE; as many */
	uint32_t *tails; /* buckets as there is room for entries */
};

struct line_list {
	uint32_t *lines;
	size_t count;
	size_t size;
};

struct known_store {
	struct known_line *lines;
	size_t count;
	size_t size;
	struct index by_name;
	struct index by_key;
	struct index by_revoked_key;
	struct line_list always;
	struct line_list hashed;
	uint32_t types;
	EVP_MAC_CTX *hmac; /* for known_line_matches() */
};

struct known_store *
known_store_new(void)
{
	return xcalloc(1, sizeof(struct known_store));
}

static void
index_clear(struct index *index)
{
	free(index->entries);
	free(index->heads);
	free(index->tails);
}

void
known_store_free(struct known_store *store)
{
	size_t i;

	if (store == NULL)
		return;
	for (i = 0; i < store->count; i++)
		free(store->lines[i].name);
	free(store->lines);
	index_clear(&store->by_name);
	index_clear(&store->by_key);
	index_clear(&store->by_revoked_key);
	free(store->always.lines);
	free(store->hashed.lines);
	EVP_MAC_CTX_free(store->hmac);
	free(store);
}

/* FNV-1a; letters count as lower-case. */
static uint32_t
text_hash(const char *text, size_t len, bool is_name)
{
	uint32_t hash = UINT32_C(2166136261);
	size_t i;
	char c;

	for (i = 0; i < len; i++) {
		c = text[i];
		if (is_name && c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		hash = (hash ^ (uint8_t)c) * UINT32_C(16777619);
	}
	return hash;
}

static void
index_link(struct index *index, uint32_t i)
{
	struct index_entry *entry = &index->entries[i];
	size_t bucket = entry->hash & (index->size - 1);

	entry->next = NONE;
	if (index->heads[bucket] == NONE)
		index->heads[bucket] = i;
	else
		index->entries[index->tails[bucket]].next = i;
	index->tails[bucket] = i;
}

static void
index_add(struct index *index, uint32_t hash, uint32_t line)
{
	size_t i;

	if (index->count == index->size) {
		index->size = index->size > 0 ? index->size * 2 : 256;
		index->entries = xreallocarray(
		    index->entries, index->size, sizeof(*index->entries));
		index->heads = xreallocarray(
		    index->heads, index->size, sizeof(*index->heads));
		index->tails = xreallocarray(
		    index->tails, index->size, sizeof(*index->tails));
		for (i = 0; i < index->size; i++)
			index->heads[i] = NONE;
		for (i = 0; i < index->count; i++)
			index_link(index, (uint32_t)i);
	}
	index->entries[index->count] =
	    (struct index_entry){.hash = hash, .line = line};
	index_link(index, (uint32_t)index->count++);
}

/* The first entry with this hash from entry i on, or NONE. */
static uint32_t
index_seek(const struct index *index, uint32_t hash, uint32_t i)
{
	while (i != NONE && index->entries[i].hash != hash)
		i = index->entries[i].next;
	return i;
}

static uint32_t
index_first(const struct index *index, uint32_t hash)
{
	if (index->size == 0)
		return NONE;
	return index_seek(index, hash, index->heads[hash & (index->size - 1)]);
}

static uint32_t
index_next(const struct index *index, uint32_t hash, uint32_t i)
{
	return index_seek(index, hash, index->entries[i].next);
}

static void
list_add(struct line_list *list, uint32_t line)
{
	if (list->count == list->size) {
		list->size = list->size > 0 ? list->size * 2 : 64;
		list->lines = xreallocarray(
		    list->lines, list->size, sizeof(*list->lines));
	}
	list->lines[list->count++] = line;
}

static void
index_names(struct index *index, const struct known_line *line, uint32_t i)
{
	const char *name = line->names, *end = name + line->names_len, *comma;

	for (; name < end; name = comma + 1) {
		comma = memchr(name, ',', (size_t)(end - name));
		if (comma == NULL)
			comma = end;
		index_add(
		    index, text_hash(name, (size_t)(comma - name), true), i);
	}
}

static void
index_key(struct index *index, const struct known_line *line, uint32_t i)
{
	index_add(index, text_hash(line->key, line->key_len, false), i);
}

void
known_store_add(struct known_store *store, const struct known_line *line)
{
	uint32_t i = (uint32_t)store->count;

	if (line->marker == MARKER_CA || store->count == NONE)
		return;
	if (store->count == store->size) {
		store->size = store->size > 0 ? store->size * 2 : 256;
		store->lines = xreallocarray(
		    store->lines, store->size, sizeof(*store->lines));
	}
	store->lines[store->count++] = *line;
	if (line->marker == MARKER_NONE)
		store->types |= key_type_bit(line->type);
	if (line->kind == NAMES_EXACT) {
		index_names(&store->by_name, line, i);
	} else if (line->marker == MARKER_REVOKED) {
		index_key(&store->by_revoked_key, line, i);
	} else if (line->marker == MARKER_NONE && line->kind == NAMES_HASHED) {
		index_key(&store->by_key, line, i);
		list_add(&store->hashed, i);
	} else {
		list_add(&store->always, i);
	}
}

uint32_t
known_store_types(const struct known_store *store)
{
	return store->types;
}

/* Who asks what: the key to look for and what was found so far. */
struct query {
	const char *name;
	const char *key;
	size_t key_len;
	const struct key_type *type;
	struct known_match *match;
};

/* Take a line into account if it is for the name. */
static void
consider(struct known_store *store, const struct query *q, uint32_t i)
{
	struct known_line *line = &store->lines[i];
	struct known_match *m = q->match;
	bool is_equal = known_line_holds(line, q->key, q->key_len);

	if ((line->marker == MARKER_REVOKED && !is_equal) ||
	    !known_line_matches(line, q->name, &store->hmac))
		return;
	if (line->marker == MARKER_REVOKED) {
		m->revoked = line;
	} else if (line->marker == MARKER_NOT_UNDERSTOOD) {
		m->refused = line;
	} else {
		m->types |= key_type_bit(line->type);
		if (is_equal && m->equal == NULL)
			m->equal = line;
		if (!is_equal &&
		    (m->other == NULL ||
			(m->other->type != q->type && line->type == q->type)))
			m->other = line;
	}
}

/* Same hash of the key; is it the same key? */
static void
consider_equal(struct known_store *store, const struct query *q, uint32_t i)
{
	if (known_line_holds(&store->lines[i], q->key, q->key_len))
		consider(store, q, i);
}

void
known_store_find(struct known_store *store, const char *name, const char *key,
    const struct key_type *type, struct known_match *match)
{
	struct query q = {name, key, strlen(key), type, match};
	uint32_t hash, i;
	size_t n;

	hash = text_hash(name, strlen(name), true);
	for (i = index_first(&store->by_name, hash); i != NONE;
	     i = index_next(&store->by_name, hash, i))
		consider(store, &q, store->by_name.entries[i].line);
	for (n = 0; n < store->always.count; n++)
		consider(store, &q, store->always.lines[n]);
	hash = text_hash(key, q.key_len, false);
	for (i = index_first(&store->by_revoked_key, hash); i != NONE;
	     i = index_next(&store->by_revoked_key, hash, i))
		consider_equal(
		    store, &q, store->by_revoked_key.entries[i].line);
}

void
known_store_find_equal(struct known_store *store, const char *name,
    const char *key, const struct key_type *type, struct known_match *match)
{
	struct query q = {name, key, strlen(key), type, match};
	uint32_t hash = text_hash(key, q.key_len, false), i;

	/* One is enough: hosts may share a key, and each line costs an HMAC. */
	for (i = index_first(&store->by_key, hash);
	     i != NONE && match->equal == NULL;
	     i = index_next(&store->by_key, hash, i))
		consider_equal(store, &q, store->by_key.entries[i].line);
}

void
known_store_find_hashed(struct known_store *store, const char *name,
    const char *key, const struct key_type *type, struct known_match *match)
{
	struct query q = {name, key, strlen(key), type, match};
	size_t n;

	for (n = 0; n < store->hashed.count; n++)
		consider(store, &q, store->hashed.lines[n]);
}

static uint32_t
plain_type(struct known_store *store, const char *name, uint32_t i)
{
	struct known_line *line = &store->lines[i];

	if (line->marker != MARKER_NONE || line->kind == NAMES_HASHED ||
	    !known_line_matches(line, name, &store->hmac))
		return 0;
	return key_type_bit(line->type);
}

uint32_t
known_store_plain_types(struct known_store *store, const char *name)
{
	uint32_t hash = text_hash(name, strlen(name), true), types = 0, i;
	size_t n;

	for (i = index_first(&store->by_name, hash); i != NONE;
	     i = index_next(&store->by_name, hash, i))
		types |=
		    plain_type(store, name, store->by_name.entries[i].line);
	for (n = 0; n < store->always.count; n++)
		types |= plain_type(store, name, store->always.lines[n]);
	return types;
}

char *
known_store_hash_name(struct known_store *store, const char *name)
{
	return name_hash(name, &store->hmac);
}
