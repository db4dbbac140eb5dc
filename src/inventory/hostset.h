/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hostset: an ordered set of host names, and the node set syntax of
 * ClusterShell that writes and folds it: "web[01-20],db[1-9/2]!web07".
 */
#ifndef INVENTORY_HOSTSET_H
#define INVENTORY_HOSTSET_H

#include <stddef.h>

#include "util/error.h"

/* No expression may expand past this many hosts. */
#define HOSTSET_MAX 1000000

struct hostset;

struct hostset *hostset_new(void);
void hostset_free(struct hostset *set);

size_t hostset_count(const struct hostset *set);
/* The index-th name in order of insertion; owned by the set. */
const char *hostset_name(const struct hostset *set, size_t index);
/* Returns 1 if name is in the set, else 0. */
int hostset_has(const struct hostset *set, const char *name);
/*
 * Append a copy of name unless it is there. Returns 1 if added, 0 if it was
 * there, -1 with err filled if the set would exceed HOSTSET_MAX.
 */
int hostset_add(struct hostset *set, const char *name, struct error *err);

/*
 * What "@group" and globs refer to. Either function may be NULL: then the
 * syntax is an error (there is no inventory).
 */
struct hostset_source {
	/* Add the members of group to set; -1 with err if there is none. */
	int (*group)(const void *ctx, const char *group, struct hostset *set,
	    struct error *err);
	/* All names that a glob is matched against, in their order. */
	int (*all)(const void *ctx, struct hostset *set, struct error *err);
	const void *ctx;
};

/*
 * Evaluate expr and add the result, in the order given, to set. Names are
 * folded to lower case. Operators "," "!" "&" "^" bind equally, from left to
 * right, as in ClusterShell. Returns 0, or -1 with err filled (and set then
 * holds an unspecified part). The number of hosts is checked before memory is
 * taken for them.
 */
int hostset_expand(struct hostset *set, const char *expr,
    const struct hostset_source *source, struct error *err);

/*
 * The set as one folded expression, e.g. "web[01-20],db1", that
 * hostset_expand() reads back. Sorted as ClusterShell sorts. The caller frees
 * it. An empty set gives "".
 */
char *hostset_fold(const struct hostset *set);

#endif
