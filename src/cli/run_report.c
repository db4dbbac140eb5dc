/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "cli/run_report.h"

#include <stdlib.h>
#include <string.h>

#include "cli/template.h"
#include "report/outdir.h"
#include "util/xalloc.h"

/* "(1.2 MB, 0.1 s)", at the end of what is said of a transfer. */
#define TRANSFER_TIME ", [0-9.:]+ (s|min|h)\\)$"

/*
 * -diff and -fold-ignore ask for the fold, unless something else is asked. The
 * page has a fold, too, for -fold-ignore to be of use.
 */
static int
choose_output(
    struct report_options *r, const struct run_options *o, struct error *err)
{
	enum output_mode mode = (enum output_mode)o->output;
	bool asks_fold =
	    o->diff != NULL || run_option_is_typed(o, &o->fold_ignore);

	if (asks_fold && mode != OUTPUT_FOLD && mode != OUTPUT_LIVE_FOLD) {
		if (!run_option_is_typed(o, &o->output))
			mode = OUTPUT_FOLD;
		else if (o->diff != NULL)
			return error_set(
			    err, "option -diff goes with -output fold");
		else if (o->report_html == NULL)
			return error_set(err,
			    "option -fold-ignore goes with -output fold or "
			    "-report-html");
	}
	r->has_live = mode == OUTPUT_LIVE || mode == OUTPUT_LIVE_FOLD;
	r->has_fold = mode == OUTPUT_FOLD || mode == OUTPUT_LIVE_FOLD;
	r->has_json = mode == OUTPUT_JSON;
	return 0;
}

/* The host to compare with, by its name in the selection. */
static int
choose_diff(struct report_options *r, const struct run_options *o,
    const struct hostset *names, struct error *err)
{
	struct hostset *set;
	size_t index = SIZE_MAX;

	r->has_diff = o->diff != NULL;
	if (o->diff == NULL || o->diff[0] == '\0')
		return 0;
	set = hostset_new();
	if (hostset_expand(set, o->diff, NULL, NULL) == 0 &&
	    hostset_count(set) == 1)
		index = hostset_find(names, hostset_name(set, 0));
	hostset_free(set);
	if (index == SIZE_MAX)
		return error_set(err,
		    "option -diff: \"%s\" is none of the chosen hosts",
		    o->diff);
	r->diff_host = hostset_name(names, index);
	return 0;
}

/* Every host must be able to have files of its name. */
static int
check_outdir(
    const struct run_options *o, const struct run_hosts *h, struct error *err)
{
	uint32_t count = (uint32_t)hostset_count(h->names), i;

	if (o->outdir == NULL)
		return 0;
	if (template_check_names(h->hosts, count, err) == -1)
		return -1;
	for (i = 0; i < count; i++) {
		if (strlen(h->hosts[i].name) > OUTDIR_NAME_MAX)
			return error_set(err,
			    "host \"%.40s...\": no file can have so long a "
			    "name; -x leaves the host out",
			    h->hosts[i].name);
	}
	return 0;
}

static struct normalizer *
make_normalizer(
    const struct run_options *o, bool is_transfer, struct error *err)
{
	const struct option_list *list = &o->fold_ignore;
	const char **patterns = xcalloc(list->count + 1, sizeof(*patterns));
	struct normalizer *n;
	size_t i;

	for (i = 0; i < list->count; i++)
		patterns[i] = list->values[i].text;
	if (is_transfer)
		patterns[i++] = TRANSFER_TIME;
	n = normalizer_new(patterns, i, err);
	free(patterns);
	return n;
}

int
run_report_options(struct report_options *r, const struct plan *plan,
    const struct run_options *o, const struct run_hosts *h, const char *tool,
    struct error *err)
{
	*r = (struct report_options){.has_prefix = !o->no_prefix,
	    .is_ordered = o->ordered,
	    .is_quiet = o->quiet,
	    .is_verbose = o->verbose > 0,
	    .is_largest_exit = o->largest_exit,
	    .color = (enum color_mode)o->color,
	    .progress = (enum progress_mode)o->progress,
	    .is_transfer = plan->config.task != TASK_EXEC,
	    .host_bytes = plan->config.total_bytes,
	    .report_path = o->report,
	    .html_path = o->report_html,
	    .outdir = o->outdir,
	    .capture_bytes = (size_t)o->capture_bytes,
	    .metrics_path = o->metrics,
	    .words = {tool, (const char *)buf_head(&o->task), o->choice},
	    .again = o->again,
	    .again_needs_input = o->needs_input,
	    .fanout = o->fanout,
	    .seed = o->shuffle ? plan->schedule.seed : 0};
	if (choose_output(r, o, err) == -1 ||
	    choose_diff(r, o, h->names, err) == -1 ||
	    check_outdir(o, h, err) == -1)
		return -1;
	if (!r->has_fold && r->html_path == NULL)
		return 0;
	r->normalizer = make_normalizer(o, r->is_transfer, err);
	return r->normalizer != NULL ? 0 : -1;
}
