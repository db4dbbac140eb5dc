/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * metrics: the numbers of a run as Prometheus's text format, version 0.0.4, as
 * node_exporter's textfile collector reads it: no timestamps, no series twice.
 *
 * The collector merges the files of a directory, and two files with the same
 * series break it. So each series has the label run, the name of its file
 * without ".prom", by which the runs of several cron jobs are told apart, too.
 */
#ifndef REPORT_METRICS_H
#define REPORT_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "report/report.h"
#include "report/tally.h"
#include "util/buf.h"

/* A run as it stands. Nothing in it is owned. */
struct metrics {
	const char *tool; /* the program's name */
	const char *path; /* of the file, any bytes */
	size_t hosts;
	uint64_t began_at_ms; /* wall clock */
	uint64_t elapsed_ms;
	const struct running *running;
	const struct tally *tally;
	uint64_t ended_at_ms; /* wall clock; 0: the run goes on */
	int exit_status;      /* once it has ended */
};

/* Append the text to out. */
void metrics_render(const struct metrics *m, struct buf *out);

#endif
