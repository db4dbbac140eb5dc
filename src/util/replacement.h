/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * replacement: a file that takes another one's place in one step: who opens
 * the path sees the old file or the new one, whole.
 */
#ifndef UTIL_REPLACEMENT_H
#define UTIL_REPLACEMENT_H

#include <stdbool.h>
#include <sys/types.h>

#include "util/error.h"

struct replacement {
	char *path;	    /* that is replaced: no symbolic link */
	char *temporary;    /* in the same directory */
	bool has_temporary; /* there is something of that name */
};

/*
 * What is at path, behind symbolic links, will be replaced. Nothing need be
 * there, but if so, a regular file that is neither our stdout nor our stderr.
 * what makes the temporary ".batch_WHAT.*", a name that this process uses for
 * nothing else and no other one at all. Returns 0, or -1 with err; in both
 * cases r is to be cleared.
 */
int replacement_init(struct replacement *r, const char *path, const char *what,
    struct error *err);
/* All zero is fine. Leaves the files alone. */
void replacement_clear(struct replacement *r);

/*
 * Create the new file, with this mode less the umask. Returns a descriptor to
 * write it, owned by the caller, or -1 with err. It has no name yet, so that
 * nothing is left of it whatever ends the process; but where the file system
 * has no files without one, it is the temporary from the beginning.
 */
int replacement_open(struct replacement *r, mode_t mode, struct error *err);
/*
 * Make the new file, which fd has open, the temporary, if it is not. Returns 0,
 * or -1 with err. To be called before fd is closed and the file committed.
 */
int replacement_name(struct replacement *r, int fd, struct error *err);
/*
 * Put the temporary in its place; it is not forced to disk. Returns 0, or -1
 * with err; then path is as it was, and there is no temporary.
 */
int replacement_commit(struct replacement *r, struct error *err);
/* Remove the temporary, if there is one; path stays as it is. */
void replacement_drop(struct replacement *r);

#endif
