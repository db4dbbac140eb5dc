/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * run: the state of a run in progress, shared by the loop (control.c) and by
 * what answers the workers' frames (dispatch.c, jobs.c).
 */
#ifndef CONTROL_RUN_H
#define CONTROL_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "control/ledger.h"
#include "control/plan.h"
#include "control/pool.h"
#include "control/scheduler.h"

/* How far a job in flight is. */
enum phase {
	PHASE_CONNECT, /* its host key has had no last verdict */
	PHASE_REFUSED, /* it was refused */
	PHASE_LOGIN,   /* it was accepted */
	PHASE_TASK     /* it has logged in */
};

/* What control remembers of a job in flight, besides the ledger. */
struct job_note {
	uint64_t started_at_ms; /* wall clock of the first assignment */
	uint64_t began_ms;	/* monotonic */
	uint64_t attempt_ms;	/* monotonic, of the last assignment */
	uint8_t *host_key;	/* that was accepted; NULL: none yet */
	size_t host_key_len;
	uint32_t sign_serial; /* of the signature being waited for; 0: none */
	uint32_t key;	      /* that a signature was last asked of */
	uint32_t next_key;    /* none before it is signed with any more */
	unsigned refusals;    /* of the login, told so far */
	unsigned ticks;	      /* see workers.c */
	enum phase phase;
	bool is_retried; /* its handshake was repeated */
	bool is_sent;	 /* its command, or a first write, was */
	bool has_begun;	 /* its output or its progress was seen */
	/* How the last attempt ended, while the next one is waited for. */
	enum status last_status;
	enum stage last_stage;
	char *last_message;
	struct advice *advice; /* about its host key; NULL: none */
};

struct run {
	const struct plan *plan;
	struct msg_config config;
	struct pool pool;
	struct ledger *ledger;
	struct scheduler *scheduler;
	struct job_note *notes;
	struct signer *signer;
	struct error accept_error; /* why no key can be learnt; "" if so far */
	uint32_t sign_serial;
	uint64_t rate_next_ms;	/* no change of rates is told before */
	unsigned refusals_told; /* of signatures that failed */
	/* of workers.c */
	uint64_t tick_due_ms;
	unsigned barren; /* workers that ended without a job, in a row */
	unsigned deaths_told, faults_told;
	bool has_told_holes; /* of libssh2 */
	int stop_status;     /* enum exit_status; 0: not stopping */
	uint64_t stop_deadline_ms;
};

bool run_is_transfer(const struct run *run);

/* --- dispatch.c: frames -------------------------------------------------- */

/*
 * Handle every whole frame that worker i has sent. Returns 0, or -1 with why if
 * one is malformed or out of turn: then the worker can't be trusted any more.
 */
int dispatch_frames(struct run *run, uint32_t i, struct error *why);

/* Return credit for output that has been printed. */
void dispatch_credit(struct run *run);

/* For signer_new(): hand a signature to the job that waits for it. */
void dispatch_signed(void *run, uint64_t ticket, const uint8_t *sig,
    size_t sig_len, const char *why);

/* --- jobs.c: jobs -------------------------------------------------------- */

/*
 * Give free slots of all workers the jobs that may start now, and end those
 * that are not to be started any more.
 */
void jobs_give(struct run *run);

/* Tell the report how far the run is. */
void jobs_tell_running(const struct run *run);

/* Forget what an attempt was about that is over. */
void job_note_reset(struct job_note *note);

/* The attempt has ended so; another one is waited for. */
void job_wait(struct run *run, uint32_t job, const struct record *record);

/* The parts of a record that control knows. */
struct record job_record(const struct run *run, uint32_t job);

/* The one result of a job. */
void job_result(struct run *run, const struct record *record);

/*
 * The name and the port that known_hosts has for it: an alias is looked up as
 * it stands, without port, as ssh(1) does.
 */
const char *job_known_name(const struct host *host);
uint16_t job_known_port(const struct host *host);

/*
 * The worker has died: account for its jobs. message: what became of it.
 * Returns whether it had any.
 */
bool jobs_worker_died(struct run *run, uint32_t i, const char *message);

/* End all queued jobs with that status. */
void jobs_drop_queued(struct run *run, enum status status, const char *message);

/* End all jobs in flight with that status (their workers are gone). */
void jobs_drop_in_flight(
    struct run *run, enum status status, const char *message);

#endif
