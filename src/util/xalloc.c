/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "util/xalloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/log.h"

void *
xmalloc(size_t size)
{
	void *p = malloc(size > 0 ? size : 1);

	if (p == NULL)
		fatal("out of memory (%zu bytes)", size);
	return p;
}

void *
xcalloc(size_t count, size_t size)
{
	void *p = calloc(count > 0 ? count : 1, size > 0 ? size : 1);

	if (p == NULL)
		fatal("out of memory (%zu times %zu bytes)", count, size);
	return p;
}

void *
xreallocarray(void *ptr, size_t count, size_t size)
{
	void *p;

	if (size > 0 && count > SIZE_MAX / size)
		fatal("allocation too large (%zu times %zu)", count, size);
	p = realloc(ptr, count * size > 0 ? count * size : 1);
	if (p == NULL)
		fatal("out of memory (%zu times %zu bytes)", count, size);
	return p;
}

void *
xmemdup(const void *data, size_t size)
{
	void *p = xmalloc(size);

	if (size > 0)
		memcpy(p, data, size);
	return p;
}

char *
xstrdup(const char *s)
{
	return xmemdup(s, strlen(s) + 1);
}

char *
xstrndup(const char *s, size_t max_bytes)
{
	size_t len = strnlen(s, max_bytes);
	char *p = xmalloc(len + 1);

	memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

char *
xconcat(const char *a, const char *b, const char *c)
{
	size_t a_len = strlen(a), b_len = strlen(b), c_len = strlen(c);
	char *s = xmalloc(a_len + b_len + c_len + 1);

	memcpy(mempcpy(mempcpy(s, a, a_len), b, b_len), c, c_len + 1);
	return s;
}

char *
xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (len == -1)
		fatal("out of memory (formatting)");
	return s;
}
