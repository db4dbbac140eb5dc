/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/regex_size.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 100u
#define TOO_LARGE (REGEX_SIZE_MAX + 1)
#define OPTIONAL  19u /* so much more a part is that may be left out */

static uint64_t
bounded(uint64_t size)
{
	return size < TOO_LARGE ? size : TOO_LARGE;
}

/* The end of a bracket expression that begins at p. */
static const char *
bracket_end(const char *p)
{
	const char *end;
	char close[3] = "x]";

	p++;
	if (*p == '^')
		p++;
	if (*p == ']')
		p++;
	for (; *p != '\0' && *p != ']'; p++) {
		if (*p != '[' || p[1] == '\0' || strchr(".:=", p[1]) == NULL)
			continue;
		close[0] = p[1];
		end = strstr(p + 2, close);
		if (end != NULL)
			p = end + 1;
	}
	return *p != '\0' ? p : p - 1;
}

/*
 * What "{m,n}" makes of a part, with *p moved to the end of that; false if it
 * is none.
 */
static bool
repeated(const char **p, uint64_t *part)
{
	const char *end, *comma;
	uint64_t least, most;

	if (**p != '{')
		return false;
	end = *p + 1 + strspn(*p + 1, "0123456789,");
	if (*end != '}')
		return false;
	comma = memchr(*p, ',', (size_t)(end - *p));
	least = strtoul(*p + 1, NULL, 10);
	most = comma != NULL ? strtoul(comma + 1, NULL, 10) : 0;
	*p = end;
	if (comma != NULL)
		*part += OPTIONAL;
	*part = bounded(*part * bounded(most > least ? most : least + 1));
	return true;
}

uint64_t
regex_size(const char *pattern)
{
	uint64_t sums[DEPTH_MAX] = {0}; /* of the groups that are open */
	uint64_t part = 0;		/* what may be repeated */
	unsigned depth = 0;
	const char *p;

	for (p = pattern; *p != '\0'; p++) {
		if (*p == '+' || *p == '*' || *p == '?') {
			part = bounded(2 * part + OPTIONAL);
		} else if (*p == ')' && depth > 0) {
			part = bounded(sums[depth--] + part + 1);
		} else if (!repeated(&p, &part)) {
			sums[depth] = bounded(sums[depth] + part);
			part = *p == '(' ? 0 : *p == '|' ? 1 + OPTIONAL : 1;
			if (*p == '(' && ++depth == DEPTH_MAX)
				return TOO_LARGE;
			if (*p == '(')
				sums[depth] = 0;
			else if (*p == '[')
				p = bracket_end(p);
			else if (*p == '\\' && p[1] != '\0')
				p++;
		}
	}
	for (;; depth--) {
		part = bounded(part + sums[depth]);
		if (depth == 0)
			return part;
	}
}
