/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * known_hosts_store: the entries of all known_hosts files, indexed, so that
 * the lines for a name and a key are found without reading all of them.
 */
#ifndef CONTROL_KNOWN_HOSTS_STORE_H
#define CONTROL_KNOWN_HOSTS_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/known_hosts_line.h"

struct known_store;

/* What the lines for a name say about a key. */
struct known_match {
	const struct known_line *equal;	  /* holds this key */
	const struct known_line *revoked; /* revokes this key */
	const struct known_line *refused; /* has a marker not understood */
	const struct known_line *other;	  /* holds another key, of this key's
					     type if there is such a line */
	uint32_t types; /* of all keys held, key_type_bit() each */
};

struct known_store *known_store_new(void);
void known_store_free(struct known_store *store);

/*
 * Add an entry. What it points to must outlive the store; line->name is the
 * store's from now on.
 */
void known_store_add(struct known_store *store, const struct known_line *line);

/* The types that any line holds, whatever its names. */
uint32_t known_store_types(const struct known_store *store);

/*
 * Find what lines say about key (base64, of this type, which may be NULL) for
 * name (lower-case). revoked and refused are complete; of the others what
 * hashed lines hold is missing. match starts out empty. The pointers stay
 * valid until the next known_store_add().
 */
void known_store_find(struct known_store *store, const char *name,
    const char *key, const struct key_type *type, struct known_match *match);

/* Complete equal: linear in the hashed lines that hold key, an HMAC each. */
void known_store_find_equal(struct known_store *store, const char *name,
    const char *key, const struct key_type *type, struct known_match *match);

/* Complete the rest: linear in all hashed lines, an HMAC each. */
void known_store_find_hashed(struct known_store *store, const char *name,
    const char *key, const struct key_type *type, struct known_match *match);

/* The types that lines with plain names hold for name; no HMAC. */
uint32_t known_store_plain_types(struct known_store *store, const char *name);

/* A new "|1|salt|hash" for name; caller frees. */
char *known_store_hash_name(struct known_store *store, const char *name);

#endif
