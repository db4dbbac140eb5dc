/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * groups: which hosts have sent the same and ended alike. What is the same is
 * the normalizer's to say; equal bytes are the same in any case.
 */
#ifndef REPORT_GROUPS_H
#define REPORT_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/content.h"
#include "report/ending.h"
#include "report/normalize.h"

struct member {
	uint32_t host;
	const char *name;
	const struct content *content; /* NULL: nothing was sent */
	const struct ending *ending;   /* NULL: ok */
	bool is_bare;	   /* it has no text to be shown; so is its group */
	struct text *text; /* internal */
};

struct group {
	/* In the order of hosts; the first one's text is shown. */
	const struct member *members;
	size_t count;
	uint64_t lines; /* of that text */
};

struct groups;

/* What members have is to outlive the groups. */
struct groups *groups_new(struct contents *set, struct normalizer *n);
/* NULL is fine. */
void groups_free(struct groups *g);

/* Each host once; copies m, less its text. */
void groups_add(struct groups *g, const struct member *m);

/*
 * After all members are added: do a part of the work, so that a run stays
 * awake. Returns whether there is more to do.
 */
bool groups_step(struct groups *g);

/*
 * After that. The largest group comes first, of equal ones that with the first
 * host; or, if is_ordered, that with the first host of all. Bare ones come
 * after all others, that of hosts that are ok as the last. *end is behind the
 * last group.
 */
const struct group *groups_sort(
    struct groups *g, bool is_ordered, const struct group **end);
bool group_is_bare(const struct group *g);
/* Whether they have sent the same, and only ended otherwise. */
bool group_is_alike(const struct group *g, const struct group *other);
/* The names of the members, folded. The caller frees them. */
char *group_names(const struct group *g);
/* Make one of them the first; the others keep their order. */
void groups_put_first(struct groups *g, const struct group *first);

#endif
