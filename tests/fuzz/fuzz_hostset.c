/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Host set expressions: what one stands for can be folded, and the folded
 * expression stands for the same. The input is the expression.
 */
#include "config.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "inventory/hostset.h"

/* Sets larger than this are not folded: that takes too long here. */
#define FOLD_MAX 1000

static int
add_all(const void *ctx, struct hostset *set, struct error *err)
{
	static const char *const names[] = {"db1", "web01", "web02", "web10"};
	size_t i;

	(void)ctx;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (hostset_add(set, names[i], err) == -1)
			return -1;
	}
	return 0;
}

static int
add_group(
    const void *ctx, const char *group, struct hostset *set, struct error *err)
{
	if (strcmp(group, "g") != 0)
		return error_set(err, "no such group");
	return add_all(ctx, set, err);
}

/* A new set of what expr stands for; NULL: it is refused. */
static struct hostset *
expand(const char *expr)
{
	const struct hostset_source source = {
	    .group = add_group, .all = add_all};
	struct hostset *set = hostset_new();
	struct error err = {""};
	int rc = hostset_expand(set, expr, &source, &err);

	fuzz_check_result(rc, &err);
	if (rc == 0)
		return set;
	hostset_free(set);
	return NULL;
}

/* Two sets of the same names, in any order. */
static bool
is_same(const struct hostset *a, const struct hostset *b)
{
	size_t i, count = hostset_count(a);

	for (i = 0; i < count; i++) {
		if (!hostset_has(b, hostset_name(a, i)))
			return false;
	}
	return count == hostset_count(b);
}

static void
check_names(const struct hostset *set)
{
	size_t i, count = hostset_count(set);
	const char *name;

	FUZZ_CHECK(count <= HOSTSET_MAX);
	for (i = 0; i < count; i++) {
		name = hostset_name(set, i);
		FUZZ_CHECK(name[0] != '\0' && name[0] != '-');
		FUZZ_CHECK(strlen(name) <= HOSTSET_NAME_MAX);
		FUZZ_CHECK(fuzz_is_shown(name, strlen(name)));
		FUZZ_CHECK(strpbrk(name, "/, \t\n*?!&^") == NULL);
		FUZZ_CHECK(hostset_find(set, name) == i);
	}
}

static void
check_algebra(const struct hostset *set)
{
	struct hostset *copy = hostset_new();

	FUZZ_CHECK(hostset_union(copy, set, NULL) == 0);
	hostset_intersect(copy, set);
	FUZZ_CHECK(is_same(copy, set));
	hostset_subtract(copy, set);
	FUZZ_CHECK(hostset_count(copy) == 0);
	FUZZ_CHECK(hostset_union(copy, set, NULL) == 0);
	hostset_empty(copy);
	FUZZ_CHECK(hostset_count(copy) == 0);
	FUZZ_CHECK(hostset_union(copy, set, NULL) == 0);
	FUZZ_CHECK(is_same(copy, set));
	hostset_free(copy);
}

static void
check_fold(const struct hostset *set)
{
	char *folded = hostset_fold(set), *again;
	struct hostset *back = expand(folded);

	FUZZ_CHECK(back != NULL && is_same(back, set));
	again = hostset_fold(back);
	FUZZ_CHECK(strcmp(folded, again) == 0);
	hostset_free(back);
	free(again);
	free(folded);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = {data, size};
	char *expr = fuzz_rest(&c);
	struct hostset *set = expand(expr), *again = expand(expr);

	FUZZ_CHECK((set == NULL) == (again == NULL));
	if (set != NULL) {
		FUZZ_CHECK(is_same(set, again));
		check_names(set);
		check_algebra(set);
		if (hostset_count(set) <= FOLD_MAX)
			check_fold(set);
	}
	hostset_free(again);
	hostset_free(set);
	free(expr);
	return 0;
}
