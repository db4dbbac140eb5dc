/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/regex_size.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 100u
#define TOO_LARGE (REGEX_SIZE_MAX + 1)

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
 * How often "{m,n}" has it repeated, with *p moved to the end of that; 0 if it
 * is none.
 */
static uint64_t
repetitions(const char **p)
{
	const char *end, *comma;
	uint64_t least, most;

	if (**p != '{')
		return 0;
	end = *p + 1 + strspn(*p + 1, "0123456789,");
	if (*end != '}')
		return 0;
	comma = memchr(*p, ',', (size_t)(end - *p));
	least = strtoul(*p + 1, NULL, 10);
	most = comma != NULL ? strtoul(comma + 1, NULL, 10) : 0;
	*p = end;
	return bounded(most > least ? most : least + 1);
}

uint64_t
regex_size(const char *pattern)
{
	uint64_t sums[DEPTH_MAX] = {0}; /* of the groups that are open */
	uint64_t part = 0;		/* what may be repeated */
	uint64_t times;
	unsigned depth = 0;
	const char *p;

	for (p = pattern; *p != '\0'; p++) {
		if (*p == '+') {
			part = bounded(2 * part);
		} else if ((times = repetitions(&p)) > 0) {
			part = bounded(part * times);
		} else if (*p == ')' && depth > 0) {
			part = bounded(sums[depth--] + part + 1);
		} else if (*p != '*' && *p != '?') {
			sums[depth] = bounded(sums[depth] + part);
			part = *p != '(';
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
