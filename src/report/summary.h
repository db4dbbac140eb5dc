/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * summary: what is said at the end: how many hosts ended how, and who failed,
 * folded, with the reason.
 */
#ifndef REPORT_SUMMARY_H
#define REPORT_SUMMARY_H

#include <jansson.h>

#include "report/report.h"
#include "report/tally.h"
#include "util/buf.h"

struct summary;

struct summary_options {
	uint64_t elapsed_ms; /* how long the run took */
	uint64_t seed;	     /* of the hosts' order; 0: not by chance */
	bool has_latencies;
	bool is_colored;
	size_t columns; /* of the terminal; 0: it is none */
};

struct summary *summary_new(void);
void summary_free(struct summary *s);
/* Take note of a host that is not ok; all others change nothing. */
void summary_add(struct summary *s, const struct record *record);

/*
 * Append the text to out: nothing but lines; all of a host's words are
 * escaped. On a terminal long lines are broken, but for commands. tally is
 * that of all records.
 */
void summary_print(struct summary *s, const struct tally *tally,
    const struct summary_options *options, struct buf *out);

/*
 * Append the command that runs the hosts again that are not ok, and below it,
 * unless all of them have failed, how many may have run theirs, and what to
 * type to leave these out. A transfer may be repeated. o->again and
 * o->report_path are not NULL.
 */
void summary_again(
    const struct tally *tally, const struct report_options *o, struct buf *out);

/*
 * The same groups as an array of objects: status, stage, reason, count, hosts
 * (folded), notes (lines). The caller owns the reference.
 */
json_t *summary_failures(struct summary *s);

#endif
