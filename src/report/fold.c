/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The streams come one after the other; each goes through these states:
 *
 *   GROUP ──▶ HEAD ──▶ TEXT ──▶ HEAD ... ──▶ DRAIN ──▶ the next stream, DONE
 *
 * GROUP finds the groups, HEAD prints the names of one and, if wanted, its
 * diff, or all of a group without a text; TEXT prints a text piece by piece.
 * DRAIN waits until stdout is out, since both streams may go to one terminal.
 */
#include "config.h"

#include "report/fold.h"

#include <stdlib.h>
#include <string.h>

#include "inventory/hostset.h"
#include "report/color.h"
#include "report/ending.h"
#include "report/fold_diff.h"
#include "report/groups.h"
#include "report/live.h"
#include "util/log.h"
#include "util/xalloc.h"

#define RULE	   "---------------\n"
#define PIECE	   (64u << 10)
#define LONG_BYTES (64u << 10)

enum fold_state { FOLD_GROUP, FOLD_HEAD, FOLD_TEXT, FOLD_DRAIN, FOLD_DONE };

struct fold_host {
	const char *name;
	struct ending *ending; /* NULL: ok */
	struct outputs outputs;
};

struct fold {
	struct fold_options options;
	struct contents *contents;
	struct sink *sinks[2];
	struct live *live; /* breaks texts into lines, without tags */
	struct fold_host *hosts;
	size_t count;

	enum fold_state state;
	unsigned stream;
	struct groups *groups;
	const struct group *group, *end;
	const struct group *reference; /* that others are compared with */
	bool is_reference_told;	       /* there are others */
	bool is_listing;	       /* groups without a text */
	uint64_t offset;	       /* in the group's text */
	struct fold_diff *diff;
};

struct fold *
fold_new(size_t hosts, const struct fold_options *options, struct contents *set,
    struct sink *out, struct sink *err)
{
	const struct live_options live = {.line_max = LONG_BYTES};
	struct fold *f = xcalloc(1, sizeof(*f));

	f->options = *options;
	f->contents = set;
	f->sinks[0] = out;
	f->sinks[1] = err;
	f->live = live_new(1, out, err, &live);
	f->hosts = xcalloc(hosts, sizeof(*f->hosts));
	f->count = hosts;
	return f;
}

static void
stream_clear(struct fold *f)
{
	fold_diff_free(f->diff);
	f->diff = NULL;
	groups_free(f->groups);
	f->groups = NULL;
}

void
fold_free(struct fold *f)
{
	struct fold_host *h;

	if (f == NULL)
		return;
	stream_clear(f);
	for (h = f->hosts; h < f->hosts + f->count; h++) {
		if (h->ending != NULL)
			ending_clear(h->ending);
		free(h->ending);
		outputs_drop(f->contents, &h->outputs);
	}
	free(f->hosts);
	live_free(f->live);
	free(f);
}

void
fold_add(
    struct fold *f, const struct record *record, const struct outputs *outputs)
{
	struct fold_host *h = &f->hosts[record->seq];

	h->name = record->host;
	h->outputs = outputs_share(outputs);
	if (record->status == STATUS_OK)
		return;
	h->ending = xcalloc(1, sizeof(*h->ending));
	ending_init(h->ending, record);
}

/* --- groups -------------------------------------------------------------- */

/* What hosts have to show for themselves. */
struct remarks {
	bool has_stdout; /* one has written there */
	bool has_any;	 /* one has written, or is not ok */
};

static struct remarks
find_remarks(const struct fold *f)
{
	struct remarks found = {false, false};
	const struct fold_host *h;

	for (h = f->hosts; h < f->hosts + f->count; h++) {
		if (h->outputs.contents[0] != NULL)
			found.has_stdout = true;
		if (h->outputs.contents[0] != NULL ||
		    h->outputs.contents[1] != NULL || h->ending != NULL)
			found.has_any = true;
	}
	return found;
}

static struct groups *
make_groups(const struct fold *f, int stream, bool has_diff)
{
	const struct remarks found = find_remarks(f);
	struct groups *groups = groups_new(f->contents, f->options.normalizer);
	const struct fold_host *h;
	struct member m;
	uint32_t i;

	for (i = 0; i < f->count; i++) {
		h = &f->hosts[i];
		m = (struct member){.host = i,
		    .name = h->name,
		    .content = h->outputs.contents[stream - 1],
		    .ending = h->ending};
		if (m.content == NULL && stream == 2)
			continue;
		m.is_bare = m.content == NULL &&
		    !(has_diff && found.has_stdout && m.ending == NULL);
		if (m.is_bare &&
		    (h->outputs.contents[1] != NULL || !found.has_any))
			continue;
		groups_add(groups, &m);
	}
	return groups;
}

struct groups *
fold_groups(const struct fold *f, int stream)
{
	return make_groups(f, stream, false);
}

uint64_t
fold_sent(const struct fold *f, uint32_t host, int stream)
{
	return f->hosts[host].outputs.sent[stream - 1];
}

/* The member whose text the others are compared with; NULL: none has one. */
static const struct member *
reference_member(const struct fold *f, const struct group **group)
{
	const char *name = f->options.diff_host;
	const struct group *g;
	size_t i;

	*group = NULL;
	for (g = f->group; g < f->end; g++) {
		for (i = 0; name != NULL && i < g->count; i++) {
			if (strcmp(g->members[i].name, name) != 0)
				continue;
			*group = g;
			return &g->members[i];
		}
		if (name == NULL && !group_is_bare(g) &&
		    (*group == NULL || g->count > (*group)->count))
			*group = g;
	}
	return *group != NULL ? (*group)->members : NULL;
}

