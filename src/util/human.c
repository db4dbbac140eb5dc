/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "util/human.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
#define UNITS (sizeof(units) / sizeof(units[0]))

void
human_bytes(char *text, size_t size, uint64_t bytes)
{
	double value = (double)bytes / 1000;
	size_t unit = 0;

	if (bytes < 1000) {
		snprintf(text, size, "%" PRIu64 " B", bytes);
		return;
	}
	/* What would be rounded to 1000 is 1.0 of the next. */
	for (; value >= 999.5 && unit < UNITS - 1; unit++)
		value /= 1000;
	snprintf(
	    text, size, "%.*f %s", value < 99.95 ? 1 : 0, value, units[unit]);
}

void
human_rate(char *text, size_t size, uint64_t bytes_per_s)
{
	char bytes[HUMAN_SIZE];

	human_bytes(bytes, sizeof(bytes), bytes_per_s);
	snprintf(text, size, "%s/s", bytes);
}

void
human_clock(char *text, size_t size, uint64_t seconds)
{
	uint64_t minutes = seconds / 60;

	if (minutes < 60)
		snprintf(text, size, "%" PRIu64 ":%02u", minutes,
		    (unsigned)(seconds % 60));
	else
		snprintf(text, size, "%" PRIu64 ":%02u:%02u", minutes / 60,
		    (unsigned)(minutes % 60), (unsigned)(seconds % 60));
}

void
human_duration(char *text, size_t size, uint64_t ms)
{
	char clock[HUMAN_SIZE];

	if (ms < 59950) {
		snprintf(text, size, "%.1f s", (double)ms / 1000);
		return;
	}
	human_clock(clock, sizeof(clock), (ms + 500) / 1000);
	snprintf(text, size, "%s %s", clock, ms < 3599500 ? "min" : "h");
}

void
human_latency(char *text, size_t size, uint64_t ms)
{
	if (ms < 1000)
		snprintf(text, size, "%" PRIu64 " ms", ms);
	else
		human_duration(text, size, ms);
}
