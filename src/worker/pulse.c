/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "worker/pulse.h"

#define BEAT_MS 1000u
/* Less than that is a busy machine's everyday. */
#define MISSED_LEAST_MS 2000u

static void
look(struct pulse *p)
{
	uint64_t now = uv_now(p->timer.loop), gap = now - p->beat_ms;

	p->beat_ms = now;
	if (gap >= BEAT_MS + MISSED_LEAST_MS)
		p->missed(p->ctx, gap);
}

/* Comes before the timers, whichever is due first. */
static void
after_sleep(uv_check_t *check)
{
	look(check->data);
}

static void
beat(uv_timer_t *timer)
{
	look(timer->data);
}

void
pulse_start(struct pulse *p, uv_loop_t *loop,
    void (*missed)(void *ctx, uint64_t ms), void *ctx)
{
	p->missed = missed;
	p->ctx = ctx;
	p->beat_ms = uv_now(loop);
	uv_timer_init(loop, &p->timer);
	uv_check_init(loop, &p->check);
	p->timer.data = p->check.data = p;
	uv_timer_start(&p->timer, beat, BEAT_MS, BEAT_MS);
	uv_check_start(&p->check, after_sleep);
}
