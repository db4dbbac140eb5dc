/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a worker sends, one that was taken over: control gives it nothing but
 * what is for its own jobs, and only when it may; another worker's jobs are
 * as they were. The input is a byte with flags, and the frames of worker 0,
 * which has jobs 0 and 2; worker 1 has jobs 1 and 3.
 */
#include "config.h"

#include "fuzz.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/key_type.h"
#include "control/run.h"
#include "util/secret.h"
#include "util/xalloc.h"

#define HOSTS	      4u
#define WORKERS	      2u
#define CREDIT	      65536u
#define FLAG_LEARNS   1u /* keys of unknown hosts */
#define FLAG_TRANSFER 2u
#define FLAG_RETRIES  4u
#define OUT_MAX	      (1u << 20)

/* The key that all hosts have, and ours: made for this, good for nothing. */
static const char host_key[] = "AAAAC3NzaC1lZDI1NTE5AAAAIOpKbGPinFIKvvVQ"
			       "exMuxfmVR3auvr57kkIe6mkURtIs";
static const char identity[] =
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtz\n"
    "c2gtZWQyNTUxOQAAACATmPYsbRpFfFG6aktfPb0vafypMhYhjciZfkFr0X2TygAA\n"
    "AIgAAAABAAAAAQAAAAtzc2gtZWQyNTUxOQAAACATmPYsbRpFfFG6aktfPb0vafyp\n"
    "MhYhjciZfkFr0X2TygAAAEAICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI\n"
    "CBOY9ixtGkV8UbpqS189vS9p/KkyFiGNyJl+QWvRfZPKAAAAAAECAwQF\n"
    "-----END OPENSSH PRIVATE KEY-----\n";

struct world {
	char names[HOSTS][8], passwords[HOSTS][16], user[8], no_groups[1];
	struct fuzz_file known_hosts, identity;
	struct host hosts[HOSTS];
	struct plan plan;
	struct worker_process workers[WORKERS];
	struct job_note notes[HOSTS];
	struct run run;
};

/* --- set-up -------------------------------------------------------------- */

static void
hosts_init(struct world *w)
{
	unsigned i;

	snprintf(w->user, sizeof(w->user), "deploy");
	for (i = 0; i < HOSTS; i++) {
		snprintf(w->names[i], sizeof(w->names[i]), "host%u", i);
		snprintf(w->passwords[i], sizeof(w->passwords[i]),
		    "password of %u", i);
		w->hosts[i].name = w->hosts[i].address = w->names[i];
		w->hosts[i].groups = w->no_groups;
		w->hosts[i].port = 22;
		w->hosts[i].user = w->user;
		w->hosts[i].password = secret_strdup(w->passwords[i]);
		w->hosts[i].identity_file = w->identity.path;
	}
}

static void
plan_init(struct world *w, uint8_t flags)
{
	const struct report_options options = {.has_live = true,
	    .is_transfer = (flags & FLAG_TRANSFER) != 0,
	    .fanout = HOSTS};
	const char *path = w->known_hosts.path;
	struct error err = {""};

	w->plan.hosts = w->hosts;
	w->plan.host_count = w->plan.fanout = HOSTS;
	w->plan.schedule.retries = (flags & FLAG_RETRIES) != 0;
	w->plan.schedule.retry_delay_ms = 1000;
	w->plan.config.task =
	    (flags & FLAG_TRANSFER) != 0 ? TASK_GET : TASK_EXEC;
	w->plan.config.slots = HOSTS / WORKERS;
	w->plan.config.credit = CREDIT;
	w->plan.has_accept_new = (flags & FLAG_LEARNS) != 0;
	w->plan.host_keys = host_keys_load(&path, 1, &err);
	w->plan.report = report_new(HOSTS, &options, &err);
	FUZZ_CHECK(w->plan.host_keys != NULL && w->plan.report != NULL);
}

/* There are no processes: what is for them stays in their buffers. */
static void
workers_init(struct world *w)
{
	unsigned i;

	for (i = 0; i < WORKERS; i++) {
		w->workers[i].pid = INT_MAX; /* nobody's */
		w->workers[i].job_fd = STDIN_FILENO;
		w->workers[i].result_fd = -1;
		w->workers[i].is_ready = true;
		w->workers[i].free_slots = HOSTS / WORKERS;
		buf_init(&w->workers[i].in, 2u * FRAME_MAX);
		buf_init(&w->workers[i].out, OUT_MAX);
	}
	w->run.pool.workers = w->workers;
	w->run.pool.count = WORKERS;
}

