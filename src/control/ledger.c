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
	uint32_t next_again; /* in the list of those queued again */
};

struct ledger {
	struct job *jobs;
	uint32_t count;
	uint32_t next;	      /* the first that was never assigned */
	uint32_t first_again; /* the first queued again: they go first */
	uint32_t again;	      /* how many are */
	uint32_t in_flight;
	uint32_t done;
	uint32_t died_scan; /* where ledger_worker_died() goes on */
};

struct ledger *
ledger_new(uint32_t count)
{
	struct ledger *l = xcalloc(1, sizeof(*l));

	l->jobs = xcalloc(count, sizeof(*l->jobs));
	l->count = count;
	l->first_again = LEDGER_NO_JOB;
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

unsigned
ledger_assignments(const struct ledger *l, uint32_t job)
{
	return l->jobs[job].assignments;
}

uint32_t
ledger_queued(const struct ledger *l)
{
	return l->count - l->next + l->again;
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

static uint32_t
ledger_take(struct ledger *l)
{
	uint32_t job = l->first_again;

	if (job != LEDGER_NO_JOB) {
		l->first_again = l->jobs[job].next_again;
		l->again--;
		return job;
	}
	return l->next < l->count ? l->next++ : LEDGER_NO_JOB;
}

uint32_t
ledger_assign(struct ledger *l, uint32_t worker)
{
	uint32_t job = ledger_take(l);

	if (job == LEDGER_NO_JOB)
		return job;
	l->jobs[job].state = JOB_ASSIGNED;
	l->jobs[job].worker = worker;
	l->jobs[job].assignments++;
	l->in_flight++;
	return job;
}

uint32_t
ledger_drop_queued(struct ledger *l)
{
	uint32_t job = ledger_take(l);

	if (job == LEDGER_NO_JOB)
		return job;
	l->jobs[job].state = JOB_DONE;
	l->done++;
	return job;
}

void
ledger_start(struct ledger *l, uint32_t job)
{
	if (l->jobs[job].state != JOB_ASSIGNED)
		fatal("job %u started out of turn", job);
	l->jobs[job].state = JOB_STARTED;
}

void
ledger_finish(struct ledger *l, uint32_t job)
{
	if (l->jobs[job].state != JOB_ASSIGNED &&
	    l->jobs[job].state != JOB_STARTED)
		fatal("job %u finished out of turn", job);
	l->jobs[job].state = JOB_DONE;
	l->in_flight--;
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
		*lost = j->state == JOB_STARTED ||
		    j->assignments >= LEDGER_ASSIGN_MAX;
		if (*lost) {
			ledger_finish(l, job);
		} else {
			j->state = JOB_QUEUED;
			j->next_again = l->first_again;
			l->first_again = job;
			l->again++;
			l->in_flight--;
		}
		return job;
	}
	l->died_scan = 0;
	return LEDGER_NO_JOB;
}
