/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * xalloc: allocation that does not fail. Without memory there is no run, so
 * these call fatal() instead of returning NULL. The caller owns the result
 * and frees it with free().
 */
#ifndef UTIL_XALLOC_H
#define UTIL_XALLOC_H

#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
/* Grow or shrink to count elements; the product is checked for overflow. */
void *xreallocarray(void *ptr, size_t count, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t max_bytes);
/* A copy of size bytes; size 0 gives a pointer that can be freed. */
void *xmemdup(const void *data, size_t size);
/* The three strings, one behind the other. */
char *xconcat(const char *a, const char *b, const char *c);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
