/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * clock_jumps: to be preloaded. The time of day is another one at each look,
 * up to a few days before or after; time that only goes forward is left alone.
 */
#include "config.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/time.h>
#include <time.h>

#define JUMP_MOST_S (5 * 24 * 3600)

static int64_t
jump_s(void)
{
	static atomic_uint_fast64_t looks;
	uint64_t x = atomic_fetch_add(&looks, 1) + 1;

	/* splitmix64, so that no two looks agree */
	x *= UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	return (int64_t)(x % (2 * JUMP_MOST_S)) - JUMP_MOST_S;
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	static int (*real)(clockid_t, struct timespec *);
	int rc;

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	rc = real(id, ts);
	if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		ts->tv_sec += jump_s();
	return rc;
}

int
gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec ts;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &ts);
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = ts.tv_nsec / 1000;
	return 0;
}

time_t
time(time_t *t)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (t != NULL)
		*t = ts.tv_sec;
	return ts.tv_sec;
}
