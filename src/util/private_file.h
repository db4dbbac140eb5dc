/* SPDX-License-Identifier: GPL-3.0-or-later */
/* private_file: what others than the user and root can do with a file. */
#ifndef UTIL_PRIVATE_FILE_H
#define UTIL_PRIVATE_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "util/error.h"

/*
 * Whether others than the user and root own the file that st is of, and could
 * change its mode, or have any of these modes (permission bits) to it already.
 */
bool file_is_open_to_others(const struct stat *st, mode_t modes);

/*
 * Refuse the file at path, which is the one that st is of, if others than the
 * user and root can read or change it, or own it, so that they could. Whoever
 * can put another file in its place, through a link or a directory, puts one of
 * his own there. What is no regular file has no content to read: a pipe is
 * fine. Returns 0, or -1 with err, which tells path, mode and what mends it.
 */
int private_file_check(
    const struct stat *st, const char *path, struct error *err);

#endif
