/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * meter: how fast a sum grows, over a window of the recent past that begins
 * no earlier than the meter.
 */
#ifndef REPORT_METER_H
#define REPORT_METER_H

#include <stddef.h>
#include <stdint.h>

#define METER_SAMPLES 20u

struct meter_sample {
	uint64_t ms, sum;
};

struct meter {
	uint32_t interval_ms;			    /* between samples */
	uint64_t due_ms;			    /* of the next one */
	struct meter_sample samples[METER_SAMPLES]; /* a ring */
	size_t oldest;
};

/* A window of METER_SAMPLES intervals; the sum is 0. */
void meter_init(struct meter *m, uint32_t interval_ms, uint64_t now_ms);
/* To be called once an interval, or more often. */
void meter_look(struct meter *m, uint64_t sum, uint64_t now_ms);
/*
 * A second, from the window's begin to now; 0 if the sum has not grown, and at
 * most 1e18.
 */
double meter_rate(const struct meter *m, uint64_t sum, uint64_t now_ms);

#endif
