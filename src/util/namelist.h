/* SPDX-License-Identifier: GPL-3.0-or-later */
/* namelist: "name-list" of RFC 4251 section 5: names with commas between. */
#ifndef UTIL_NAMELIST_H
#define UTIL_NAMELIST_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the name of len bytes is in the list. */
bool namelist_has(const char *list, const char *name, size_t len);

#endif
