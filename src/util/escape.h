/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * escape: bytes of a host for the eyes of a person. What could drive a
 * terminal or mislead its reader is shown, not sent: control characters but
 * tab, escape sequences, C1 controls, invalid UTF-8, bidirectional overrides,
 * characters that take no room.
 */
#ifndef UTIL_ESCAPE_H
#define UTIL_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "util/buf.h"

/* Append len bytes of data to out, escaped as \xNN and \u{NNNN}. */
void escape_append(struct buf *out, const void *data, size_t len);

/* The same for a string; the caller frees the result. */
char *escape_string(const char *s);

/* Whether that would be the same. */
bool escape_is_needless(const char *s);

#endif
