/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tally: what the records of a run add up to: hosts that have ended, and what
 * they sent and took.
 */
#ifndef REPORT_TALLY_H
#define REPORT_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "report/histogram.h"
#include "report/report.h"

enum latency {
	LATENCY_CONNECT, /* of hosts that presented a key */
	LATENCY_AUTH,	 /* of hosts that were logged in to */
	LATENCY_TOTAL,	 /* of hosts that were begun, retries and all */
	LATENCY_COUNT
};

/* Starts as all zero. */
struct tally {
	uint64_t ended;		       /* hosts */
	uint64_t counts[STATUS_COUNT]; /* of these */
	uint64_t begun[STATUS_COUNT];  /* of these, as outcome_may_have_run() */
	uint64_t stdout_bytes, stderr_bytes;
	bool has_transfers;
	uint64_t bytes, files, unchanged;	   /* as records have them */
	struct histogram latencies[LATENCY_COUNT]; /* milliseconds */
};

void tally_add(struct tally *t, const struct record *record);
/* How many hosts have ended and are not ok. */
uint64_t tally_failed(const struct tally *t);

#endif
