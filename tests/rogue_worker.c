/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rogue_worker: stands in for batch_worker where control is to be shown a
 * worker that has been taken over. It connects to nothing. It does as a worker
 * should with each job: presents the host's key, has its login signed, prints
 * "fine", and is ok. But with the job of the host "rogue.test" it does so only
 * up to a moment, and then what it was told to.
 *
 * It is copied to a folder of its own as batch_worker, beside the program under
 * test, since a worker has no environment to be told anything by:
 *
 *   script      MOMENT ACT[@JOB] [ARGUMENT]...[; ACT ...]
 *   host_key    a private key, that of every host
 *   other_key   another one
 *   log.N       what the Nth of them got: lines "job JOB", "password JOB TEXT",
 *               "signature JOB BYTES", "forged JOB BYTES" for a signature of
 *               what it should not have got one of, and "child PID" of one
 *               that should end with it
 *
 * The moment is one of those below; what acts there are is told in
 * rogue_acts.c. With @JOB its frames are of that job. "fuzz SEED" instead of
 * all that sends frames that look valid at any time, for any job.
 *
 * A second line "hold" lets another host's job wait until the rogue is gone;
 * "ended" lets the rogue wait until job 0 has ended and another has begun.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "rogue.h"
#include "util/clock.h"
#include "util/fdio.h"
#include "util/log.h"
#include "util/prng.h"
#include "util/xalloc.h"
#include "wire/outcome.h"

/* Files by which two workers wait for each other; at most so long. */
#define HELD_FILE  "held"
#define ENDED_FILE "ended"
#define AGAIN_FILE "again"
#define ROGUE_FILE "rogue.pid"
#define WAIT_MS	   20000u
/* A fuzzer that hears nothing says something, and then ends. */
#define FUZZ_QUIET_MS  20
#define FUZZ_QUIET_MAX 20u

static const char *const moments[] = {
    "config",	 /* once it is configured, instead of READY */
    "job",	 /* once it has the job, instead of HOSTKEY */
    "verdict",	 /* once the host key was accepted, instead of SIGN */
    "signature", /* once it has its signature, instead of AUTHENTICATED */
    "started",	 /* behind AUTHENTICATED and STARTED */
    "end",	 /* behind RESULT, in the same write */
    "again",	 /* once it has the job again, instead of HOSTKEY: the first
		  * attempt has ended before anything was sent */
    "fuzz",
};

/* What the script says. */
struct script {
	char moment[16], acts[256], second[16];
};

/* --- the pipes ----------------------------------------------------------- */

void
rogue_log(const struct rogue *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vdprintf(r->log_fd, fmt, ap);
	va_end(ap);
}

void
rogue_send(struct rogue *r, enum frame_type type, uint32_t job, const void *msg)
{
	if (frame_write(&r->out, type, job, msg) == -1)
		fatal("frame too large");
	/* As control sees it, though the verdict may not be read yet. */
	r->may_sign |= type == FRAME_HOSTKEY && job == r->job;
}

void
rogue_flush(struct rogue *r)
{
	if (fd_flush(WORKER_RESULT_FD, &r->out) == -1)
		exit(0);
}

/* --- waiting for the other worker ---------------------------------------- */

static bool
is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* Whole, unless it is there already. */
static void
create(const char *path, long content)
{
	char *new = xasprintf("%s.%ld", path, (long)getpid());
	FILE *f = fopen(new, "w");

	if (f == NULL)
		fatal("%s: %s", new, strerror(errno));
	fprintf(f, "%ld\n", content);
	fclose(f);
	if (link(new, path) == -1 && errno != EEXIST)
		fatal("%s: %s", path, strerror(errno));
	unlink(new);
	free(new);
}

static void
wait_for(const char *path)
{
	uint64_t until_ms = clock_now_ms() + WAIT_MS;

	while (!is_there(path) && clock_now_ms() < until_ms)
		usleep(5000);
}

/* Until control has ended the rogue, and reaped it. */
static void
wait_for_end_of_rogue(void)
{
	uint64_t until_ms = clock_now_ms() + WAIT_MS;
	long pid = 0;
	FILE *f;

	wait_for(ROGUE_FILE);
	f = fopen(ROGUE_FILE, "r");
	if (f == NULL || fscanf(f, "%ld", &pid) != 1)
		fatal("no rogue has come");
	fclose(f);
	while (kill((pid_t)pid, 0) == 0 && clock_now_ms() < until_ms)
		usleep(5000);
}

/* --- what a worker does -------------------------------------------------- */

