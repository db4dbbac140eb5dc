/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "util/namelist.h"

#include <string.h>

bool
namelist_has(const char *list, const char *name, size_t len)
{
	size_t n;

	for (; *list != '\0'; list += n + (list[n] == ',')) {
		n = strcspn(list, ",");
		if (n == len && strncmp(list, name, len) == 0)
			return true;
	}
	return false;
}
