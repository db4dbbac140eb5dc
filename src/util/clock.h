/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clock: time that only goes forward, and the time of day for reports. */
#ifndef UTIL_CLOCK_H
#define UTIL_CLOCK_H

#include <stdint.h>

#define CLOCK_TEXT_SIZE 48

/* CLOCK_MONOTONIC in milliseconds. */
uint64_t clock_now_ms(void);

/* CLOCK_REALTIME in milliseconds since 1970-01-01 UTC. */
uint64_t clock_wall_ms(void);

/* RFC 3339, UTC, with milliseconds, into CLOCK_TEXT_SIZE bytes. */
void clock_text(char *text, uint64_t wall_ms);

#endif
