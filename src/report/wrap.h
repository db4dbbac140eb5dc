/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wrap: long lines on a terminal. */
#ifndef REPORT_WRAP_H
#define REPORT_WRAP_H

#include <stddef.h>

#include "util/buf.h"

/*
 * Append line, which ends where its string does, and a newline; in pieces of
 * at most so many columns, where there are blanks, or commas outside of the
 * brackets of a host set, to break it at. What follows is indented by 4 more
 * than the line. columns 0: in one piece. Colours take no columns.
 */
void wrap_line(struct buf *out, const char *line, size_t columns);

#endif
