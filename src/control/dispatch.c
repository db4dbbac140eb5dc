/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the frames of the workers lead to. Nothing in a frame is believed
 * before the ledger has said that the job is in flight at that very worker, and
 * its note, by what was said before, that the frame may come now:
 *
 *   CONNECT ──▶ LOGIN ──▶ TASK
 *      └──────▶ REFUSED
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "control/host_proof.h"
#include "control/run.h"
#include "control/trace.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/xalloc.h"

/* Output that waits to be printed; above it no more credit is given. */
#define BACKLOG_MAX (256u << 10)
/* Nothing but a held lock makes learning a host key take so long. */
#define ACCEPT_SLOW_MS 1000u

/* When a worker's frames of a job may come; RESULT may at any time. */
static const enum phase frame_phases[FRAME_TYPE_COUNT] = {
    [FRAME_HOSTKEY] = PHASE_CONNECT,
    [FRAME_SIGN] = PHASE_LOGIN,
    [FRAME_AUTH_REFUSED] = PHASE_LOGIN,
    [FRAME_AUTHENTICATED] = PHASE_LOGIN,
    [FRAME_STARTED] = PHASE_TASK,
    [FRAME_OUTPUT] = PHASE_TASK,
    [FRAME_PROGRESS] = PHASE_TASK,
};
_Static_assert(FRAME_ENTRY == FRAME_AUTH_REFUSED + 1, "a frame has no phase");

/* --- credit -------------------------------------------------------------- */

void
dispatch_credit(struct run *run)
{
	struct msg_credit msg;
	struct worker_process *w;
	uint32_t i;

	if (report_backlog(run->plan->report) > BACKLOG_MAX)
		return;
	for (i = 0; i < run->pool.count; i++) {
		w = &run->pool.workers[i];
		/* A few large grants are cheaper than many small ones. */
		if (w->pid == 0 || w->owed < run->config.credit / 4 + 1)
			continue;
		msg.count = w->owed;
		w->owed = 0;
		pool_send(&run->pool, i, FRAME_CREDIT, FRAME_NO_JOB, &msg);
	}
}

/* --- frames -------------------------------------------------------------- */

/* What getnameinfo(3) makes of an address, or nothing. */
static bool
is_peer(const char *peer)
{
	size_t len = strlen(peer);

	return len < FRAME_PEER_MAX &&
	    strspn(peer,
		"0123456789abcdefABCDEF.:%_-"
		"ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ?") == len;
}

static enum verdict
accept_new(
    struct run *run, uint32_t job, const struct msg_hostkey *msg, char **text)
{
	const struct host *host = &run->plan->hosts[job];
	struct error err = run->accept_error;
	uint64_t began_ms = clock_now_ms();

	if (err.text[0] != '\0' ||
	    host_keys_accept(run->plan->host_keys, job_known_name(host),
		job_known_port(host), msg->key.data, msg->key.len,
		&err) == -1) {
		/* A lock is waited for once, not once a host. */
		if (clock_now_ms() - began_ms > ACCEPT_SLOW_MS)
			run->accept_error = err;
		free(*text);
		*text = xasprintf("its new key can't be kept: %s", err.text);
		return VERDICT_REFUSED;
	}
	return VERDICT_ACCEPTED;
}

/* Judge a host key. *text (caller frees) goes with the verdict. */
static enum verdict
dispatch_judge(
    struct run *run, uint32_t job, const struct msg_hostkey *msg, char **text)
{
	const struct host *host = &run->plan->hosts[job];
	struct job_note *note = &run->notes[job];
	enum host_key_verdict known;
	char *retry = NULL;

	*text = NULL;
	advice_free(note->advice);
	note->advice = NULL;
	known = host_keys_check(run->plan->host_keys, job_known_name(host),
	    job_known_port(host), msg->key.data, msg->key.len, text, &retry);
	if (known == HOST_KEY_OK)
		return VERDICT_ACCEPTED;
	if (retry != NULL && !note->is_retried) {
		note->is_retried = true;
		free(*text);
		*text = retry;
		return VERDICT_RETRY;
	}
	free(retry);
	if (known == HOST_KEY_UNKNOWN && run->plan->has_accept_new)
		return accept_new(run, job, msg, text);
	/* An alias is nothing that keys could be fetched from. */
	if (known == HOST_KEY_UNKNOWN && host->host_key_alias == NULL)
		note->advice = host_keys_advice(run->plan->host_keys,
		    host->address, host->port, msg->key.data, msg->key.len);
	return VERDICT_REFUSED;
}

