/* SPDX-License-Identifier: GPL-3.0-or-later */
/* quote: words for a POSIX shell (XCU 2.2.2, single quotes). */
#ifndef UTIL_QUOTE_H
#define UTIL_QUOTE_H

#include "util/buf.h"

/*
 * Append word so that a shell reads exactly it: in single quotes, unless it
 * is plain. Returns 0, or -1 if out is full.
 */
int quote_shell(struct buf *out, const char *word);

/*
 * The same, for a line that is shown: a word that has control characters, or
 * others that a terminal is not to get, is written in ASCII as $'...' (POSIX
 * 2024, bash, zsh, ksh).
 */
int quote_shell_line(struct buf *out, const char *word);

/* The same for a path, which no program takes for an option then. */
int quote_path_line(struct buf *out, const char *path);

#endif