static void
do_acts(struct rogue *r, const char *acts)
{
	char *copy = xstrdup(acts), *rest = copy, *act;
	const char *args;

	while ((act = strsep(&rest, ";")) != NULL) {
		act += strspn(act, " ");
		args = act + strcspn(act, " ");
		args += strspn(args, " ");
		act[strcspn(act, " ")] = '\0';
		rogue_act(r, act, args);
	}
	free(copy);
}

/* Whether this is the moment; then it acts. */
static bool
act_at(struct rogue *r, const struct script *s, const char *moment)
{
	if (r->has_acted || strcmp(s->moment, moment) != 0 ||
	    (!r->is_rogues && strcmp(moment, "config") != 0))
		return r->has_acted;
	r->has_acted = true;
	if (strcmp(s->second, "ended") == 0)
		wait_for(ENDED_FILE);
	if (strcmp(s->second, "hold") == 0)
		wait_for(HELD_FILE);
	create(ROGUE_FILE, (long)getpid());
	do_acts(r, s->acts);
	return true;
}

static void
do_config(
    struct rogue *r, const struct script *s, const struct msg_config *config)
{
	struct msg_ready ready = {config->slots};

	r->task = config->task;
	r->slots = config->slots;
	if (!act_at(r, s, "config"))
		rogue_send(r, FRAME_READY, FRAME_NO_JOB, &ready);
}

static void
do_job(struct rogue *r, const struct script *s, const struct frame *frame)
{
	struct frame own = *frame;
	struct msg_hostkey msg = {
	    {r->host_key->blob, r->host_key->blob_len}, "127.0.0.1"};

	if (r->has_job)
		create(ENDED_FILE, 0);
	free(r->frame);
	r->frame = xmemdup(frame->payload.p, frame->payload.left);
	own.payload.p = r->frame;
	if (frame_read(&own, &r->spec) == -1)
		fatal("malformed job frame");
	r->job = frame->job;
	r->has_job = true;
	r->may_sign = false;
	r->has_acted = false;
	r->honest_signs = 0;
	r->is_rogues = strcmp(r->spec.address, "rogue.test") == 0;
	rogue_log(r, "job %u\n", r->job);
	if (!act_at(r, s, is_there(AGAIN_FILE) ? "again" : "job"))
		rogue_send(r, FRAME_HOSTKEY, r->job, &msg);
}

static void
do_verdict(struct rogue *r, const struct script *s, uint32_t job,
    const struct msg_verdict *verdict)
{
	if (verdict->verdict != VERDICT_ACCEPTED)
		return;
	rogue_log(r, "password %u %s\n", job, verdict->text);
	if (!act_at(r, s, "verdict"))
		rogue_sign(r, r->job, ROGUE_HONEST);
}

/* The first attempt, if another one is wanted, ends with no channel. */
static bool
ends_to_come_again(struct rogue *r, const struct script *s)
{
	struct msg_result result = {.status = STATUS_UNREACHABLE,
	    .stage = STAGE_CHANNEL,
	    .peer = "127.0.0.1"};

	if (!r->is_rogues || strcmp(s->moment, "again") != 0)
		return false;
	create(AGAIN_FILE, 0);
	rogue_send(r, FRAME_RESULT, r->job, &result);
	return true;
}

/* The rest of a job that has logged in. */
static void
finish(struct rogue *r, const struct script *s)
{
	struct msg_output output = {1, {(const uint8_t *)"fine\n", 5}};
	struct msg_result result = {.status = STATUS_OK,
	    .has_exit_code = r->task == TASK_EXEC,
	    .peer = "127.0.0.1",
	    .stdout_bytes = 5};

	if (strcmp(s->second, "hold") == 0 && !r->is_rogues) {
		rogue_flush(r);
		create(HELD_FILE, 0);
		wait_for_end_of_rogue();
	}
	rogue_send(r, FRAME_OUTPUT, r->job, &output);
	rogue_send(r, FRAME_RESULT, r->job, &result);
	act_at(r, s, "end");
}

static void
do_signature(struct rogue *r, const struct script *s, uint32_t job,
    const struct msg_signature *signature)
{
	struct msg_authenticated method = {AUTH_PUBLICKEY};

	/* They are answered in their order. */
	rogue_log(r, "%s %u %zu\n",
	    r->honest_signs == 0 && signature->signature.len > 0 ? "forged"
								 : "signature",
	    job, signature->signature.len);
	r->honest_signs -= r->honest_signs > 0;
	if (act_at(r, s, "signature"))
		return;
	rogue_send(r, FRAME_AUTHENTICATED, r->job, &method);
	if (ends_to_come_again(r, s))
		return;
	rogue_send(r, FRAME_STARTED, r->job, NULL);
	if (!act_at(r, s, "started"))
		finish(r, s);
}

