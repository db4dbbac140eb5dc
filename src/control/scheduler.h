/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * scheduler: the one place that decides which job may start when. It knows
 * the order, the waves of a rolling run, who waits for a retry, and what
 * spares the servers; the ledger, which it reads, knows what became of each
 * job. Times are passed in, in milliseconds of a clock that only goes forward.
 */
#ifndef CONTROL_SCHEDULER_H
#define CONTROL_SCHEDULER_H

#include <stdbool.h>
#include <stdint.h>

#include "control/ledger.h"
#include "control/waves.h"
#include "inventory/inventory.h"
#include "wire/outcome.h"

#define SCHEDULER_NO_JOB LEDGER_NO_JOB

/* What the user wants of it. */
struct schedule {
	uint32_t retries; /* of a host, at most */
	uint32_t retry_delay_ms;
	struct waves waves;
	uint32_t pause_ms; /* between waves */
	bool has_confirm;  /* ask before each wave but the first */
	bool has_max_fail;
	struct amount max_fail; /* start no more when more have failed */
	bool is_shuffled;
	uint64_t seed;		  /* of the order and of the delays */
	uint32_t rate;		  /* connections a second; 0: no limit */
	uint32_t max_startups;	  /* at one address; 0: no limit */
	uint32_t auth_fail_limit; /* refused logins in a row; 0: no limit */
};

/* How far a rolling run is when it asks whether to go on. */
struct scheduler_wave {
	uint32_t done, failed;
	uint32_t next; /* hosts of the next wave */
	uint32_t total;
};

struct scheduler;

/*
 * Jobs 0 to count - 1 are those hosts, all idle in the ledger. Hosts and
 * ledger must outlive it.
 */
struct scheduler *scheduler_new(const struct schedule *schedule,
    const struct host *hosts, uint32_t count, uint32_t fanout,
    const struct ledger *ledger);
void scheduler_free(struct scheduler *s);

/*
 * First in a round, as it may end a wave: the next job that is not to be
 * started any more, to be dropped in the ledger and reported as skipped;
 * SCHEDULER_NO_JOB if there is none. *reason: in words, valid until the next
 * call.
 */
uint32_t scheduler_skip(struct scheduler *s, const char **reason);
/*
 * Then, once: take note of the time. Waits and pauses that are over by now
 * end.
 */
void scheduler_look(struct scheduler *s, uint64_t now_ms);
/*
 * The next job that may start now, to be assigned in the ledger, which it is
 * before anything else is called here; SCHEDULER_NO_JOB if there is none.
 */
uint32_t scheduler_next(struct scheduler *s);

/*
 * When scheduler_next() may know more than it did at the last look, though no
 * job ends until then; UINT64_MAX: never.
 */
uint64_t scheduler_due_ms(const struct scheduler *s);

/* The job has connected once more (with other host key types). */
void scheduler_reconnected(struct scheduler *s);
/* The job has logged in. */
void scheduler_authenticated(struct scheduler *s, uint32_t job);
/*
 * A job in flight has ended so. may_retry: nothing else speaks against
 * another attempt. Returns whether there will be one (the job is to wait in
 * the ledger) or this is its result (the job is done there).
 */
bool scheduler_ended(struct scheduler *s, uint32_t job, enum status status,
    enum stage stage, bool may_retry, uint64_t now_ms);
/* A job in flight is queued again, since its worker died. */
void scheduler_requeue(struct scheduler *s, uint32_t job);

/* Whether it waits for scheduler_confirm(); wave says before which wave. */
bool scheduler_asks(const struct scheduler *s, struct scheduler_wave *wave);
void scheduler_confirm(struct scheduler *s, bool is_confirmed);

#endif
