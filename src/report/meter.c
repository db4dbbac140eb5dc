/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/meter.h"

/* More is nothing that was moved; this fits into 64 bits. */
#define RATE_MOST 1e18

void
meter_init(struct meter *m, uint32_t interval_ms, uint64_t now_ms)
{
	size_t i;

	m->interval_ms = interval_ms;
	m->due_ms = now_ms + interval_ms;
	m->oldest = 0;
	for (i = 0; i < METER_SAMPLES; i++)
		m->samples[i] = (struct meter_sample){now_ms, 0};
}

void
meter_look(struct meter *m, uint64_t sum, uint64_t now_ms)
{
	if (now_ms < m->due_ms)
		return;
	m->due_ms = now_ms + m->interval_ms;
	m->samples[m->oldest] = (struct meter_sample){now_ms, sum};
	m->oldest = (m->oldest + 1) % METER_SAMPLES;
}

double
meter_rate(const struct meter *m, uint64_t sum, uint64_t now_ms)
{
	const struct meter_sample *old = &m->samples[m->oldest];
	double rate;

	/* What begins again takes back what it had. */
	if (now_ms <= old->ms || sum <= old->sum)
		return 0;
	rate = (double)(sum - old->sum) * 1000 / (double)(now_ms - old->ms);
	return rate < RATE_MOST ? rate : RATE_MOST;
}
