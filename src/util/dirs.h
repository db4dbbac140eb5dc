/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dirs: a local directory with those above it. */
#ifndef UTIL_DIRS_H
#define UTIL_DIRS_H

#include <stddef.h>

/*
 * Make the directory at path, with those above it that are missing, mode 0777
 * less the umask. *made, unless that is NULL, is set to how much of path leads
 * to the first that was made, in bytes; 0: none was. Returns 0 also if what is
 * there is no directory; or -1 with errno, and then some may have been made.
 */
int dirs_make(const char *path, size_t *made);

/* Remove those that dirs_make() made, from path upwards, as far as empty. */
void dirs_drop(const char *path, size_t made);

#endif
