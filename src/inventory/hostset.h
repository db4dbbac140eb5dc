/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hostset: an ordered set of host names, and the node set syntax of
 * ClusterShell that writes and folds it: "web[01-20],db[1-9/2]!web07".
 */
#ifndef INVENTORY_HOSTSET_H
#define INVENTORY_HOSTSET_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

/* No set may hold more hosts than this (configure --enable-fuzz: fewer). */
#ifndef HOSTSET_MAX
#define HOSTSET_MAX 1000000
#endif

/* No host name may be longer than this many bytes, user and port included. */
#define HOSTSET_NAME_MAX 320

struct hostset;

struct hostset *hostset_new(void);
void hostset_free(struct hostset *set);

size_t hostset_count(const struct hostset *set);
/* The index-th name in order of insertion; owned by the set. */
const char *hostset_name(const struct hostset *set, size_t index);
/* Returns 1 if name is in the set, else 0. */
int hostset_has(const struct hostset *set, const char *name);
/* The index of name, or SIZE_MAX if it is not in the set. */
size_t hostset_find(const struct hostset *set, const char *name);
/*
 * Append a copy of name unless it is there. Returns 1 if added, 0 if it was
 * there, -1 with err filled if the set would exceed HOSTSET_MAX.
 */
int hostset_add(struct hostset *set, const char *name, struct error *err);
/* Make room for count more names, which is faster than growing on the way. */
void hostset_reserve(struct hostset *set, size_t count);
/* Take all names out of set; its cost is that of putting them in. */
void hostset_empty(struct hostset *set);
/* Add all names of other, in their order. Returns 0, or -1 as hostset_add. */
int hostset_union(
    struct hostset *set, const struct hostset *other, struct error *err);
/* Take all names of other out of set; the order of the rest stays. */
void hostset_subtract(struct hostset *set, const struct hostset *other);
/* Keep only the names that are in other too; their order stays. */
void hostset_intersect(struct hostset *set, const struct hostset *other);

/*
 * What "@group" and globs refer to. Either function may be NULL: then the
 * syntax is an error (there is no inventory).
 */
struct hostset_source {
	/*
	 * Add the members of group to set; -1 with err if there is none. The
	 * name is in lower case and may be a glob over the groups' names.
	 */
	int (*group)(const void *ctx, const char *group, struct hostset *set,
	    struct error *err);
	/* All names that a glob is matched against, in their order. */
	int (*all)(const void *ctx, struct hostset *set, struct error *err);
	const void *ctx;
	/* "web" means "@web": every operand is the name of a group. */
	bool is_all_groups;
	const char *places; /* where an inventory is looked for; may be NULL */
};

/*
 * Evaluate expr and add the result, in the order given, to set. Names are
 * folded to lower case, but for the "user" of "user@host". Operators "," "!"
 * "&" "^" bind equally, from left to right, as in ClusterShell; blanks
 * separate like ",". source may be NULL. Returns 0, or -1 with err filled
 * (and set then holds an unspecified part). The number of hosts is checked
 * before memory is taken for them. An expr of blanks is the empty set.
 */
int hostset_expand(struct hostset *set, const char *expr,
    const struct hostset_source *source, struct error *err);

/*
 * The set as one folded expression, e.g. "db1,web[01-20]", that
 * hostset_expand() reads back. Sorted as ClusterShell sorts. The caller frees
 * it. An empty set gives "".
 */
char *hostset_fold(const struct hostset *set);

#endif
