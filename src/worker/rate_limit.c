/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "worker/rate_limit.h"

#include "worker/session.h"
#include "worker/worker.h"

/* No less is given out at once, but for the end of a file. */
#define LEAST_BYTES 16384u
#define TICK_MS	    50u

void
rate_limit_init(struct rate_limit *l, uv_loop_t *loop, struct worker *worker)
{
	l->worker = worker;
	queue_init(&l->held);
	l->rate = l->allowance = l->refilled_ms = 0;
	uv_timer_init(loop, &l->refill);
	l->refill.data = l;
}

/* What has become free since; not more than a fifth of a second of it. */
static void
refill(struct rate_limit *l)
{
	uint64_t now = uv_now(l->refill.loop), most = l->rate / 5;

	if (most < LEAST_BYTES)
		most = LEAST_BYTES;
	l->allowance += l->rate * (now - l->refilled_ms);
	if (l->allowance > most * 1000)
		l->allowance = most * 1000;
	l->refilled_ms = now;
}

/*
 * Let as many of those held go on as there is something for, in their order;
 * each gets an equal part, and then goes to the end of the line.
 */
static void
tick(uv_timer_t *timer)
{
	struct rate_limit *l = timer->data;
	uint64_t count, share;
	struct session *s;

	refill(l);
	count = l->allowance / 1000 / LEAST_BYTES;
	if (count == 0)
		count = 1;
	if (count > l->held.count)
		count = l->held.count;
	share = count > 0 ? l->allowance / 1000 / count : 0;
	for (; count > 0; count--) {
		s = queue_take(&l->held);
		s->rate_grant = share;
		worker_queue_turn(l->worker, s);
	}
	if (l->held.first != NULL)
		uv_timer_start(timer, tick, TICK_MS, 0);
}

void
rate_limit_set(struct rate_limit *l, uint64_t rate)
{
	refill(l);
	l->rate = rate;
}

size_t
rate_limit_take(struct rate_limit *l, struct session *s, size_t len)
{
	size_t allowed;

	if (l->rate == 0)
		return len;
	refill(l);
	allowed = (size_t)(l->allowance / 1000);
	if (allowed > s->rate_grant)
		allowed = (size_t)s->rate_grant;
	/* Crumbs would only make packets. */
	if (allowed < len && allowed < LEAST_BYTES)
		return 0;
	if (len > allowed)
		len = allowed;
	s->rate_grant -= len;
	l->allowance -= (uint64_t)len * 1000;
	return len;
}

void
rate_limit_give_back(struct rate_limit *l, size_t len)
{
	l->allowance += (uint64_t)len * 1000;
}

void
rate_limit_hold(struct rate_limit *l, struct session *s)
{
	queue_put(&l->held, s);
	if (!uv_is_active((uv_handle_t *)&l->refill))
		uv_timer_start(&l->refill, tick, TICK_MS, 0);
}