/* A key is judged once, or once more after a retry. */
static int
frame_hostkey(
    struct run *run, uint32_t i, uint32_t job, const struct msg_hostkey *msg)
{
	const struct host *host = &run->plan->hosts[job];
	struct job_note *note = &run->notes[job];
	struct msg_verdict answer;
	enum verdict verdict;
	char *text;

	if (!is_peer(msg->peer))
		return -1;
	verdict = dispatch_judge(run, job, msg, &text);
	answer.verdict = (uint32_t)verdict;
	answer.text = text != NULL ? text : "";
	if (verdict == VERDICT_REFUSED)
		note->phase = PHASE_REFUSED;
	if (verdict == VERDICT_ACCEPTED) {
		ledger_start(run->ledger, job);
		note->phase = PHASE_LOGIN;
		note->host_key = xmemdup(msg->key.data, msg->key.len);
		note->host_key_len = msg->key.len;
		answer.text = host->password != NULL ? host->password : "";
	}
	if (verdict == VERDICT_RETRY)
		scheduler_reconnected(run->scheduler);
	trace_hostkey(run, job, msg, &answer);
	pool_send(&run->pool, i, FRAME_VERDICT, job, &answer);
	free(text);
	return 0;
}

/* A key is tried once, in their order. */
static int
frame_sign(struct run *run, uint32_t job, const struct msg_sign *msg,
    struct error *why)
{
	const struct host *host = &run->plan->hosts[job];
	struct job_note *note = &run->notes[job];
	struct bytes host_key = {note->host_key, note->host_key_len};
	struct identity *const *ids;
	struct error refused;
	uint64_t ticket;
	size_t count;

	count = signer_identities(run->signer, host->identity_file, &ids);
	if (note->sign_serial != 0 || msg->key < note->next_key ||
	    msg->key >= count)
		return -1;
	if (++run->sign_serial == 0)
		run->sign_serial = 1;
	note->sign_serial = run->sign_serial;
	note->ticks = 0;
	note->key = msg->key;
	note->next_key = msg->key + 1;
	trace_sign(run, job);
	ticket = (uint64_t)note->sign_serial << 32 | job;
	/* Maybe a worker that lies; but its other hosts shall not pay for it.
	 */
	if (host_proof_check(host_key, msg->request, msg->exchange, &refused) ==
	    -1) {
		dispatch_signed(run, ticket, NULL, 0, refused.text);
		return 0;
	}
	return signer_request(run->signer, ids[msg->key], host->user,
	    msg->request.data, msg->request.len, ticket, why);
}

void
dispatch_signed(void *ctx, uint64_t ticket, const uint8_t *sig, size_t sig_len,
    const char *why)
{
	struct run *run = ctx;
	uint32_t job = (uint32_t)ticket;
	struct msg_signature msg = {{sig, sig != NULL ? sig_len : 0}};

	/* The job may have ended, or moved, while an agent was busy. */
	if (run->notes[job].sign_serial != (uint32_t)(ticket >> 32))
		return;
	run->notes[job].sign_serial = 0;
	if (sig == NULL)
		log_warn_few(&run->refusals_told, "%s: no signature: %s",
		    run->plan->hosts[job].name, why != NULL ? why : "refused");
	pool_send(&run->pool, ledger_worker(run->ledger, job), FRAME_SIGNATURE,
	    job, &msg);
}

static int
frame_authenticated(
    struct run *run, uint32_t job, const struct msg_authenticated *msg)
{
	struct job_note *note = &run->notes[job];

	note->phase = PHASE_TASK;
	note->ticks = 0;
	trace_authenticated(run, job, msg->method);
	scheduler_authenticated(run->scheduler, job);
	return 0;
}

/* Of a key, or the password, each once. */
static int
frame_auth_refused(
    struct run *run, uint32_t job, const struct msg_auth_refused *msg)
{
	struct job_note *note = &run->notes[job];
	struct identity *const *ids;
	size_t count;

	count = signer_identities(
	    run->signer, run->plan->hosts[job].identity_file, &ids);
	if (++note->refusals > count + 1)
		return -1;
	trace_auth_refused(run, job, msg);
	return 0;
}

/* Said once. */
static int
frame_started(struct run *run, uint32_t job)
{
	struct job_note *note = &run->notes[job];

	if (note->is_sent)
		return -1;
	note->is_sent = true;
	trace_started(run, job);
	return 0;
}

