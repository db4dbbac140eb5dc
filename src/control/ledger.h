/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ledger: what became of each job. It decides what may run (again) and is
 * what makes "exactly one result" and "never sent twice" true:
 *
 *   QUEUED ──▶ ASSIGNED ──▶ STARTED ──▶ DONE
 *    ▲  ▲          │ │         │         ▲
 *    │  └──────────┘ └─────────┼─────────┘
 *    │   worker died   ended   │
 *    └────── WAITING ◀─────────┘
 *                  did not start after all: its worker says so
 *
 * A job that is STARTED never goes back but by a result that proves that
 * nothing was sent. Which queued job is next is not said here.
 */
#ifndef CONTROL_LEDGER_H
#define CONTROL_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A job whose worker died so often before it started is given up. */
#define LEDGER_DEATHS_MAX 5
#define LEDGER_NO_JOB	  UINT32_MAX

enum job_state { JOB_QUEUED, JOB_WAITING, JOB_ASSIGNED, JOB_STARTED, JOB_DONE };

struct ledger;

/* Jobs 0 to count - 1, all queued. */
struct ledger *ledger_new(uint32_t count);
void ledger_free(struct ledger *l);

enum job_state ledger_state(const struct ledger *l, uint32_t job);
/* Whether job is in flight (ASSIGNED or STARTED) at that worker. */
int ledger_is_at(const struct ledger *l, uint32_t job, uint32_t worker);
/* The worker that has it, or had it last; it was assigned before. */
uint32_t ledger_worker(const struct ledger *l, uint32_t job);
/* Whether it is neither in flight nor done. */
bool ledger_is_idle(const struct ledger *l, uint32_t job);
/* How often the job was assigned. */
unsigned ledger_assignments(const struct ledger *l, uint32_t job);

/* How many are neither in flight nor done; waiting ones are among them. */
uint32_t ledger_idle(const struct ledger *l);
uint32_t ledger_in_flight(const struct ledger *l);
uint32_t ledger_done(const struct ledger *l);
/* The job in flight that was assigned first; LEDGER_NO_JOB if there is none. */
uint32_t ledger_oldest(const struct ledger *l);
/* The one after that job, which is in flight, too; LEDGER_NO_JOB at the end. */
uint32_t ledger_newer(const struct ledger *l, uint32_t job);

/* How many assignments were not a job's first one. */
uint64_t ledger_retries(const struct ledger *l);

/* Give an idle job to a worker. */
void ledger_assign(struct ledger *l, uint32_t job, uint32_t worker);
/* An idle job is done without having been assigned (again). */
void ledger_drop(struct ledger *l, uint32_t job);
/* The first idle job from that one on; LEDGER_NO_JOB if there is none. */
uint32_t ledger_next_idle(const struct ledger *l, uint32_t from);

/* The command may start from now on. The job must be ASSIGNED. */
void ledger_start(struct ledger *l, uint32_t job);
/* The job has its result. It must be in flight. */
void ledger_finish(struct ledger *l, uint32_t job);
/*
 * A job in flight has ended before its command was sent, and waits to be
 * assigned again.
 */
void ledger_wait(struct ledger *l, uint32_t job);

/*
 * What happens to the next job in flight at a worker that died: returns the
 * job, LEDGER_NO_JOB if there is none left; *lost is 0 if it is queued again,
 * 1 if it had started or died too often (its state is then DONE and the
 * caller owes it a result).
 */
uint32_t ledger_worker_died(struct ledger *l, uint32_t worker, int *lost);

#endif
