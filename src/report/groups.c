/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Contents are one for equal bytes, so that the members of one content are
 * together when sorted by it. Each content is normalized once, as one of its
 * first host, and has the SHA-256 of that as its key. The members of one key
 * and ending are a group.
 */
#include "config.h"

#include "report/groups.h"

#include <stdlib.h>
#include <string.h>

#include "inventory/hostset.h"
#include "report/lines.h"
#include "util/digest.h"
#include "util/xalloc.h"

/* How much is read in one step. */
#define STEP_BYTES (256u << 10)

/* A content that some members have. */
struct text {
	const struct content *content;
	const char *name; /* of its first host */
	uint64_t lines;
	uint8_t key[DIGEST_BYTES];
};

struct groups {
	struct contents *contents;
	struct normalizer *normalizer;
	struct member *members;
	size_t member_count, member_size;
	struct text *texts;
	size_t text_count;
	size_t next; /* text to be normalized: its lines, if it is begun */
	bool is_begun;
	struct lines lines;
	struct digest *digest;
	struct group *groups;
	size_t group_count;
};

struct groups *
groups_new(struct contents *set, struct normalizer *n)
{
	struct groups *g = xcalloc(1, sizeof(*g));

	g->contents = set;
	g->normalizer = n;
	g->digest = digest_new();
	return g;
}

void
groups_free(struct groups *g)
{
	if (g == NULL)
		return;
	lines_clear(&g->lines);
	digest_free(g->digest);
	free(g->members);
	free(g->texts);
	free(g->groups);
	free(g);
}

void
groups_add(struct groups *g, const struct member *m)
{
	if (g->member_count == g->member_size) {
		g->member_size = g->member_size > 0 ? 2 * g->member_size : 64;
		g->members = xreallocarray(
		    g->members, g->member_size, sizeof(*g->members));
	}
	g->members[g->member_count++] = *m;
}

/* --- texts --------------------------------------------------------------- */

static int
host_compare(const struct member *x, const struct member *y)
{
	return x->host < y->host ? -1 : x->host > y->host;
}

static int
content_compare(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	uintptr_t cx = (uintptr_t)x->content, cy = (uintptr_t)y->content;

	if (cx != cy)
		return cx < cy ? -1 : 1;
	return host_compare(x, y);
}

static void
groups_find_texts(struct groups *g)
{
	struct member *m = g->members, *end = m + g->member_count;
	struct text *t = NULL;

	qsort(m, g->member_count, sizeof(*m), content_compare);
	g->texts = xcalloc(g->member_count, sizeof(*g->texts));
	for (; m < end; m++) {
		if (t == NULL || t->content != m->content) {
			t = &g->texts[g->text_count++];
			t->content = m->content;
			t->name = m->name;
		}
		m->text = t;
	}
}

/* Go on with a text for so many bytes. Returns whether it is at its end. */
static bool
text_step(struct groups *g, struct text *t, size_t *bytes)
{
	const uint8_t *data;
	struct line line;
	size_t len;

	while (*bytes > 0) {
		if (!lines_next(&g->lines, &line))
			return true;
		*bytes -= line.len < *bytes ? line.len + 1 : *bytes;
		data = line.data;
		len = line.len;
		if (line.is_first && line.is_last)
			normalizer_line(g->normalizer, data, len, &data, &len);
		digest_add(g->digest, data, len);
		if (line.is_last) {
			digest_add(g->digest, "\n", 1);
			t->lines++;
		}
	}
	return false;
}

static void
text_begin(struct groups *g, const struct text *t)
{
	lines_init(&g->lines, g->contents, t->content);
	g->is_begun = true;
}

static void
text_end(struct groups *g, struct text *t)
{
	digest_end(g->digest, t->key);
	lines_clear(&g->lines);
	g->is_begun = false;
	g->next++;
}

static bool
texts_step(struct groups *g)
{
	size_t bytes = STEP_BYTES;
	struct text *t;

	while (g->next < g->text_count && bytes > 0) {
		t = &g->texts[g->next];
		if (!g->is_begun)
			text_begin(g, t);
		/* Others may have used it since the last step. */
		normalizer_set_host(g->normalizer, t->name);
		if (text_step(g, t, &bytes))
			text_end(g, t);
	}
	return g->next < g->text_count;
}

/* --- groups -------------------------------------------------------------- */

/* Only those that are not ok have an ending. */
static int
endings_compare(const struct member *x, const struct member *y)
{
	if (x->ending == NULL || y->ending == NULL)
		return (x->ending != NULL) - (y->ending != NULL);
	return ending_compare(x->ending, y->ending);
}

static int
group_of_compare(const struct member *x, const struct member *y)
{
	int order = memcmp(x->text->key, y->text->key, DIGEST_BYTES);

	return order != 0 ? order : endings_compare(x, y);
}

static int
member_compare(const void *a, const void *b)
{
	int order = group_of_compare(a, b);

	return order != 0 ? order : host_compare(a, b);
}

static void
groups_find(struct groups *g)
{
	const struct member *m, *end = g->members + g->member_count;
	struct group *group = NULL;

	qsort(g->members, g->member_count, sizeof(*m), member_compare);
	g->groups = xcalloc(g->member_count, sizeof(*g->groups));
	for (m = g->members; m < end; m++) {
		if (group == NULL || group_of_compare(group->members, m) != 0) {
			group = &g->groups[g->group_count++];
			group->members = m;
			group->lines = m->text->lines;
		}
		group->count++;
	}
}

bool
groups_step(struct groups *g)
{
	if (g->groups != NULL || g->member_count == 0)
		return false;
	if (g->texts == NULL)
		groups_find_texts(g);
	else if (!texts_step(g))
		groups_find(g);
	return g->groups == NULL;
}

bool
group_is_bare(const struct group *g)
{
	return g->members[0].is_bare;
}

static int
group_rank(const struct group *g)
{
	if (!group_is_bare(g))
		return 0;
	return g->members[0].ending != NULL ? 1 : 2;
}

static int
first_compare(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	int order = group_rank(x) - group_rank(y);

	return order != 0 ? order : host_compare(x->members, y->members);
}

static int
largest_compare(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (group_rank(x) != group_rank(y) || x->count == y->count)
		return first_compare(a, b);
	return x->count > y->count ? -1 : 1;
}

const struct group *
groups_sort(struct groups *g, bool is_ordered, const struct group **end)
{
	*end = g->groups;
	if (g->group_count > 0) {
		qsort(g->groups, g->group_count, sizeof(*g->groups),
		    is_ordered ? first_compare : largest_compare);
		*end += g->group_count;
	}
	return g->groups;
}

bool
group_is_alike(const struct group *g, const struct group *other)
{
	return memcmp(g->members[0].text->key, other->members[0].text->key,
		   DIGEST_BYTES) == 0;
}

char *
group_names(const struct group *g)
{
	struct hostset *set = hostset_new();
	char *folded;
	size_t i;

	hostset_reserve(set, g->count);
	/* The selection is within the limit of a set. */
	for (i = 0; i < g->count; i++)
		hostset_add(set, g->members[i].name, NULL);
	folded = hostset_fold(set);
	hostset_free(set);
	return folded;
}

void
groups_put_first(struct groups *g, const struct group *first)
{
	struct group copy = *first;

	memmove(g->groups + 1, g->groups,
	    (size_t)(first - g->groups) * sizeof(*first));
	g->groups[0] = copy;
}
