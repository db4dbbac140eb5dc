/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * color: the few colours there are, as escape sequences (ECMA-48, SGR). Each
 * can be read on light and on dark backgrounds; only what failed, or is gone,
 * is red.
 */
#ifndef REPORT_COLOR_H
#define REPORT_COLOR_H

#include <stdbool.h>
#include <stddef.h>

#include "util/buf.h"

#define COLOR_BOLD    "\033[1m"
#define COLOR_FAILED  "\033[31m"
#define COLOR_REMOVED "\033[31m"
#define COLOR_ADDED   "\033[32m"
#define COLOR_HUNK    "\033[36m"
#define COLOR_END     "\033[0m"

/* The environment variable that, not empty, asks for none: no-color.org. */
#define COLOR_VARIABLE "NO_COLOR"
bool color_is_unwanted(void);

/* Append text, in the colour of what failed if is_colored. */
void color_failed(struct buf *out, bool is_colored, const char *text);

/* Of the tag of the host at that place of a run: not that of its neighbours. */
const char *color_of_host(size_t place);

#endif
