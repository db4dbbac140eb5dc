/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * color: the few colours there are, as escape sequences (ECMA-48, SGR). Each
 * can be read on light and on dark backgrounds; only what failed is red.
 */
#ifndef REPORT_COLOR_H
#define REPORT_COLOR_H

#define COLOR_FAILED "\033[31m"
#define COLOR_END    "\033[0m"

/* Of a host's tag: always the same for a name. */
const char *color_of_host(const char *name);

#endif