static int
frame_output(
    struct run *run, uint32_t i, uint32_t job, const struct msg_output *msg)
{
	struct worker_process *w = &run->pool.workers[i];

	if ((msg->stream != 1 && msg->stream != 2) || msg->data.len == 0 ||
	    msg->data.len > FRAME_OUTPUT_MAX ||
	    msg->data.len > run->config.credit - w->owed)
		return -1;
	run->notes[job].has_begun = true;
	w->owed += (uint32_t)msg->data.len;
	report_output(run->plan->report, job, run->plan->hosts[job].name,
	    (int)msg->stream, msg->data.data, msg->data.len);
	return 0;
}

/* In hexadecimal, or none. */
static bool
is_sha256(const char *text)
{
	size_t len = strlen(text);

	return len == 0 ||
	    (len == 64 && strspn(text, "0123456789abcdef") == len);
}

static int
frame_progress(struct run *run, uint32_t job, const struct msg_progress *msg)
{
	if (!run_is_transfer(run) || msg->bytes > FRAME_COUNT_MAX ||
	    msg->total > FRAME_COUNT_MAX)
		return -1;
	run->notes[job].has_begun = true;
	report_progress(run->plan->report, job, msg->bytes, msg->total);
	return 0;
}

/*
 * Whether a result may be followed by another attempt, as far as the job's
 * own history goes: nothing must speak against a command that did not start.
 */
static bool
may_retry(const struct run *run, uint32_t job, const struct msg_result *msg)
{
	const struct job_note *note = &run->notes[job];

	return run->stop_status == 0 && msg->is_final == 0 &&
	    !note->has_begun && msg->bytes == 0 && msg->files == 0 &&
	    msg->stdout_bytes == 0 && msg->stderr_bytes == 0 &&
	    (note->phase != PHASE_TASK || msg->stage == STAGE_CHANNEL);
}

/* Whether a job that is so far may end so. */
static bool
may_end(const struct run *run, uint32_t job, const struct msg_result *msg)
{
	enum phase phase = run->notes[job].phase;

	if (msg->status >= STATUS_COUNT || msg->stage >= STAGE_COUNT ||
	    (msg->stage >= STAGE_AUTH && msg->stage <= STAGE_TRANSFER &&
		phase < (msg->stage > STAGE_AUTH ? PHASE_TASK : PHASE_LOGIN)))
		return false;
	switch ((enum status)msg->status) {
	case STATUS_OK:
		return phase == PHASE_TASK && msg->exit_code == 0;
	case STATUS_FAILED:
	case STATUS_LOST:
	case STATUS_TRANSFER:
		return phase == PHASE_TASK;
	case STATUS_CANCELLED:
		return run->stop_status != 0;
	case STATUS_UNREACHABLE:
	case STATUS_DENIED:
	case STATUS_TIMEOUT:
	case STATUS_ERROR:
		return true;
	case STATUS_SKIPPED:
	case STATUS_COUNT:
		break;
	}
	return false;
}

/* Whether it is within the bounds of what is kept, added up and shown. */
static bool
is_bounded(const struct msg_result *msg)
{
	return is_peer(msg->peer) && is_sha256(msg->sha256) &&
	    strlen(msg->message) < FRAME_MESSAGE_MAX &&
	    strlen(msg->signal) < FRAME_SIGNAL_MAX &&
	    msg->stdout_bytes <= FRAME_COUNT_MAX &&
	    msg->stderr_bytes <= FRAME_COUNT_MAX &&
	    msg->bytes <= FRAME_COUNT_MAX && msg->files <= FRAME_COUNT_MAX &&
	    msg->unchanged <= msg->files;
}

static int
frame_result(
    struct run *run, uint32_t i, uint32_t job, const struct msg_result *msg)
{
	struct record record = job_record(run, job);

