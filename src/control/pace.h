/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pace: how fast connections are started, over all hosts: so many a second,
 * so many at once, and fewer at once in the first moments of a run, so that
 * nobody's name servers, firewalls or login hosts are met by all at the same
 * instant.
 */
#ifndef CONTROL_PACE_H
#define CONTROL_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
	uint32_t fanout;
	uint32_t rate;
	bool has_begun;
	uint64_t began_ms; /* when the first connection was started */
	uint64_t next_ns;  /* when the rate allows another one */
};

/* fanout: at once; rate: a second, 0 for no limit. */
void pace_init(struct pace *p, uint32_t fanout, uint32_t rate);

/* Whether one more may be started, where in_flight are. */
bool pace_allows(const struct pace *p, uint32_t in_flight, uint64_t now_ms);
/* One is started. */
void pace_spend(struct pace *p, uint64_t now_ms);

/*
 * When pace_allows() will say yes though it says no now and nothing ends
 * until then; UINT64_MAX: never, or it says yes now.
 */
uint64_t pace_due_ms(const struct pace *p, uint32_t in_flight, uint64_t now_ms);

#endif
