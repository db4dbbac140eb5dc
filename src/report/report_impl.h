/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report_impl: what report.c and report_new.c share; for them alone. */
#ifndef REPORT_REPORT_IMPL_H
#define REPORT_REPORT_IMPL_H

#include "report/capture.h"
#include "report/fold.h"
#include "report/fold_page.h"
#include "report/headway.h"
#include "report/html.h"
#include "report/live.h"
#include "report/metrics_file.h"
#include "report/outdir.h"
#include "report/report.h"
#include "report/report_file.h"
#include "report/screen.h"
#include "report/summary.h"
#include "report/tally.h"
#include "report/turns.h"

struct report {
	struct report_options options;
	struct screen screen;
	struct live *live;
	struct tally tally;
	struct headway headway;
	struct summary *summary;
	struct store *store;
	struct contents *contents;
	struct capture *capture;  /* NULL: nobody needs it */
	struct turns *turns;	  /* NULL: nothing waits */
	struct fold *fold;	  /* NULL: nobody needs it */
	struct outdir *outdir;	  /* NULL: none */
	struct report_file *file; /* NULL: none */
	struct html *html;	  /* NULL: none */
	struct fold_page page;	  /* its outputs */
	struct metrics metrics;
	struct metrics_file *metrics_file; /* NULL: none */
	unsigned noted;			   /* failed hosts, while it runs */
	bool is_folding;		   /* the fold is being printed */
	bool is_page_done, is_page_broken, is_metrics_broken;
	bool is_abandoned; /* nobody is waited for */
	int exit_class;
	uint32_t largest_exit;
};

#endif
