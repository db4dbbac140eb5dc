/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a report is made of, as its options ask for it. */
#include "config.h"

#include <stdlib.h>

#include "report/report_impl.h"
#include "util/clock.h"
#include "util/xalloc.h"

/* Memory for what waits; beyond it there is a file. */
#define STORE_BYTES (64u << 20)

static bool
has_progress(const struct report_options *options, const struct sink *err)
{
	if (options->progress != PROGRESS_AUTO)
		return options->progress == PROGRESS_ALWAYS;
	return sink_has_escapes(err) && !options->is_quiet;
}

/* Open the files that the user wants. Returns 0, or -1 with err. */
static int
report_open(struct report *r, size_t hosts, struct error *err)
{
	const struct report_options *o = &r->options;
	struct error why;

	if (o->html_path != NULL &&
	    (r->html = html_new(o->html_path, &why)) == NULL)
		return error_option(err, "report-html", why.text);
	if (o->outdir != NULL &&
	    (r->outdir = outdir_new(o->outdir, hosts, &why)) == NULL)
		return error_option(err, "outdir", why.text);
	if (o->report_path != NULL &&
	    (r->file = report_file_new(o->report_path, &why)) == NULL)
		return error_option(err, "report", why.text);
	if (o->metrics_path != NULL) {
		r->metrics_file = metrics_file_new(&r->metrics, &why);
		if (r->metrics_file == NULL)
			return error_option(err, "metrics", why.text);
	}
	return 0;
}

/* So much of a stream is kept. */
static uint64_t
capture_limit(const struct report *r)
{
	const struct report_options *o = &r->options;
	uint64_t limit = o->html_path != NULL ? FOLD_PAGE_TEXT_MOST : 0;

	if (o->has_fold)
		return UINT64_MAX;
	return (o->has_json || r->file != NULL) && o->capture_bytes > limit
	    ? o->capture_bytes
	    : limit;
}

/* What keeps output. */
static void
report_keep(struct report *r, size_t hosts)
{
	const struct report_options *o = &r->options;
	const struct fold_options fold = {.is_ordered = o->is_ordered,
	    .has_diff = o->has_diff,
	    .diff_host = o->diff_host,
	    .normalizer = o->normalizer};

	r->store = store_new(STORE_BYTES);
	r->contents = contents_new(r->store);
	if (o->has_fold || o->has_json || r->file != NULL || r->html != NULL)
		r->capture =
		    capture_new(hosts, capture_limit(r), r->store, r->contents);
	if (o->has_json || o->is_ordered)
		r->turns =
		    turns_new(hosts, o->is_ordered, r->store, r->contents);
	if (o->has_fold || r->html != NULL)
		r->fold = fold_new(
		    hosts, &fold, r->contents, &r->screen.out, &r->screen.err);
	fold_page_init(&r->page, r->html, r->fold, r->contents, o->is_ordered);
}

struct report *
report_new(
    size_t hosts, const struct report_options *options, struct error *err)
{
	struct report *r = xcalloc(1, sizeof(*r));
	struct live_options live = {.has_prefix = options->has_prefix,
	    .line_max = live_line_max(
		options->fanout < hosts ? options->fanout : hosts)};

	r->options = *options;
	screen_init(&r->screen, options->color);
	headway_init(&r->headway, &r->tally, hosts, options->is_transfer,
	    options->host_bytes, clock_now_ms());
	r->metrics = (struct metrics){.tool = options->words.program,
	    .path = options->metrics_path,
	    .hosts = hosts,
	    .began_at_ms = clock_wall_ms(),
	    .running = &r->headway.running,
	    .tally = &r->tally};
	if (report_open(r, hosts, err) == -1) {
		report_free(r);
		return NULL;
	}
	report_keep(r, hosts);
	r->live = live_new(hosts, &r->screen.out, &r->screen.err, &live);
	r->summary = summary_new();
	if (has_progress(options, &r->screen.err))
		r->screen.progress = progress_new(
		    &r->screen.err, &r->headway, r->headway.began_ms);
	return r;
}

void
report_free(struct report *r)
{
	if (r == NULL)
		return;
	metrics_file_free(r->metrics_file);
	report_file_free(r->file);
	fold_page_clear(&r->page);
	html_free(r->html);
	outdir_free(r->outdir);
	fold_free(r->fold);
	normalizer_free(r->options.normalizer);
	turns_free(r->turns);
	capture_free(r->capture);
	contents_free(r->contents);
	store_free(r->store);
	live_free(r->live);
	summary_free(r->summary);
	screen_clear(&r->screen);
	headway_clear(&r->headway);
	free(r);
}
