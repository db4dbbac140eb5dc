/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pulse: notices that this process did not run for a while: it was stopped by
 * a signal, frozen with its container, or the machine had no time for it. The
 * loop's timers would then blame the hosts for that time, before what they
 * have sent meanwhile is read.
 */
#ifndef WORKER_PULSE_H
#define WORKER_PULSE_H

#include <stdint.h>
#include <uv.h>

struct pulse {
	uv_timer_t timer; /* keeps the loop from sleeping for longer */
	uv_check_t check;
	uint64_t beat_ms; /* the last one */
	void (*missed)(void *ctx, uint64_t ms);
	void *ctx;
};

/*
 * From now on missed is called after a gap, for the ms that are lost, before
 * any timer that became due in that time.
 */
void pulse_start(struct pulse *p, uv_loop_t *loop,
    void (*missed)(void *ctx, uint64_t ms), void *ctx);

#endif