	if (!may_end(run, job, msg) || !is_bounded(msg))
		return -1;
	record.address = msg->peer;
	record.status = (enum status)msg->status;
	record.stage = (enum stage)msg->stage;
	record.has_exit_code = msg->has_exit_code != 0;
	record.exit_code = msg->exit_code;
	record.signal = msg->signal;
	record.message = msg->message;
	if (record.status == STATUS_DENIED && record.stage == STAGE_HOSTKEY)
		record.advice = run->notes[job].advice;
	record.is_connected = run->notes[job].phase != PHASE_CONNECT;
	record.connect_ms = msg->connect_ms;
	record.is_authenticated = run->notes[job].phase == PHASE_TASK;
	record.auth_ms = msg->auth_ms;
	record.stdout_bytes = msg->stdout_bytes;
	record.stderr_bytes = msg->stderr_bytes;
	record.bytes = msg->bytes;
	record.files = msg->files;
	record.unchanged = msg->unchanged;
	record.sha256 = msg->sha256;
	run->pool.workers[i].free_slots++;
	if (scheduler_ended(run->scheduler, job, record.status, record.stage,
		may_retry(run, job, msg), clock_now_ms())) {
		trace_retry(&record);
		job_wait(run, job, &record);
		return 0;
	}
	ledger_finish(run->ledger, job);
	job_note_reset(&run->notes[job]);
	job_result(run, &record);
	return 0;
}

/* Of none of its jobs. Returns 0, or -1 if it is out of turn. */
static int
frame_of_worker(struct run *run, uint32_t i, const struct frame *frame)
{
	struct worker_process *w = &run->pool.workers[i];
	struct msg_ready ready;

	if (frame->job != FRAME_NO_JOB || frame_read(frame, &ready) == -1)
		return -1;
	if (frame->type == FRAME_PONG) {
		if (w->pings == 0)
			return -1;
		w->pings--;
		return 0;
	}
	if (w->is_ready || ready.slots != run->config.slots ||
	    strlen(ready.missing) >= FRAME_MESSAGE_MAX ||
	    strlen(ready.holes) >= FRAME_MESSAGE_MAX)
		return -1;
	if (ready.holes[0] != '\0' && !run->has_told_holes)
		log_warn("%s; update it", ready.holes);
	run->has_told_holes |= ready.holes[0] != '\0';
	w->is_ready = true;
	w->free_slots = ready.slots;
	trace_ready(run, i, ready.missing);
	return 0;
}

static int
frame_of_job(
    struct run *run, uint32_t i, const struct frame *frame, struct error *why)
{
	union {
		struct msg_hostkey hostkey;
		struct msg_sign sign;
		struct msg_authenticated authenticated;
		struct msg_auth_refused auth_refused;
		struct msg_output output;
		struct msg_result result;
		struct msg_progress progress;
	} msg;
	uint32_t job = frame->job;

	if (!ledger_is_at(run->ledger, job, i) ||
	    (frame->type != FRAME_RESULT &&
		run->notes[job].phase != frame_phases[frame->type]) ||
	    frame_read(frame, &msg) == -1)
		return -1;
	if (frame->type == FRAME_OUTPUT)
		return frame_output(run, i, job, &msg.output);
	if (frame->type == FRAME_RESULT)
		return frame_result(run, i, job, &msg.result);
	if (frame->type == FRAME_HOSTKEY)
		return frame_hostkey(run, i, job, &msg.hostkey);
	if (frame->type == FRAME_SIGN)
		return frame_sign(run, job, &msg.sign, why);
	if (frame->type == FRAME_PROGRESS)
		return frame_progress(run, job, &msg.progress);
	if (frame->type == FRAME_AUTHENTICATED)
		return frame_authenticated(run, job, &msg.authenticated);
	if (frame->type == FRAME_STARTED)
		return frame_started(run, job);
	return frame_auth_refused(run, job, &msg.auth_refused);
}

static int
dispatch_frame(
    struct run *run, uint32_t i, const struct frame *frame, struct error *why)
{
	if (frame->type == FRAME_READY || frame->type == FRAME_PONG)
		return frame_of_worker(run, i, frame);
	if (frame->type < FRAME_READY || frame->type > FRAME_AUTH_REFUSED)
		return -1; /* it is ours */
	return frame_of_job(run, i, frame, why);
}

int
dispatch_frames(struct run *run, uint32_t i, struct error *why)
{
	struct buf *in = &run->pool.workers[i].in;
	struct frame frame;
	ssize_t n;

	why->text[0] = '\0';
	while ((n = frame_peek(in, &frame)) > 0) {
		pool_trace(i, "frame", "%s from it, job %d, %zd bytes",
		    frame_name(frame.type), (int)frame.job, n);
		if (dispatch_frame(run, i, &frame, why) == 0) {
			buf_consume(in, (size_t)n);
			continue;
		}
		return why->text[0] != '\0'
		    ? -1
		    : error_set(why, "malformed frame, or out of turn: %s",
			  frame_name(frame.type));
	}
	return n == -1 ? error_set(why, "malformed frame") : 0;
}
