/* SPDX-License-Identifier: GPL-3.0-or-later */
/* path: paths as strings, local ones and those of hosts. */
#ifndef UTIL_PATH_H
#define UTIL_PATH_H

/* What stands behind the last slash, in path itself; "" if that is its end. */
const char *path_base(const char *path);

/* DIR/NAME, NAME alone below "."; the caller frees. */
char *path_join(const char *dir, const char *name);

/* The directory that path is in: "." if it names none; the caller frees. */
char *path_parent(const char *path);

#endif
