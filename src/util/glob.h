/* SPDX-License-Identifier: GPL-3.0-or-later */
/* glob: patterns with "*" and "?" over names. */
#ifndef UTIL_GLOB_H
#define UTIL_GLOB_H

#include <stdbool.h>

/* True if s holds a "*" or a "?". */
bool glob_is_pattern(const char *s);

/*
 * True if the whole of name matches pattern: "*" stands for any bytes, also
 * none, "?" for one byte, all else for itself. There are no classes and no
 * escapes. The time is at most proportional to the product of both lengths.
 */
bool glob_match(const char *pattern, const char *name);

#endif
