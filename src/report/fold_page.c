/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/fold_page.h"

#include <stdlib.h>
#include <string.h>

#include "report/groups.h"
#include "util/utf8.h"
#include "util/xalloc.h"

/* Of all texts. After that groups have none, but stand there. */
#define PAGE_MOST ((size_t)32 << 20)

void
fold_page_init(struct fold_page *p, const struct fold *f, struct contents *set,
    bool is_ordered)
{
	memset(p, 0, sizeof(*p));
	p->fold = f;
	p->contents = set;
	p->is_ordered = is_ordered;
	p->stream = 1;
	p->room = PAGE_MOST;
}

static void
output_clear(struct fold_page *p)
{
	free(p->hosts);
	free(p->seqs);
	free(p->text);
	p->hosts = NULL;
	p->seqs = NULL;
	p->text = NULL;
}

static void
stream_clear(struct fold_page *p)
{
	groups_free(p->groups);
	p->groups = NULL;
}

void
fold_page_clear(struct fold_page *p)
{
	output_clear(p);
	stream_clear(p);
}

static void
stream_begin(struct fold_page *p)
{
	size_t count;

	p->groups = fold_groups(p->fold, p->stream);
	while (groups_step(p->groups))
		;
	p->group = groups_sort(p->groups, p->is_ordered, &count);
	p->end = p->group + count;
}

/* The group that is next, of the streams one after the other. */
static const struct group *
next_group(struct fold_page *p)
{
	for (;;) {
		if (p->groups == NULL)
			stream_begin(p);
		if (p->group < p->end)
			return p->group++;
		if (p->stream == 2)
			return NULL;
		stream_clear(p);
		p->stream++;
	}
}

/* The text of the group's first host, as far as there is room. */
static void
text_read(struct fold_page *p, const struct group *g, struct html_output *o)
{
	const struct member *m = g->members;
	size_t most =
	    p->room < FOLD_PAGE_TEXT_MOST ? p->room : FOLD_PAGE_TEXT_MOST;

	p->text = xmalloc(FOLD_PAGE_TEXT_MOST);
	o->len = content_read(p->contents, m->content, 0, p->text, most);
	o->is_truncated = fold_sent(p->fold, m->host, p->stream) > o->len;
	if (o->is_truncated)
		o->len = utf8_whole(p->text, o->len);
	o->text = p->text;
	p->room -= o->len;
}

bool
fold_page_next(void *page, struct html_output *o)
{
	struct fold_page *p = page;
	const struct group *g = next_group(p);
	size_t i;

	output_clear(p);
	if (g == NULL)
		return false;
	p->hosts = group_names(g);
	p->seqs = xcalloc(g->count, sizeof(*p->seqs));
	for (i = 0; i < g->count; i++)
		p->seqs[i] = g->members[i].host;
	o->hosts = p->hosts;
	o->seqs = p->seqs;
	o->count = g->count;
	o->stream = p->stream;
	text_read(p, g, o);
	return true;
}
