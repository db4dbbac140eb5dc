/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a worker gets to know of a job, and what becomes of jobs whose end no
 * worker tells: those that never start, those whose worker died.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "control/run.h"
#include "control/trace.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/secret.h"
#include "util/xalloc.h"

/* --- records ------------------------------------------------------------- */

bool
run_is_transfer(const struct run *run)
{
	return run->config.task != TASK_EXEC;
}

struct record
job_record(const struct run *run, uint32_t job)
{
	const struct host *host = &run->plan->hosts[job];
	const struct job_note *note = &run->notes[job];
	struct record record = {.seq = job,
	    .hosts = run->plan->host_count,
	    .host = host->name,
	    .address = "",
	    .groups = host->groups,
	    .is_transfer = run_is_transfer(run),
	    .signal = "",
	    .message = "",
	    .sha256 = "",
	    .attempts = ledger_assignments(run->ledger, job)};

	if (note->started_at_ms > 0) {
		record.started_at_ms = note->started_at_ms;
		record.cost_ms = clock_now_ms() - note->began_ms;
		record.retry_ms = note->attempt_ms - note->began_ms;
	}
	return record;
}

void
job_result(struct run *run, const struct record *record)
{
	struct host *host = &run->plan->hosts[record->seq];

	trace_end(record);
	report_record(run->plan->report, record);
	/* It is tried no more. */
	secret_free(host->password);
	host->password = NULL;
}

static void
job_end(struct run *run, uint32_t job, enum status status, enum stage stage,
    const char *message)
{
	struct record record = job_record(run, job);

	record.status = status;
	record.stage = stage;
	record.message = message;
	job_result(run, &record);
}

void
job_wait(struct run *run, uint32_t job, const struct record *record)
{
	struct job_note *note = &run->notes[job];

	ledger_wait(run->ledger, job);
	job_note_reset(note);
	note->last_status = record->status;
	note->last_stage = record->stage;
	free(note->last_message);
	note->last_message = xstrdup(record->message);
}

/*
 * An idle job is not to be started. If it waited for a retry, that there is
 * none changes nothing about how it ended.
 */
static void
job_drop(struct run *run, uint32_t job, enum status status, const char *message)
{
	const struct job_note *note = &run->notes[job];
	bool has_ended = ledger_state(run->ledger, job) == JOB_WAITING;

	ledger_drop(run->ledger, job);
	if (has_ended)
		job_end(run, job, note->last_status, note->last_stage,
		    note->last_message);
	else
		job_end(run, job, status, STAGE_NONE, message);
}

void
jobs_drop_queued(struct run *run, enum status status, const char *message)
{
	uint32_t job = 0;

	for (;; job++) {
		job = ledger_next_idle(run->ledger, job);
		if (job == LEDGER_NO_JOB)
			return;
		job_drop(run, job, status, message);
	}
}

static enum stage
task_stage(const struct run *run)
{
	return run_is_transfer(run) ? STAGE_TRANSFER : STAGE_COMMAND;
}

void
jobs_drop_in_flight(struct run *run, enum status status, const char *message)
{
	uint32_t job;

	for (job = 0; ledger_in_flight(run->ledger) > 0; job++) {
		if (ledger_state(run->ledger, job) != JOB_ASSIGNED &&
		    ledger_state(run->ledger, job) != JOB_STARTED)
			continue;
		ledger_finish(run->ledger, job);
		job_end(run, job, status,
		    run->notes[job].phase >= PHASE_LOGIN ? task_stage(run)
							 : STAGE_CONNECT,
		    message);
	}
}

void
job_note_reset(struct job_note *note)
{
	free(note->host_key);
	note->host_key = NULL;
	note->host_key_len = 0;
	note->sign_serial = 0;
	note->next_key = 0;
	note->refusals = 0;
	note->ticks = 0;
	note->phase = PHASE_CONNECT;
	note->is_retried = false;
	note->is_sent = false;
}

/* Its worker died, and it is not queued again. */
static void
job_lost(struct run *run, uint32_t job, bool is_started, const char *message)
{
	enum status status = is_started ? STATUS_LOST : STATUS_ERROR;
	enum stage stage = is_started ? task_stage(run) : STAGE_LOCAL;
	struct error why;

	error_set(&why, "%s%s",
	    is_started ? ""
		       : "its workers died, again and again, before anything "
			 "was done; the last: ",
	    message);
	scheduler_ended(
	    run->scheduler, job, status, stage, false, clock_now_ms());
	job_end(run, job, status, stage, why.text);
}

static void
job_requeue(struct run *run, uint32_t job, const char *message)
{
	log_event(LOG_HOSTS, run->plan->hosts[job].name, "retry",
	    "%s before anything was done; begins again", message);
	scheduler_requeue(run->scheduler, job);
}

