/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "control/host_class.h"

#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

struct comparison {
	int (*compare)(const struct host *a, const struct host *b);
};

static int
compare_pointers(const void *a, const void *b, void *ctx)
{
	const struct host *const *x = a, *const *y = b;
	const struct comparison *by = ctx;

	return by->compare(*x, *y);
}

uint32_t *
host_classes(const struct host *hosts, uint32_t count,
    int (*compare)(const struct host *a, const struct host *b),
    uint32_t *classes)
{
	const struct host **sorted = xcalloc(count, sizeof(*sorted));
	uint32_t *class = xcalloc(count, sizeof(*class)), i, number = 0;
	struct comparison by = {compare};

	for (i = 0; i < count; i++)
		sorted[i] = &hosts[i];
	qsort_r(sorted, count, sizeof(*sorted), compare_pointers, &by);
	for (i = 0; i < count; i++) {
		if (i > 0 && compare(sorted[i - 1], sorted[i]) != 0)
			number++;
		class[sorted[i] - hosts] = number;
	}
	free(sorted);
	*classes = count > 0 ? number + 1 : 0;
	return class;
}

int
host_compare_text(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}
