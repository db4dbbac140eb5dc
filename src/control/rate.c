/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "control/rate.h"

#include "util/clock.h"

#define INTERVAL_MS 100u

static uint32_t
jobs_at(const struct run *run, const struct worker_process *w)
{
	return w->pid != 0 && w->is_ready ? run->config.slots - w->free_slots
					  : 0;
}

static uint64_t
share(const struct run *run, const struct worker_process *w)
{
	uint64_t limit = run->plan->rate_limit, rate;
	uint32_t all = ledger_in_flight(run->ledger);

	/* The limit may have 60 bits. */
	rate =
	    limit / all * jobs_at(run, w) + limit % all * jobs_at(run, w) / all;
	return rate > 0 ? rate : 1;
}

/*
 * What has changed: nothing, a share, or a worker has jobs and no share yet,
 * which can't wait.
 */
enum change { CHANGE_NONE, CHANGE_SHARE, CHANGE_FIRST };

static enum change
rate_change(const struct run *run)
{
	enum change change = CHANGE_NONE;
	const struct worker_process *w;
	uint32_t i;

	for (i = 0; i < run->pool.count; i++) {
		w = &run->pool.workers[i];
		if (jobs_at(run, w) == 0)
			continue;
		if (w->rate == 0)
			return CHANGE_FIRST;
		if (w->rate != share(run, w))
			change = CHANGE_SHARE;
	}
	return change;
}

void
rate_tell(struct run *run)
{
	struct worker_process *w;
	struct msg_rate msg;
	enum change change;
	uint64_t now;
	uint32_t i;

	if (run->plan->rate_limit == 0)
		return;
	change = rate_change(run);
	now = clock_now_ms();
	if (change == CHANGE_NONE ||
	    (change == CHANGE_SHARE && now < run->rate_next_ms))
		return;
	run->rate_next_ms = now + INTERVAL_MS;
	for (i = 0; i < run->pool.count; i++) {
		w = &run->pool.workers[i];
		if (jobs_at(run, w) == 0) {
			w->rate = 0; /* with jobs again it is told at once */
			continue;
		}
		msg.bytes_per_s = share(run, w);
		if (w->rate == msg.bytes_per_s)
			continue;
		w->rate = msg.bytes_per_s;
		pool_send(&run->pool, i, FRAME_RATE, FRAME_NO_JOB, &msg);
	}
}

uint64_t
rate_due_ms(const struct run *run)
{
	if (run->plan->rate_limit == 0 || rate_change(run) == CHANGE_NONE)
		return UINT64_MAX;
	return run->rate_next_ms;
}
