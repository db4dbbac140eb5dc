/* SPDX-License-Identifier: GPL-3.0-or-later */
/* waiting: jobs, each with the time at which it is due. */
#ifndef CONTROL_WAITING_H
#define CONTROL_WAITING_H

#include <stddef.h>
#include <stdint.h>

#define WAITING_NO_JOB UINT32_MAX

struct waiting_job {
	uint64_t due_ms;
	uint32_t job;
};

/* A binary heap, the earliest first. Starts as all zero. */
struct waiting {
	struct waiting_job *jobs;
	size_t count, size;
};

void waiting_clear(struct waiting *w);

void waiting_add(struct waiting *w, uint32_t job, uint64_t due_ms);
/* When the first one is due; UINT64_MAX if there is none. */
uint64_t waiting_due_ms(const struct waiting *w);
/* Take the first one that is due by now; WAITING_NO_JOB if there is none. */
uint32_t waiting_take(struct waiting *w, uint64_t now_ms);

#endif
