/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "util/clock.h"

#include <stdio.h>
#include <time.h>

static uint64_t
clock_read_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

uint64_t
clock_now_ms(void)
{
	return clock_read_ms(CLOCK_MONOTONIC);
}

uint64_t
clock_wall_ms(void)
{
	return clock_read_ms(CLOCK_REALTIME);
}

void
clock_text(char *text, uint64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	char day[32];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	if (strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		day[0] = '\0';
	snprintf(
	    text, CLOCK_TEXT_SIZE, "%s.%03uZ", day, (unsigned)(wall_ms % 1000));
}
