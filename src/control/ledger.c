/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "control/ledger.h"

#include <stdlib.h>

#include "util/log.h"
#include "util/xalloc.h"

struct job {
	enum job_state state;
	uint32_t worker;
	unsigned assignments;
	unsigned deaths; /* of workers that had it */
	/* in flight, by assignment; LEDGER_NO_JOB at either end */
	uint32_t older, newer;
};

struct ledger {
	struct job *jobs;
	uint32_t count;
	uint32_t in_flight;
	uint32_t oldest, newest; /* of these */
	uint32_t done;
	uint64_t retries;
	uint32_t died_scan; /* where ledger_worker_died() goes on */
};

struct ledger *
ledger_new(uint32_t count)
{
	struct ledger *l = xcalloc(1, sizeof(*l));

	l->jobs = xcalloc(count, sizeof(*l->jobs));
	l->count = count;
	l->oldest = l->newest = LEDGER_NO_JOB;
	return l;
}

void
ledger_free(struct ledger *l)
{
	if (l == NULL)
		return;
	free(l->jobs);
	free(l);
}

enum job_state
ledger_state(const struct ledger *l, uint32_t job)
{
	return l->jobs[job].state;
}

int
ledger_is_at(const struct ledger *l, uint32_t job, uint32_t worker)
{
	return job < l->count && l->jobs[job].worker == worker &&
	    (l->jobs[job].state == JOB_ASSIGNED ||
		l->jobs[job].state == JOB_STARTED);
}

uint32_t
ledger_worker(const struct ledger *l, uint32_t job)
{
	return l->jobs[job].worker;
}

bool
ledger_is_idle(const struct ledger *l, uint32_t job)
{
	return l->jobs[job].state == JOB_QUEUED ||
	    l->jobs[job].state == JOB_WAITING;
}

unsigned
ledger_assignments(const struct ledger *l, uint32_t job)
{
	return l->jobs[job].assignments;
}

uint32_t
ledger_idle(const struct ledger *l)
{
	return l->count - l->in_flight - l->done;
}

uint32_t
ledger_in_flight(const struct ledger *l)
{
	return l->in_flight;
}

uint32_t
ledger_done(const struct ledger *l)
{
	return l->done;
}

uint64_t
ledger_retries(const struct ledger *l)
{
	return l->retries;
}

uint32_t
ledger_oldest(const struct ledger *l)
{
	return l->oldest;
}

uint32_t
ledger_newer(const struct ledger *l, uint32_t job)
{
	return l->jobs[job].newer;
}

static void
flight_enter(struct ledger *l, uint32_t job)
{
	l->jobs[job].older = l->newest;
	l->jobs[job].newer = LEDGER_NO_JOB;
	if (l->newest != LEDGER_NO_JOB)
		l->jobs[l->newest].newer = job;
	else
		l->oldest = job;
	l->newest = job;
	l->in_flight++;
}

static void
flight_leave(struct ledger *l, uint32_t job)
{
	uint32_t older = l->jobs[job].older, newer = l->jobs[job].newer;

	if (older != LEDGER_NO_JOB)
		l->jobs[older].newer = newer;
	else
		l->oldest = newer;
	if (newer != LEDGER_NO_JOB)
		l->jobs[newer].older = older;
	else
		l->newest = older;
	l->in_flight--;
}

static void
check_idle(const struct ledger *l, uint32_t job, const char *what)
{
	if (!ledger_is_idle(l, job))
		fatal("job %u %s out of turn", job, what);
}

void
ledger_assign(struct ledger *l, uint32_t job, uint32_t worker)
{
	check_idle(l, job, "assigned");
	l->jobs[job].state = JOB_ASSIGNED;
	l->jobs[job].worker = worker;
	l->retries += l->jobs[job].assignments++ > 0;
	flight_enter(l, job);
}

void
ledger_drop(struct ledger *l, uint32_t job)
{
	check_idle(l, job, "dropped");
	l->jobs[job].state = JOB_DONE;
	l->done++;
}

uint32_t
ledger_next_idle(const struct ledger *l, uint32_t from)
{
	if (ledger_idle(l) == 0)
		return LEDGER_NO_JOB;
	for (; from < l->count; from++) {
		if (ledger_is_idle(l, from))
			return from;
	}
	return LEDGER_NO_JOB;
}

void
ledger_start(struct ledger *l, uint32_t job)
{
	if (l->jobs[job].state != JOB_ASSIGNED)
		fatal("job %u started out of turn", job);
	l->jobs[job].state = JOB_STARTED;
}

static void
check_in_flight(const struct ledger *l, uint32_t job, const char *what)
{
	if (l->jobs[job].state != JOB_ASSIGNED &&
	    l->jobs[job].state != JOB_STARTED)
		fatal("job %u %s out of turn", job, what);
}

void
ledger_wait(struct ledger *l, uint32_t job)
{
	check_in_flight(l, job, "put back");
	l->jobs[job].state = JOB_WAITING;
	flight_leave(l, job);
}

void
ledger_finish(struct ledger *l, uint32_t job)
{
	check_in_flight(l, job, "finished");
	l->jobs[job].state = JOB_DONE;
	flight_leave(l, job);
	l->done++;
}

uint32_t
ledger_worker_died(struct ledger *l, uint32_t worker, int *lost)
{
	struct job *j;
	uint32_t job;

	for (; l->died_scan < l->count; l->died_scan++) {
		job = l->died_scan;
		if (!ledger_is_at(l, job, worker))
			continue;
		j = &l->jobs[job];
		*lost =
		    j->state == JOB_STARTED || ++j->deaths >= LEDGER_DEATHS_MAX;
		if (*lost) {
			ledger_finish(l, job);
		} else {
			j->state = JOB_QUEUED;
			flight_leave(l, job);
		}
		return job;
	}
	l->died_scan = 0;
	return LEDGER_NO_JOB;
}
