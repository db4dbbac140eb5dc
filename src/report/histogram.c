/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/histogram.h"

#include <stddef.h>

static size_t
bucket_of(uint64_t value)
{
	size_t first = 0;

	if (value > HISTOGRAM_MAX)
		value = HISTOGRAM_MAX;
	for (; value >= 1000; first += 900)
		value = (value + 9) / 10;
	return first + (size_t)value;
}

/* The greatest value that belongs there. */
static uint64_t
bucket_value(size_t bucket)
{
	uint64_t scale = 1;

	for (; bucket >= 1000; bucket -= 900)
		scale *= 10;
	return bucket * scale;
}

void
histogram_add(struct histogram *h, uint64_t value)
{
	h->count++;
	h->sum += value;
	h->buckets[bucket_of(value)]++;
}

uint64_t
histogram_percentile(const struct histogram *h, unsigned percent)
{
	uint64_t rank = (h->count * percent + 99) / 100, seen = 0;
	size_t i = 0;

	if (h->count == 0)
		return 0;
	while ((seen += h->buckets[i]) < rank)
		i++;
	return bucket_value(i);
}

uint64_t
histogram_up_to(const struct histogram *h, uint64_t limit)
{
	size_t last = bucket_of(limit), i;
	uint64_t seen = 0;

	for (i = 0; i <= last; i++)
		seen += h->buckets[i];
	return seen;
}
