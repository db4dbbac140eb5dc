/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "control/pace.h"

#include <string.h>

/* At once at the start, doubled after each step. */
#define RAMP_START   32u
#define RAMP_STEP_MS 250u

#define NS_PER_MS    UINT64_C(1000000)
#define NS_PER_S     UINT64_C(1000000000)
/* A late wake-up is made up for, a long pause is not. */
#define SLACK_NS (20 * NS_PER_MS)

void
pace_init(struct pace *p, uint32_t fanout, uint32_t rate)
{
	memset(p, 0, sizeof(*p));
	p->fanout = fanout;
	p->rate = rate;
}

static uint64_t
ramp_step(const struct pace *p, uint64_t now_ms)
{
	return p->has_begun ? (now_ms - p->began_ms) / RAMP_STEP_MS : 0;
}

/* How many there may be at once now. */
static uint32_t
pace_room(const struct pace *p, uint64_t now_ms)
{
	uint64_t step = ramp_step(p, now_ms);
	uint64_t room = step < 32 ? (uint64_t)RAMP_START << step : UINT64_MAX;

	return room < p->fanout ? (uint32_t)room : p->fanout;
}

static bool
is_rated(const struct pace *p, uint64_t now_ms)
{
	return p->rate > 0 && p->next_ns > now_ms * NS_PER_MS;
}

bool
pace_allows(const struct pace *p, uint32_t in_flight, uint64_t now_ms)
{
	return in_flight < pace_room(p, now_ms) && !is_rated(p, now_ms);
}

void
pace_spend(struct pace *p, uint64_t now_ms)
{
	uint64_t now_ns = now_ms * NS_PER_MS;

	if (!p->has_begun) {
		p->has_begun = true;
		p->began_ms = now_ms;
		p->next_ns = now_ns;
	}
	if (p->rate == 0)
		return;
	if (p->next_ns + SLACK_NS < now_ns)
		p->next_ns = now_ns - SLACK_NS;
	p->next_ns += NS_PER_S / p->rate;
}

uint64_t
pace_due_ms(const struct pace *p, uint32_t in_flight, uint64_t now_ms)
{
	uint64_t due = now_ms, rated;

	if (in_flight >= p->fanout || !p->has_begun)
		return UINT64_MAX;
	while (in_flight >= pace_room(p, due))
		due = p->began_ms + (ramp_step(p, due) + 1) * RAMP_STEP_MS;
	rated = (p->next_ns + NS_PER_MS - 1) / NS_PER_MS;
	if (is_rated(p, now_ms) && rated > due)
		due = rated;
	return due > now_ms ? due : UINT64_MAX;
}
