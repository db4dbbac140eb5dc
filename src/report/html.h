/* SPDX-License-Identifier: GPL-3.0-or-later */
/* html: the page of option -report-html. */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/report.h"
#include "report/summary.h"
#include "util/error.h"

struct html;

/* What several hosts have sent alike. */
struct html_output {
	const char *hosts;    /* folded */
	const uint32_t *seqs; /* of their records */
	size_t count;	      /* of these, at least 1 */
	int stream;	      /* 1 or 2; 0: they sent nothing at all */
	const void *text;     /* any bytes */
	size_t len;
	bool is_truncated; /* they have sent more */
};

/*
 * Begin the page in a temporary file beside path, which may be there or not,
 * but must be a regular file. NULL with err if that can't be.
 */
struct html *html_new(const char *path, struct error *err);
/* Unless html_finish() was called, there is no page. NULL is fine. */
void html_free(struct html *h);

void html_record(struct html *h, const struct record *record);
/* After the last record, in the order in which they are shown. */
void html_output(struct html *h, const struct html_output *o);

/* What is known at the end of the run. */
struct html_end {
	uint64_t began_at_ms; /* wall clock */
	uint64_t elapsed_ms;
	struct summary *summary;
	bool are_outputs_cut; /* there would have been more */
	const struct run_words *words;
};

/*
 * Write the rest and put the page in its place. Returns 0, or -1 with err if
 * any of it could not be written; then what was at path is there still.
 */
int html_finish(struct html *h, const struct html_end *end, struct error *err);

#endif
