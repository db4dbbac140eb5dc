/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * manifest_walk: the walk over one local tree, for manifest.c.
 *
 * It goes from descriptor to descriptor, never by long paths, so that a
 * directory which is replaced by a symlink meanwhile leads nowhere else. A
 * path that is too deep for the descriptors is gone back up by its name, but
 * then it must be the directory that it was (device and inode).
 */
#ifndef CONTROL_MANIFEST_WALK_H
#define CONTROL_MANIFEST_WALK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/manifest.h"
#include "util/error.h"
#include "wire/entry_file.h"

struct walk_level; /* a directory that the walk is in */

struct walk {
	struct manifest *m; /* its counts are kept */
	const struct manifest_options *options;
	struct entry_file *out;
	bool is_alone;	       /* there is nothing else to send */
	bool has_all;	       /* m->trees is "/" */
	uint64_t specials;     /* passed over */
	char source[PATH_MAX]; /* where the walk is */
	size_t len;	       /* of it */
	size_t below; /* from here on it is the path at the destination */
	struct walk_level *levels;
	size_t depth, room;
};

/* m, options and out must outlive w. */
void walk_init(struct walk *w, struct manifest *m,
    const struct manifest_options *options, struct entry_file *out);
/* Tell how much was left out beyond what was told already; free. */
void walk_end(struct walk *w);

/*
 * Write down what is at local. name, a part of local, is what it is called at
 * the destination; NULL: the content of a directory goes. Returns 0, or -1
 * with err as manifest_build() does.
 */
int walk_local(
    struct walk *w, const char *local, const char *name, struct error *err);

#endif
