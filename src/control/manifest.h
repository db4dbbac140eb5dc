/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * manifest: what a put sends, walked and written down once per run, before
 * any host is connected to. Every worker reads it at its own pace, so all
 * hosts get the same.
 *
 * As with rsync, a local path without a slash at its end goes under its last
 * name: "etc/app" gives the entries "app", "app/conf", ... With one
 * ("etc/app/", also ".", ".." and what ends so), a directory's content goes:
 * the directory itself is the entry "", then comes "conf". Directories are
 * ENTRY_DIR before and ENTRY_DIR_END after what is in them; names are sorted by
 * bytes.
 *
 * A symlink is sent as a symlink, unless options say to follow it; then the
 * source of a file's entry is where the link leads to in the end, so that it
 * opens with O_NOFOLLOW as any other.
 */
#ifndef CONTROL_MANIFEST_H
#define CONTROL_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/error.h"

/* Of manifest.trees. */
#define MANIFEST_TREES_MAX (1u << 20)

struct manifest_options {
	bool follow;	  /* symlinks are what they point to */
	bool has_hash;	  /* entries of files have their SHA-256 */
	bool has_sandbox; /* of the workers, for which trees is */
};

struct manifest {
	int fd;		    /* can only read; ENTRY frames from offset 0 */
	uint64_t length;    /* of it, bytes */
	uint64_t files;	    /* all entries but directories */
	uint64_t bytes;	    /* of contents */
	uint64_t left_out;  /* what should have come along, but cannot */
	char *left_out_why; /* the first of these: "path: reason", or NULL */
	/*
	 * The destination must be a directory: there are several locals, or a
	 * directory that goes under its name.
	 */
	bool is_into;
	bool is_root; /* the destination is to be the root of the one tree */
	/*
	 * Paths, each with its NUL: each source is one of these or below. If
	 * they are too many, because of symlinks that are followed, it is "/".
	 */
	struct buf trees;
};

/*
 * Walk count local paths (at least one; relative to the working directory)
 * and fill m. Returns 0, or -1 with err, and then m is empty:
 * - a path that does not exist, or has a slash at its end but is a file;
 * - the only path cannot be read, or is a special file;
 * - two paths have one name at the destination. Of directories whose contents
 *   go there, only the names of the other paths are looked for; where two of
 *   them have a name in common, the later replaces the earlier;
 * - the disk does not take the list.
 * Whatever else cannot be read, or changes at that moment, is left out, said
 * with log_error() (the first 20, then a count), and counted. Special files
 * are passed over with log_warn() (likewise); they are never opened.
 */
int manifest_build(struct manifest *m, const char *const *locals, size_t count,
    const struct manifest_options *options, struct error *err);
void manifest_clear(struct manifest *m);

#endif