static void
world_open(struct world *w, uint8_t flags)
{
	char *known = xconcat("* ssh-ed25519 ", host_key, "\n");
	struct run *run = &w->run;
	struct error err = {""};
	unsigned i;

	memset(w, 0, sizeof(*w));
	fuzz_file_open(&w->identity, identity, strlen(identity));
	fuzz_file_open(&w->known_hosts, known,
	    (flags & FLAG_LEARNS) != 0 ? 0 : strlen(known));
	free(known);
	hosts_init(w);
	plan_init(w, flags);
	workers_init(w);
	run->plan = &w->plan;
	run->config = w->plan.config;
	run->notes = w->notes;
	run->ledger = ledger_new(HOSTS);
	run->scheduler = scheduler_new(
	    &w->plan.schedule, w->hosts, HOSTS, HOSTS, run->ledger);
	run->signer = signer_new(dispatch_signed, run);
	FUZZ_CHECK(
	    signer_add_file(run->signer, w->identity.path, false, &err) == 0);
	signer_seal(run->signer);
	jobs_give(run);
	for (i = 0; i < HOSTS; i++)
		FUZZ_CHECK(ledger_is_at(run->ledger, i, i % WORKERS));
	for (i = 0; i < WORKERS; i++)
		buf_consume(&w->workers[i].out, buf_len(&w->workers[i].out));
}

static void
world_close(struct world *w)
{
	unsigned i;

	signer_free(w->run.signer);
	scheduler_free(w->run.scheduler);
	ledger_free(w->run.ledger);
	report_free(w->plan.report);
	host_keys_free(w->plan.host_keys);
	for (i = 0; i < HOSTS; i++) {
		job_note_reset(&w->notes[i]);
		secret_free(w->hosts[i].password);
		free(w->notes[i].last_message);
		advice_free(w->notes[i].advice);
	}
	for (i = 0; i < WORKERS; i++) {
		buf_clear(&w->workers[i].in);
		buf_clear(&w->workers[i].out);
	}
	fuzz_file_close(&w->known_hosts);
	fuzz_file_close(&w->identity);
}

/* --- checks -------------------------------------------------------------- */

/* Worker 1 has heard nothing, and has its jobs. */
static void
check_other_worker(const struct world *w)
{
	unsigned i;

	FUZZ_CHECK(buf_len(&w->workers[1].out) == 0);
	for (i = 1; i < HOSTS; i += WORKERS) {
		FUZZ_CHECK(ledger_state(w->run.ledger, i) == JOB_ASSIGNED);
		FUZZ_CHECK(w->notes[i].phase == PHASE_CONNECT &&
		    !w->notes[i].has_begun);
	}
}

/* How often each job was told so. */
struct told {
	unsigned accepted[HOSTS], signatures[HOSTS];
};

static void
check_frame(const struct world *w, const struct frame *frame, struct told *told)
{
	union {
		struct msg_verdict verdict;
		struct msg_signature signature;
	} msg;
	bool has_password;

	FUZZ_CHECK(frame->job < HOSTS && frame->job % WORKERS == 0);
	FUZZ_CHECK(
	    frame->type == FRAME_VERDICT || frame->type == FRAME_SIGNATURE);
	FUZZ_CHECK(frame_read(frame, &msg) == 0);
	if (frame->type == FRAME_SIGNATURE) {
		/* Only after its host's key was, and each key once. */
		FUZZ_CHECK(told->accepted[frame->job] > 0);
		FUZZ_CHECK(++told->signatures[frame->job] <=
		    told->accepted[frame->job]);
		return;
	}
	has_password = strcmp(msg.verdict.text, w->passwords[frame->job]) == 0;
	FUZZ_CHECK(has_password == (msg.verdict.verdict == VERDICT_ACCEPTED));
	told->accepted[frame->job] += has_password;
}

static void
check_told(struct world *w, const struct cursor *sent, uint8_t flags)
{
	uint8_t key[KEY_BLOB_MAX];
	long key_len =
	    base64_decode(host_key, strlen(host_key), key, sizeof(key));
	struct buf *out = &w->workers[0].out;
	struct told told = {{0}, {0}};
	struct frame frame;
	ssize_t n;

	while ((n = frame_peek(out, &frame)) > 0) {
		check_frame(w, &frame, &told);
		buf_consume(out, (size_t)n);
	}
	FUZZ_CHECK(n == 0 && buf_len(out) == 0);
	if (told.accepted[0] + told.accepted[2] > 0 &&
	    (flags & FLAG_LEARNS) == 0)
		FUZZ_CHECK(
		    memmem(sent->p, sent->left, key, (size_t)key_len) != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = {data, size};
	struct error why = {""};
	struct world w;
	uint8_t flags = 0;
	int rc;

	cursor_get_u8(&c, &flags);
	world_open(&w, flags);
	buf_append(&w.workers[0].in, c.p, c.left);
	rc = dispatch_frames(&w.run, 0, &why);
	fuzz_check_result(rc, &why);
	FUZZ_CHECK(w.workers[0].owed <= CREDIT);
	FUZZ_CHECK(ledger_done(w.run.ledger) <= HOSTS / WORKERS);
	check_other_worker(&w);
	check_told(&w, &c, flags);
	world_close(&w);
	return 0;
}
