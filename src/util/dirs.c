/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "util/dirs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/xalloc.h"

int
dirs_make(const char *path, size_t *made)
{
	char *copy = xstrdup(path), *p = copy, end;
	size_t first = 0;
	int rc = 0;

	for (;;) {
		p += strspn(p, "/");
		if (*p == '\0')
			break;
		p += strcspn(p, "/");
		end = *p;
		*p = '\0';
		rc = mkdir(copy, 0777);
		if (rc == 0 && first == 0)
			first = (size_t)(p - copy);
		if (rc == -1 && errno == EEXIST)
			rc = 0;
		if (rc == -1)
			break;
		*p = end;
	}
	if (made != NULL)
		*made = first;
	free(copy);
	return rc;
}

void
dirs_drop(const char *path, size_t made)
{
	char *copy = xstrdup(path);
	size_t len = strlen(copy);

	while (made > 0 && len >= made && rmdir(copy) == 0) {
		while (len > 0 && copy[len - 1] == '/')
			len--;
		while (len > 0 && copy[len - 1] != '/')
			len--;
		while (len > 0 && copy[len - 1] == '/')
			len--;
		copy[len] = '\0';
	}
	free(copy);
}
