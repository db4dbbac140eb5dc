/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Only the last "*" ever needs a second try: what an earlier one took can
 * stay as it is, because the later one can take the rest. So one place to go
 * back to is enough, and there is no recursion.
 */
#include "config.h"

#include "util/glob.h"

#include <stddef.h>
#include <string.h>

bool
glob_is_pattern(const char *s)
{
	return strpbrk(s, "*?") != NULL;
}

bool
glob_match(const char *pattern, const char *name)
{
	const char *star = NULL, *retry = NULL;

	while (*name != '\0') {
		if (*pattern == '*') {
			star = pattern++;
			retry = name;
		} else if (*pattern == '?' || *pattern == *name) {
			pattern++;
			name++;
		} else if (star != NULL) {
			pattern = star + 1;
			name = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}
