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
fold_page_init(struct fold_page *p, struct html *html, const struct fold *f,
    struct contents *set, bool is_ordered)
{
	*p = (struct fold_page){.html = html,
	    .fold = f,
	    .contents = set,
	    .is_ordered = is_ordered,
	    .stream = 1,
	    .room = PAGE_MOST};
}

void
fold_page_clear(struct fold_page *p)
{
	groups_free(p->groups);
	p->groups = NULL;
}

/* The text of the group's first host, as far as there is room. */
static void
text_read(struct fold_page *p, const struct group *g, uint8_t *text,
    struct html_output *o)
{
	const struct member *m = g->members;
	size_t most =
	    p->room < FOLD_PAGE_TEXT_MOST ? p->room : FOLD_PAGE_TEXT_MOST;

	o->len = content_read(p->contents, m->content, 0, text, most);
	o->is_truncated = fold_sent(p->fold, m->host, p->stream) > o->len;
	if (o->is_truncated)
		o->len = utf8_whole(text, o->len);
	o->text = text;
	p->room -= o->len;
}

static void
put_group(struct fold_page *p, const struct group *g)
{
	uint8_t *text = xmalloc(FOLD_PAGE_TEXT_MOST);
	uint32_t *seqs = xcalloc(g->count, sizeof(*seqs));
	char *names = group_names(g);
	struct html_output o = {.hosts = names,
	    .seqs = seqs,
	    .count = g->count,
	    .stream = group_is_bare(g) ? 0 : p->stream};
	size_t i;

	for (i = 0; i < g->count; i++)
		seqs[i] = g->members[i].host;
	text_read(p, g, text, &o);
	html_output(p->html, &o);
	free(names);
	free(seqs);
	free(text);
}

bool
fold_page_is_done(const struct fold_page *p)
{
	return p->stream > 2;
}

bool
fold_page_step(struct fold_page *p)
{
	if (fold_page_is_done(p))
		return false;
	if (p->groups == NULL)
		p->groups = fold_groups(p->fold, p->stream);
	if (p->group == NULL) {
		if (groups_step(p->groups))
			return true;
		p->group = groups_sort(p->groups, p->is_ordered, &p->end);
	}
	if (p->group < p->end) {
		put_group(p, p->group++);
		return true;
	}
	fold_page_clear(p);
	p->group = NULL;
	p->stream++;
	return true;
}
