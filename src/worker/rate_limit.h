/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rate_limit: how many bytes a second the transfers of a worker may move, all
 * together, and who of its sessions is next.
 */
#ifndef WORKER_RATE_LIMIT_H
#define WORKER_RATE_LIMIT_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "worker/queue.h"

struct session;
struct worker;

struct rate_limit {
	struct worker *worker;
	struct queue held;	  /* sessions that wait for their part */
	uint64_t rate, allowance; /* bytes a second; 1/1000 byte */
	uint64_t refilled_ms;
	uv_timer_t refill;
};

/* Without a limit; loop is that of worker, who gives the sessions turns. */
void rate_limit_init(
    struct rate_limit *l, uv_loop_t *loop, struct worker *worker);

/* From now on so many bytes a second, 0 for any number. */
void rate_limit_set(struct rate_limit *l, uint64_t rate);

/*
 * How many of len bytes s may move now; they count as moved. 0: not now;
 * rate_limit_hold() tells when.
 */
size_t rate_limit_take(struct rate_limit *l, struct session *s, size_t len);
/* They were not moved after all. */
void rate_limit_give_back(struct rate_limit *l, size_t len);

/* Let s have a turn when more is allowed. */
void rate_limit_hold(struct rate_limit *l, struct session *s);

#endif
