/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "control/limits.h"

#include <sys/resource.h>

/* stdio, pipes, epoll, eventfd and the like of a worker. */
#define BASE_DESCRIPTORS 20u
/* Each resolver thread may have a socket and a file open. */
#define RESOLVER_THREADS 32u

uint32_t
limits_raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return 256;
	if (limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
		getrlimit(RLIMIT_NOFILE, &limit);
	}
	return limit.rlim_cur > UINT32_MAX ? UINT32_MAX
					   : (uint32_t)limit.rlim_cur;
}

uint32_t
limits_sessions(uint32_t descriptors)
{
	uint32_t left;

	if (descriptors <= BASE_DESCRIPTORS + 2)
		return 1;
	left = descriptors - BASE_DESCRIPTORS;
	/* A session resolves its name first and has its socket later. */
	return left > 2 * RESOLVER_THREADS ? left - RESOLVER_THREADS : left / 2;
}
