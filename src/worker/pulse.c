/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "worker/pulse.h"

#define BEAT_MS 1000u
/* Less than that is a busy machine's everyday. */
#define MISSED_LEAST_MS 2000u

/* Timers run in the order in which they are due, so this one comes first. */
static void
beat(uv_timer_t *timer)
{
	struct pulse *p = timer->data;
	uint64_t now = uv_now(timer->loop), gap = now - p->beat_ms;

	p->beat_ms = now;
	if (gap >= BEAT_MS + MISSED_LEAST_MS)
		p->missed(p->ctx, gap - BEAT_MS);
	uv_timer_start(timer, beat, BEAT_MS, 0);
}

void
pulse_start(struct pulse *p, uv_loop_t *loop,
    void (*missed)(void *ctx, uint64_t ms), void *ctx)
{
	p->missed = missed;
	p->ctx = ctx;
	p->beat_ms = uv_now(loop);
	uv_timer_init(loop, &p->timer);
	p->timer.data = p;
	uv_timer_start(&p->timer, beat, BEAT_MS, 0);
}
