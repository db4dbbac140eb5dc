/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * select: from -h, -g, -x, -hostfile and -rerun to the hosts of a run, in
 * order.
 */
#ifndef INVENTORY_SELECT_H
#define INVENTORY_SELECT_H

#include <stddef.h>

#include "inventory/inventory.h"

enum choice_kind {
	CHOICE_HOSTS,	 /* -h: a host set expression */
	CHOICE_GROUPS,	 /* -g: group names, "," between, globs and ranges */
	CHOICE_EXCLUDE,	 /* -x: a host set expression, @group included */
	CHOICE_HOSTFILE, /* -hostfile: path or "-" for stdin */
};

/* One option as given; the order of the options is the order of the hosts. */
struct choice {
	enum choice_kind kind;
	const char *text;
};

/* What there was before exclusions. */
struct select_counts {
	size_t chosen;
	size_t unrecorded; /* of them, those that recorded lacks */
};

/*
 * Expand the choices into names: all that add in their order, then the
 * exclusions taken out. Duplicates once. In a hostfile each line is an
 * expression; "#" starts a comment. An -x that matches nothing is no error.
 * A bare name given to -h that is no inventory host is an ad hoc host.
 * among: the hosts of an earlier run (NULL: none), in whose order those of them
 * are taken that the choices add; all of them if no choice adds any. Behind
 * these come, unless recorded is NULL, those that the choices add and that are
 * not in recorded.
 * counts may be NULL. Returns the names (caller frees), or NULL with err
 * filled. An empty result is not an error here.
 */
struct hostset *select_names(const struct inventory *inv,
    const struct hostset *among, const struct hostset *recorded,
    const struct choice *choices, size_t count, struct select_counts *counts,
    struct error *err);

/*
 * Resolve every name. Returns an array of hostset_count(names) hosts, owned
 * by the caller (host_clear() each, then free()), or NULL with err filled.
 */
struct host *select_resolve(const struct inventory *inv,
    const struct hostset *names, const struct host_overrides *overrides,
    struct error *err);

#endif
