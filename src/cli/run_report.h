/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_report: the report that the options of a run ask for. */
#ifndef CLI_RUN_REPORT_H
#define CLI_RUN_REPORT_H

#include "cli/run_hosts.h"
#include "cli/run_options.h"
#include "control/plan.h"
#include "report/report.h"
#include "util/error.h"

/*
 * Check what may go with what, and fill in what report_new() is to be told.
 * What to do, and when, is in plan and o->task already. tool: the program's
 * name. Returns 0, or -1 with err. In both cases the caller owns r->normalizer
 * until report_new() takes it.
 */
int run_report_options(struct report_options *r, const struct plan *plan,
    const struct run_options *o, const struct run_hosts *h, const char *tool,
    struct error *err);

#endif
