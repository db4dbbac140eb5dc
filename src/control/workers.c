/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A worker that dies is read to the end of its pipe first; what the ledger
 * then still has in flight there is queued again, or lost if its command may
 * have started; and a new worker takes its place.
 *
 * A worker talks to strangers, and one of them may have taken it over. So it is
 * ended for whatever a worker of ours does not do: a frame that is malformed or
 * out of turn (dispatch.c), not reading, not answering pings, keeping a job
 * beyond limits that a worker enforces itself. Nothing that it sent behind that
 * counts, and nothing is waited for: its pipes may be held by another process.
 *
 * Ticks are counted, not time: a run that was suspended finds its workers awake
 * again.
 */
#include "config.h"

#include "control/workers.h"

#include <signal.h>
#include <sys/wait.h>

#include "util/clock.h"
#include "util/log.h"

/* A worker with hosts in hand is pinged every tick, and is silent for so many
 * at most. */
#define SILENT_TICKS_MAX 6u
/* So many pings may wait for an answer, behind other things that it sends. */
#define PINGS_MAX 12u
/* After so many that ended before they had a job, in a row, no more. */
#define BARREN_MAX 3u
/* So many are told of that had to be ended. */
#define FAULTS_TOLD 10u
/* So long what killed workers have sent is read. */
#define ABORT_READ_MS 2000u

void
workers_begin(struct run *run)
{
	run->tick_due_ms = clock_now_ms() + PING_INTERVAL_MS;
}

uint64_t
workers_due_ms(const struct run *run)
{
	return run->tick_due_ms;
}

/* --- the end of one ------------------------------------------------------ */

static void
describe_end(
    const struct worker_process *w, const char *fault, struct error *message)
{
	bool is_killed = WIFSIGNALED(w->exit_status);
	bool has_words = w->log.last[0] != '\0';

	if (fault != NULL)
		error_set(message, "worker killed: %s", fault);
	else
		error_set(message, "worker %s %d%s%s%s",
		    is_killed ? "killed by signal" : "exited with status",
		    is_killed ? WTERMSIG(w->exit_status)
			      : WEXITSTATUS(w->exit_status),
		    has_words ? " (" : "", w->log.last, has_words ? ")" : "");
}

static void
tell_end(struct run *run, uint32_t i, const char *fault, const char *message,
    bool had_hosts)
{
	static const char hosts[] =
	    "; its hosts that had begun are lost, others begin again";

	if (fault != NULL && run->faults_told++ < FAULTS_TOLD)
		log_error("worker %u is killed: %s%s", i, fault,
		    had_hosts ? hosts : "");
	if (fault == NULL && had_hosts && run->stop_status == 0)
		log_warn_few(&run->deaths_told, "%s%s", message, hosts);
}

/* Start another one in its place, if that is of any use. */
static void
worker_replace(struct run *run, uint32_t i, const char *message)
{
	struct error err;

	if (ledger_idle(run->ledger) == 0)
		return;
	if (run->barren == BARREN_MAX)
		log_error(
		    "%s does not start: %s (is the installation complete?)",
		    run->pool.program, message);
	if (run->barren < BARREN_MAX &&
	    pool_start(&run->pool, i, &run->config, &err) == -1)
		log_error("no new worker: %s", err.text);
}

/* Worker i has ended by itself, or has to, and fault says why. */
static void
worker_end(struct run *run, uint32_t i, const char *fault)
{
	struct worker_process *w = &run->pool.workers[i];
	bool was_used = w->is_used, had_hosts;
	struct error message;

	pool_reap(&run->pool, i);
	describe_end(w, fault, &message);
	had_hosts = jobs_worker_died(run, i, message.text);
	tell_end(run, i, fault, message.text, had_hosts);
	run->barren = was_used ? 0 : run->barren + 1;
	if (run->stop_status != 0)
		jobs_drop_queued(
		    run, STATUS_CANCELLED, "stopped before it started");
	else
		worker_replace(run, i, message.text);
}

void
workers_read(struct run *run, uint32_t i)
{
	int rc = pool_read(&run->pool, i);
	struct error why;

	/* A dead worker's last words count, so frames come first. */
	if (dispatch_frames(run, i, &why) == -1)
		worker_end(run, i, why.text);
	else if (rc == -1)
		worker_end(run, i, NULL);
}

void
workers_abort(struct run *run)
{
	uint64_t until_ms = clock_now_ms() + ABORT_READ_MS;
	struct error why;
	uint32_t i;

	pool_signal(&run->pool, SIGKILL);
	for (i = 0; i < run->pool.count; i++) {
		while (dispatch_frames(run, i, &why) == 0 &&
		    pool_wait(&run->pool, i, until_ms) == 0 &&
		    pool_read(&run->pool, i) == 0)
			;
		pool_reap(&run->pool, i);
	}
}

/* --- looking after them -------------------------------------------------- */

/*
 * The ticks that a job may take for its login, or then for its task: twice what
 * the worker allows it, which does not count the time in which it stood still
 * itself, and then as much as a worker may be silent.
 */
static uint64_t
ticks_allowed(const struct run *run, uint32_t job)
{
	const struct host *host = &run->plan->hosts[job];
	uint64_t limit_ms = host->connect_timeout_ms;

	if (run->notes[job].phase == PHASE_TASK) {
		if (host->timeout_ms == 0)
			return UINT64_MAX;
		limit_ms += host->timeout_ms;
	}
	return 2 * (limit_ms / PING_INTERVAL_MS + 1) + SILENT_TICKS_MAX;
}

static void
jobs_tick(struct run *run)
{
	uint32_t job = ledger_oldest(run->ledger);
	struct job_note *note;

	for (; job != LEDGER_NO_JOB; job = ledger_newer(run->ledger, job)) {
		note = &run->notes[job];
		if (++note->ticks > ticks_allowed(run, job))
			run->pool.workers[ledger_worker(run->ledger, job)]
			    .is_late = true;
	}
}

/* Returns 0, or -1 with what is wrong with it. */
static int
worker_tick(struct run *run, uint32_t i, struct error *why)
{
	struct worker_process *w = &run->pool.workers[i];

	if (w->is_ready && w->free_slots == run->config.slots)
		return 0;
	if (w->silent_ticks++ == SILENT_TICKS_MAX)
		return error_set(why, "it hangs, no answer in %u s",
		    SILENT_TICKS_MAX * PING_INTERVAL_MS / 1000);
	if (w->pings == PINGS_MAX)
		return error_set(why, "it has not answered for %u s",
		    PINGS_MAX * PING_INTERVAL_MS / 1000);
	if (w->is_late)
		return error_set(why, "it keeps a host beyond its time limit");
	w->pings++;
	pool_send(&run->pool, i, FRAME_PING, FRAME_NO_JOB, NULL);
	return 0;
}

void
workers_look(struct run *run)
{
	bool is_tick = clock_now_ms() >= run->tick_due_ms;
	struct error why;
	uint32_t i;

	if (is_tick) {
		workers_begin(run);
		jobs_tick(run);
	}
	for (i = 0; i < run->pool.count; i++) {
		if (run->pool.workers[i].pid == 0)
			continue;
		if (run->pool.workers[i].is_deaf)
			worker_end(run, i, "it does not read any more");
		else if (is_tick && worker_tick(run, i, &why) == -1)
			worker_end(run, i, why.text);
	}
}
