/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/fold_diff.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/color.h"
#include "report/diff.h"
#include "report/lines.h"
#include "util/escape.h"
#include "util/log.h"
#include "util/xalloc.h"

struct fold_diff {
	struct contents *contents;
	struct normalizer *normalizer;
	struct diff_text from;
	char *label;
};

/* Where the lines of a diff go. */
struct target {
	struct sink *sink;
	const char *from, *to; /* labels, until they are printed */
};

static void
text_load(struct fold_diff *d, struct diff_text *t,
    const struct content *content, const char *host)
{
	struct lines lines;
	struct line line;
	const uint8_t *key;
	size_t len;

	diff_text_init(t);
	normalizer_set_host(d->normalizer, host);
	lines_init(&lines, d->contents, content);
	while (!t->is_too_large && lines_next(&lines, &line)) {
		normalizer_line(d->normalizer, line.data, line.len, &key, &len);
		diff_text_add(t, key, len, line.data, line.len);
	}
	lines_clear(&lines);
}

struct fold_diff *
fold_diff_new(struct contents *set, struct normalizer *n,
    const struct content *content, const char *host, const char *label)
{
	struct fold_diff *d = xcalloc(1, sizeof(*d));

	d->contents = set;
	d->normalizer = n;
	d->label = xstrdup(label);
	text_load(d, &d->from, content, host);
	return d;
}

void
fold_diff_free(struct fold_diff *d)
{
	if (d == NULL)
		return;
	diff_text_clear(&d->from);
	free(d->label);
	free(d);
}

static void
put(struct sink *sink, const char *color, const char *sign, const uint8_t *data,
    size_t len)
{
	struct buf *out = &sink->buf;

	/* Bounded by what a diff_text holds. */
	if (buf_reserve(out, len + 32) == NULL)
		fatal("output queue overflow");
	if (sink->is_colored)
		buf_puts(out, color);
	buf_puts(out, sign);
	if (sink->is_tty)
		escape_append(out, data, len);
	else
		buf_append(out, data, len);
	buf_puts(
	    out, sink->is_colored && color[0] != '\0' ? COLOR_END "\n" : "\n");
}

static void
put_label(struct sink *sink, const char *sign, const char *label)
{
	put(sink, COLOR_BOLD, sign, (const uint8_t *)label, strlen(label));
}

static void
put_line(void *ctx, char sign, const uint8_t *data, size_t len)
{
	struct target *t = ctx;

	if (t->from != NULL) {
		put_label(t->sink, "--- ", t->from);
		put_label(t->sink, "+++ ", t->to);
		t->from = NULL;
	}
	if (sign == '@')
		put(t->sink, COLOR_HUNK, "", data, len);
	else if (sign == '-')
		put(t->sink, COLOR_REMOVED, "-", data, len);
	else if (sign == '+')
		put(t->sink, COLOR_ADDED, "+", data, len);
	else
		put(t->sink, "", " ", data, len);
}

void
fold_diff_print(struct fold_diff *d, const struct group *g, const char *label,
    struct sink *sink)
{
	struct target target = {sink, d->label, label};
	struct diff_text to;

	text_load(d, &to, g->members[0].content, g->members[0].name);
	if (d->from.is_too_large || to.is_too_large)
		buf_printf(&sink->buf, "differs: %" PRIu64 " line%s\n",
		    g->lines, g->lines == 1 ? "" : "s");
	else
		diff_print(&d->from, &to, put_line, &target);
	diff_text_clear(&to);
}