static void
do_frame(struct rogue *r, const struct script *s, const struct frame *frame)
{
	union {
		struct msg_config config;
		struct msg_verdict verdict;
		struct msg_signature signature;
		struct msg_credit credit;
		struct msg_cancel cancel;
		struct msg_rate rate;
	} msg;

	if (frame->type == FRAME_JOB) {
		do_job(r, s, frame);
		return;
	}
	if (frame_read(frame, &msg) == -1)
		fatal("malformed frame");
	if (frame->type == FRAME_PING)
		rogue_send(r, FRAME_PONG, FRAME_NO_JOB, NULL);
	else if (frame->type == FRAME_CONFIG)
		do_config(r, s, &msg.config);
	else if (frame->type == FRAME_VERDICT)
		do_verdict(r, s, frame->job, &msg.verdict);
	else if (frame->type == FRAME_SIGNATURE)
		do_signature(r, s, frame->job, &msg.signature);
}

/* It ends anywhere; control takes what it says about that for its words. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}

/* --- the program --------------------------------------------------------- */

static void
script_read(struct script *s)
{
	size_t i, count = sizeof(moments) / sizeof(moments[0]);
	char line[sizeof(s->acts) + 64] = "";
	FILE *f = fopen("script", "r");

	memset(s, 0, sizeof(*s));
	if (f == NULL || fgets(line, sizeof(line), f) == NULL ||
	    sscanf(line, "%15s %255[^\n]", s->moment, s->acts) != 2)
		fatal("no script");
	if (fgets(line, sizeof(line), f) != NULL)
		sscanf(line, "%15s", s->second);
	fclose(f);
	for (i = 0; i < count && strcmp(moments[i], s->moment) != 0;)
		i++;
	if (i == count)
		fatal("no such moment: %s", s->moment);
}

/* In the folder of the program. */
static void
rogue_init(struct rogue *r, struct script *s)
{
	char self[PATH_MAX], log[32];
	struct error err;
	unsigned nth = 0;
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	memset(r, 0, sizeof(*r));
	self[len > 0 ? len : 0] = '\0';
	if (strrchr(self, '/') == NULL)
		fatal("no /proc/self/exe");
	*strrchr(self, '/') = '\0';
	if (chdir(self) == -1)
		fatal("%s: %s", self, strerror(errno));
	script_read(s);
	if (identity_read_file("host_key", &r->host_key, &err) != IDENTITY_OK ||
	    identity_read_file("other_key", &r->other_key, &err) != IDENTITY_OK)
		fatal("%s", err.text);
	do {
		snprintf(log, sizeof(log), "log.%u", ++nth);
		r->log_fd = open(log,
		    O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	} while (r->log_fd == -1 && errno == EEXIST);
	if (r->log_fd == -1)
		fatal("%s: %s", log, strerror(errno));
	buf_init(&r->in, 2u * FRAME_MAX);
	buf_init(&r->out, 16u * FRAME_MAX);
	/* Each of a fuzzer's processes says something else. */
	if (strcmp(s->moment, "fuzz") == 0)
		r->prng = strtoull(s->acts, NULL, 10) << 32 | nth;
}

/* Wait for control. A fuzzer speaks anyway; returns whether to read. */
static bool
is_spoken_to(struct rogue *r, bool is_fuzzer, unsigned *quiet)
{
	struct pollfd fd = {.fd = WORKER_JOB_FD, .events = POLLIN};

	if (!is_fuzzer || poll(&fd, 1, FUZZ_QUIET_MS) != 0) {
		*quiet = 0;
		return true;
	}
	if (++*quiet > FUZZ_QUIET_MAX)
		exit(3);
	rogue_fuzz(r);
	return false;
}

int
main(int argc, char **argv)
{
	struct script script;
	struct frame frame;
	struct rogue r;
	unsigned quiet = 0;
	bool is_fuzzer;
	ssize_t n;

	(void)argv;
	log_init("rogue_worker");
	if (argc != 2)
		fatal("this program is started by the others");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	rogue_init(&r, &script);
	is_fuzzer = strcmp(script.moment, "fuzz") == 0;
	for (;;) {
		rogue_flush(&r);
		if (!is_spoken_to(&r, is_fuzzer, &quiet))
			continue;
		if (fd_fill(WORKER_JOB_FD, &r.in, 65536) <= 0)
			return 0;
		while ((n = frame_peek(&r.in, &frame)) > 0) {
			/* Which jobs it has goes into its log. */
			if (is_fuzzer && frame.type != FRAME_JOB &&
			    prng_below(&r.prng, 4) == 0)
				rogue_fuzz(&r);
			else
				do_frame(&r, &script, &frame);
			buf_consume(&r.in, (size_t)n);
		}
	}
}
