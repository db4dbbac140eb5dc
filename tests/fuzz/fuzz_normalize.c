/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines without what makes no difference: never longer than they were, and the
 * same each time. The input is a byte that chooses the patterns, a line with
 * the host, and its lines.
 */
#include "config.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "report/normalize.h"
#include "util/xalloc.h"

#define SETS 4u

/*
 * Each is made once and then serves all inputs, as it serves all hosts of a
 * run: to compile the patterns takes a hundred times longer than a line.
 */
static struct normalizer *
normalizer_of(unsigned set)
{
	static const char *const patterns[SETS][2] = {
	    {"[0-9]+", NULL}, {"", "a*|b+c?"}, {"(x|xy)*z", "^.|.$"}, {NULL}};
	static const size_t counts[SETS] = {1, 2, 2, 0};
	static struct normalizer *made[SETS];
	struct error err = {""};

	if (made[set] == NULL)
		made[set] = normalizer_new(patterns[set], counts[set], &err);
	FUZZ_CHECK(made[set] != NULL);
	return made[set];
}

static void
check_line(struct normalizer *n, const uint8_t *line, size_t len)
{
	const uint8_t *out;
	size_t out_len, again_len;
	uint8_t *first;

	normalizer_line(n, line, len, &out, &out_len);
	FUZZ_CHECK(out_len <= len);
	FUZZ_CHECK(len <= NORMALIZE_LINE_MAX || out == line);
	first = xmemdup(out, out_len);
	normalizer_line(n, line, len, &out, &again_len);
	FUZZ_CHECK(again_len == out_len);
	FUZZ_CHECK(out_len == 0 || memcmp(first, out, out_len) == 0);
	free(first);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = {data, size};
	struct normalizer *n;
	const uint8_t *nl;
	uint8_t set = 0;
	char *host;
	size_t len;

	cursor_get_u8(&c, &set);
	host = fuzz_line(&c);
	n = normalizer_of(set % SETS);
	normalizer_set_host(n, host[0] != '\0' ? host : "web01.example.com");
	while (c.left > 0) {
		nl = memchr(c.p, '\n', c.left);
		len = nl != NULL ? (size_t)(nl - c.p) : c.left;
		check_line(n, c.p, len);
		c.p += len + (nl != NULL);
		c.left -= len + (nl != NULL);
	}
	free(host);
	return 0;
}