bool
jobs_worker_died(struct run *run, uint32_t i, const char *message)
{
	uint32_t job;
	bool is_started, had_any = false;
	int is_lost;

	for (;;) {
		job = ledger_worker_died(run->ledger, i, &is_lost);
		if (job == LEDGER_NO_JOB)
			return had_any;
		had_any = true;
		is_started = run->notes[job].phase >= PHASE_LOGIN;
		job_note_reset(&run->notes[job]);
		if (is_lost)
			job_lost(run, job, is_started, message);
		else
			job_requeue(run, job, message);
	}
}

/* --- jobs ---------------------------------------------------------------- */

/* What a job in flight is at, as far as control knows. */
static enum stage
job_stage(const struct run *run, uint32_t job)
{
	const struct job_note *note = &run->notes[job];

	if (note->phase < PHASE_LOGIN)
		return STAGE_CONNECT;
	if (note->phase < PHASE_TASK)
		return STAGE_AUTH;
	return task_stage(run);
}

void
jobs_tell_running(const struct run *run)
{
	struct running running = {.queued = ledger_idle(run->ledger),
	    .in_flight = ledger_in_flight(run->ledger),
	    .workers = pool_workers(&run->pool),
	    .retries = ledger_retries(run->ledger)};
	uint32_t job = ledger_oldest(run->ledger);

	while (job != LEDGER_NO_JOB && running.oldest_count < RUNNING_OLDEST) {
		running.oldest[running.oldest_count++] =
		    (struct running_host){run->plan->hosts[job].name,
			job_stage(run, job), run->notes[job].attempt_ms};
		job = ledger_newer(run->ledger, job);
	}
	report_running(run->plan->report, &running);
}

/* The public keys to offer, as struct msg_job has them. */
static void
job_keys(struct run *run, const struct host *host, struct buf *keys)
{
	struct identity *const *ids;
	size_t count, i;

	count = signer_identities(run->signer, host->identity_file, &ids);
	for (i = 0; i < count; i++) {
		buf_put_string(
		    keys, ids[i]->algorithm, strlen(ids[i]->algorithm));
		buf_put_string(keys, ids[i]->blob, ids[i]->blob_len);
	}
}

const char *
job_known_name(const struct host *host)
{
	return host->host_key_alias != NULL ? host->host_key_alias
					    : host->address;
}

uint16_t
job_known_port(const struct host *host)
{
	return host->host_key_alias != NULL ? 22 : host->port;
}

static void
job_send(struct run *run, uint32_t i, uint32_t job)
{
	const struct host *host = &run->plan->hosts[job];
	struct job_note *note = &run->notes[job];
	struct msg_job msg = {.address = host->address,
	    .port = host->port,
	    .user = host->user,
	    .has_password = host->password != NULL,
	    .connect_timeout_ms = host->connect_timeout_ms,
	    .command_timeout_ms = host->timeout_ms};
	const struct plan *plan = run->plan;
	char *algorithms;
	struct buf keys;

	if (plan->config.task == TASK_GET) {
		msg.local = plan->local;
		msg.local_below = plan->local_paths != NULL
		    ? plan->local_paths[job]
		    : host->name;
	}
	buf_init(&keys, FRAME_MAX / 2);
	job_keys(run, host, &keys);
	msg.keys = (struct bytes){buf_head(&keys), buf_len(&keys)};
	algorithms = host_keys_algorithms(
	    plan->host_keys, job_known_name(host), job_known_port(host));
	msg.host_key_algorithms = algorithms;
	pool_send(&run->pool, i, FRAME_JOB, job, &msg);
	note->attempt_ms = clock_now_ms();
	if (note->started_at_ms == 0) {
		note->started_at_ms = clock_wall_ms();
		note->began_ms = note->attempt_ms;
	}
	free(algorithms);
	buf_clear(&keys);
}

static void
jobs_skip(struct run *run)
{
	const char *reason;
	uint32_t job;

	for (;;) {
		job = scheduler_skip(run->scheduler, &reason);
		if (job == SCHEDULER_NO_JOB)
			return;
		job_drop(run, job, STATUS_SKIPPED, reason);
	}
}

void
jobs_give(struct run *run)
{
	struct worker_process *w;
	uint32_t i, job;
	bool has_given;

	if (run->stop_status != 0)
		return;
	jobs_skip(run);
	scheduler_look(run->scheduler, clock_now_ms());
	/* One at a time to each in turn, so that all have the same load. */
	do {
		has_given = false;
		for (i = 0; i < run->pool.count; i++) {
			w = &run->pool.workers[i];
			if (w->pid == 0 || w->free_slots == 0)
				continue;
			job = scheduler_next(run->scheduler);
			if (job == SCHEDULER_NO_JOB)
				return;
			ledger_assign(run->ledger, job, i);
			w->free_slots--;
			w->is_used = true;
			trace_begin(run, job, i);
			job_send(run, i, job);
			has_given = true;
		}
	} while (has_given);
}
