/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * histogram: how values are distributed, in memory that does not grow with
 * their number. A value is rounded up to three significant decimal digits and
 * counted, so a percentile is less than 1 % too high, and the number of values
 * up to a limit is exact if the limit has no more digits than that.
 */
#ifndef REPORT_HISTOGRAM_H
#define REPORT_HISTOGRAM_H

#include <stdint.h>

/* Larger values count as this one. */
#define HISTOGRAM_MAX UINT64_C(999000000)
/* 0 to 999, then 900 for each power of ten: 1000 to 9990, ... */
#define HISTOGRAM_BUCKETS (1000 + 6 * 900)

/* Starts as all zero. */
struct histogram {
	uint64_t count;
	uint64_t sum; /* of the values as they were */
	uint32_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t value);

/*
 * The least value, rounded up, that percent (1 to 100) of the values do not
 * exceed: the nearest-rank percentile. 0 if there is no value.
 */
uint64_t histogram_percentile(const struct histogram *h, unsigned percent);

/* How many values are limit or less; limit is at most HISTOGRAM_MAX. */
uint64_t histogram_up_to(const struct histogram *h, uint64_t limit);

#endif