/* A host that has sent nothing is as good a reference as any. */
static void
diff_begin(struct fold *f)
{
	const struct member *m = reference_member(f, &f->reference);
	const char *name = f->options.diff_host;
	char *label;

	if (m == NULL && name == NULL)
		return;
	f->is_reference_told =
	    f->end - f->group > 1 && !group_is_bare(&f->group[1]);
	if (f->reference != NULL && !group_is_bare(f->reference) &&
	    !f->options.is_ordered) {
		groups_put_first(f->groups, f->reference);
		f->reference = f->group;
	}
	label =
	    f->reference != NULL ? group_names(f->reference) : xstrdup(name);
	f->diff = fold_diff_new(f->contents, f->options.normalizer,
	    m != NULL ? m->content : NULL, m != NULL ? m->name : name, label);
	free(label);
}

/* --- states -------------------------------------------------------------- */

static enum fold_state
step_group(struct fold *f)
{
	if (f->groups == NULL)
		f->groups =
		    make_groups(f, (int)f->stream + 1, f->options.has_diff);
	if (groups_step(f->groups))
		return FOLD_GROUP;
	f->group = groups_sort(f->groups, f->options.is_ordered, &f->end);
	f->reference = NULL;
	f->is_listing = false;
	if (f->options.has_diff)
		diff_begin(f);
	return FOLD_HEAD;
}

/* Who it is, how many, and how they ended. */
static void
print_names(struct fold *f, const char *folded)
{
	struct sink *sink = f->sinks[f->stream];
	const struct group *g = f->group;
	struct buf *out = &sink->buf;

	buf_printf(out, "%s%s%s", sink->is_colored ? COLOR_BOLD : "", folded,
	    sink->is_colored ? COLOR_END : "");
	if (g->count > 1)
		buf_printf(out, " (%zu)", g->count);
	if (f->stream == 1)
		buf_puts(out, " stderr");
	if (g == f->reference && f->is_reference_told)
		buf_puts(out, ", reference");
	if (g->members[0].ending != NULL) {
		buf_puts(out, ": ");
		ending_print(g->members[0].ending, sink->is_colored, out);
	} else if (group_is_bare(g)) {
		buf_puts(out, ": ok, no output");
	}
	buf_puts(out, "\n");
}

/* The diff of a group, if it is to have one, or what it is that has no text. */
static bool
print_instead(struct fold *f, const char *folded)
{
	const struct group *g = f->group;
	struct sink *sink = f->sinks[f->stream];

	if (f->diff != NULL && g != f->reference) {
		if (f->reference != NULL && group_is_alike(g, f->reference))
			buf_puts(&sink->buf, "no difference\n");
		else
			fold_diff_print(f->diff, g, folded, sink);
		return true;
	}
	if (g->members[0].content != NULL)
		return false;
	buf_puts(&sink->buf, "(no output)\n");
	return true;
}

static enum fold_state
step_head(struct fold *f)
{
	struct buf *out = &f->sinks[f->stream]->buf;
	bool has_text;
	char *folded;

	if (f->group == f->end)
		return FOLD_DRAIN;
	folded = group_names(f->group);
	has_text = !group_is_bare(f->group);
	if (!f->is_listing)
		buf_puts(out, RULE);
	f->is_listing = !has_text;
	print_names(f, folded);
	if (has_text) {
		buf_puts(out, RULE);
		has_text = !print_instead(f, folded);
	}
	free(folded);
	f->offset = 0;
	if (has_text)
		return FOLD_TEXT;
	f->group++;
	return FOLD_HEAD;
}

static enum fold_state
step_text(struct fold *f)
{
	const struct content *c = f->group->members[0].content;
	uint8_t *piece = xmalloc(PIECE);
	size_t n = content_read(f->contents, c, f->offset, piece, PIECE);

	live_output(f->live, 0, "", (int)f->stream + 1, piece, n);
	free(piece);
	f->offset += n;
	if (n > 0 && f->offset < content_size(c))
		return FOLD_TEXT;
	live_end(f->live, 0, "");
	f->group++;
	return FOLD_HEAD;
}

static enum fold_state
step_drain(struct fold *f)
{
	if (f->stream == 0 && buf_len(&f->sinks[0]->buf) > 0)
		return FOLD_DRAIN;
	stream_clear(f);
	if (f->stream == 1)
		return FOLD_DONE;
	f->stream = 1;
	return FOLD_GROUP;
}

bool
fold_step(struct fold *f)
{
	switch (f->state) {
	case FOLD_GROUP:
		f->state = step_group(f);
		return true;
	case FOLD_HEAD:
		f->state = step_head(f);
		return true;
	case FOLD_TEXT:
		f->state = step_text(f);
		return true;
	case FOLD_DRAIN:
		f->state = step_drain(f);
		return f->state != FOLD_DRAIN && f->state != FOLD_DONE;
	case FOLD_DONE:
		return false;
	}
	return false;
}

void
fold_cut(struct fold *f)
{
	stream_clear(f);
	f->state = FOLD_DONE;
}

bool
fold_is_done(const struct fold *f)
{
	return f->state == FOLD_DONE;
}
