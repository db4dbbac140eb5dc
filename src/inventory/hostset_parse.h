/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pattern: one operand of a host set expression, "rack[1-2]-node[01-04]",
 * taken apart. Private to the hostset module.
 */
#ifndef INVENTORY_HOSTSET_PARSE_H
#define INVENTORY_HOSTSET_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

struct range {
	uint64_t first;
	uint64_t step;
	uint64_t count;
	int width; /* zero-padded to this many digits, 0: not padded */
};

/* Literal text and the ranges of the brackets after it. */
struct part {
	const char *literal;
	size_t literal_len;
	struct range *ranges; /* none in the last part */
	size_t range_count;
};

struct pattern {
	char *text; /* what the literals point into */
	struct part *parts;
	size_t part_count;
	size_t total; /* names it stands for, at most HOSTSET_MAX */
	bool is_glob; /* a literal holds "*" or "?" */
};

/*
 * Parse len bytes of text. Letters are folded to lower case, those before an
 * "@" excepted. Brackets that hold a ":" are an IPv6 address and literal
 * text. Returns 0, or -1 with err filled; then too, p is to be cleared.
 */
int pattern_parse(
    struct pattern *p, const char *text, size_t len, struct error *err);
void pattern_clear(struct pattern *p);

/*
 * Call emit with each name, the last range varying fastest. An emit that
 * returns -1 ends it. Returns 0, or -1 with err filled by emit.
 */
int pattern_generate(const struct pattern *p,
    int (*emit)(void *ctx, const char *name, struct error *err), void *ctx,
    struct error *err);

#endif
