/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the rogue worker does. Of a frame all is right but what an act's
 * arguments name:
 *
 *   ready [SLOTS [MISSING]] pong
 *   hostkey [other|peer]    another key; a peer that drives a terminal
 *   sign [WRONG]            user, session, service, method, flag, algorithm,
 *                           key, type, behind: that part of the request;
 *                           no-session: one without id; index: of no key;
 *                           second: of the second one; unproved: no exchange;
 *                           foreign: one with another host
 *   authenticated  started  refused
 *   output [BYTES [STREAM]] "forged", or so many
 *   progress BYTES TOTAL
 *   result NAME=VALUE...    see rogue_result.c
 *   texts [both]            a login, output (on both streams) and a result full
 *                           of bytes that drive a terminal
 *   raw HEX                 bytes
 *
 * And what is no frame:
 *
 *   nothing                 but the answers to pings
 *   flood ACT ...           this act, for ever; nothing is read
 *   chatter ACT ...         the same, ten times a second
 *   say                     bytes that drive a terminal, to stderr
 *   die                     SIGKILL
 *   stop                    SIGSTOP
 *   linger                  nothing is read, nothing sent
 *   close FD                the same, with one pipe closed
 *   orphan, orphan-talks    its child keeps the pipes, while it is killed;
 *                           the second one goes on in its place, the first
 *                           one stays as long as it is let
 *   orphan-away             the child has left the process group, too
 *   orphan-says             so has this one; it has only stderr, and says a lot
 *
 * As a text "*N" is N letters, and "evil" what drives a terminal.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rogue.h"
#include "util/log.h"
#include "util/prng.h"
#include "util/xalloc.h"
#include "wire/outcome.h"

/* Control sequences, a bell, C1, invalid UTF-8, an override, line ends. */
#define EVIL                                                  \
	"\033]0;owned\a\033[2J\r\n\302\2331m\233\377\300\200" \
	"\342\200\256evil\177\b"

/* Longer than a run takes; only ends what nobody has ended. */
#define STAY_S 180

/* --- frames -------------------------------------------------------------- */

static void
act_ready(struct rogue *r, uint32_t job, const char *args)
{
	struct msg_ready msg = {r->slots};
	char *missing = NULL, *end;

	(void)job;
	if (args[0] != '\0') {
		msg.slots = (uint32_t)strtoul(args, &end, 10);
		missing = rogue_expand(end + strspn(end, " "));
		msg.missing = strcmp(missing, "evil") == 0 ? EVIL : missing;
	}
	rogue_send(r, FRAME_READY, FRAME_NO_JOB, &msg);
	free(missing);
}

static void
act_pong(struct rogue *r, uint32_t job, const char *args)
{
	(void)job;
	(void)args;
	rogue_send(r, FRAME_PONG, FRAME_NO_JOB, NULL);
}

static void
act_hostkey(struct rogue *r, uint32_t job, const char *args)
{
	const struct identity *key =
	    strcmp(args, "other") == 0 ? r->other_key : r->host_key;
	struct msg_hostkey msg = {{key->blob, key->blob_len},
	    strcmp(args, "peer") == 0 ? EVIL : "127.0.0.1"};

	rogue_send(r, FRAME_HOSTKEY, job, &msg);
}

static void
act_authenticated(struct rogue *r, uint32_t job, const char *args)
{
	struct msg_authenticated msg = {
	    args[0] != '\0' ? EVIL : AUTH_PUBLICKEY};

	rogue_send(r, FRAME_AUTHENTICATED, job, &msg);
}

static void
act_refused(struct rogue *r, uint32_t job, const char *args)
{
	struct msg_auth_refused msg = {
	    args[0] != '\0' ? EVIL : AUTH_PUBLICKEY, UINT32_MAX, 7};

	rogue_send(r, FRAME_AUTH_REFUSED, job, &msg);
}

static void
act_started(struct rogue *r, uint32_t job, const char *args)
{
	(void)args;
	rogue_send(r, FRAME_STARTED, job, NULL);
}

static void
act_output(struct rogue *r, uint32_t job, const char *args)
{
	char *end;
	size_t len = strtoul(args, &end, 10);
	uint8_t *data = xmalloc(len + 1);
	struct msg_output msg = {1, {data, len}};

	memset(data, 'x', len);
	if (args[0] == '\0')
		msg.data = rogue_text("forged\n");
	if (end[0] != '\0')
		msg.stream = (uint32_t)strtoul(end, NULL, 10);
	rogue_send(r, FRAME_OUTPUT, job, &msg);
	free(data);
}

static void
act_progress(struct rogue *r, uint32_t job, const char *args)
{
	struct msg_progress msg = {1, 2};
	char *end;

	if (args[0] != '\0') {
		msg.bytes = strtoull(args, &end, 10);
		msg.total = strtoull(end, NULL, 10);
	}
	rogue_send(r, FRAME_PROGRESS, job, &msg);
}

static void
act_result(struct rogue *r, uint32_t job, const char *args)
{
	rogue_result(r, job, args);
}

static void
act_texts(struct rogue *r, uint32_t job, const char *args)
{
	struct msg_output out = {1, rogue_text(EVIL "\n")};
	struct msg_result msg = {.status = STATUS_FAILED,
	    .stage = STAGE_COMMAND,
	    .signal = EVIL,
	    .message = EVIL,
	    .peer = "127.0.0.1"};

	act_refused(r, job, "evil");
	act_authenticated(r, job, "evil");
	act_started(r, job, "");
	rogue_send(r, FRAME_OUTPUT, job, &out);
	out.stream = 2;
	if (args[0] != '\0')
		rogue_send(r, FRAME_OUTPUT, job, &out);
	rogue_send(r, FRAME_RESULT, job, &msg);
}

static void
act_raw(struct rogue *r, uint32_t job, const char *args)
{
	unsigned byte;

	(void)job;
	for (; sscanf(args, "%2x", &byte) == 1; args += 2)
		buf_put_u8(&r->out, (uint8_t)byte);
}

static void
act_sign(struct rogue *r, uint32_t job, const char *args)
{
	rogue_sign(r, job, args);
}

/* --- what is no frame ---------------------------------------------------- */

static void
act_nothing(struct rogue *r, uint32_t job, const char *args)
{
	(void)r;
	(void)job;
	(void)args;
}

static void
repeat(struct rogue *r, const char *act, useconds_t pause_us)
{
	char *name = xstrdup(act), *rest = name;

	strsep(&rest, " ");
	for (;;) {
		rogue_act(r, name, rest != NULL ? rest : "");
		rogue_flush(r);
		usleep(pause_us);
	}
}

static void
act_flood(struct rogue *r, uint32_t job, const char *args)
{
	(void)job;
	repeat(r, args, 0);
}

static void
act_chatter(struct rogue *r, uint32_t job, const char *args)
{
	(void)job;
	repeat(r, args, 100000);
}

/* What control does not take of it is lost. */
static void
act_say(struct rogue *r, uint32_t job, const char *args)
{
	(void)r;
	(void)job;
	(void)args;
	if (write(STDERR_FILENO, EVIL "\n", strlen(EVIL "\n")) == -1)
		return;
}

static void
act_die(struct rogue *r, uint32_t job, const char *args)
{
	(void)job;
	(void)args;
	rogue_flush(r);
	kill(getpid(), SIGKILL);
}

static void
act_linger(struct rogue *r, uint32_t job, const char *args)
{
	(void)job;
	(void)args;
	rogue_flush(r);
	for (;;)
		pause();
}

static void
act_stop(struct rogue *r, uint32_t job, const char *args)
{
	(void)job;
	(void)args;
	rogue_flush(r);
	kill(getpid(), SIGSTOP);
}

static void
act_close(struct rogue *r, uint32_t job, const char *args)
{
	rogue_flush(r);
	close(atoi(args));
	act_linger(r, job, args);
}

/* Go on in a child. */
static void
become_orphan(struct rogue *r)
{
	pid_t child;

	rogue_flush(r);
	child = fork();
	if (child == -1)
		fatal("fork: %s", strerror(errno));
	if (child > 0)
		kill(getpid(), SIGKILL);
}

/* Until control is gone, whose child our parent was. */
static void
outlive(pid_t control)
{
	while (kill(control, 0) == 0)
		usleep(100000);
	exit(0);
}

static void
outlive_away(struct rogue *r, bool says)
{
	pid_t control = getppid();

	become_orphan(r);
	setsid();
	if (says) {
		close(WORKER_JOB_FD);
		close(WORKER_RESULT_FD);
	}
	while (says && kill(control, 0) == 0)
		act_say(r, r->job, "");
	outlive(control);
}

static void
act_orphan(struct rogue *r, uint32_t job, const char *args)
{
	become_orphan(r);
	rogue_log(r, "child %ld\n", (long)getpid());
	alarm(STAY_S);
	act_linger(r, job, args);
}

static void
act_orphan_away(struct rogue *r, uint32_t job, const char *args)
{
	(void)job;
	(void)args;
	outlive_away(r, false);
}

static void
act_orphan_says(struct rogue *r, uint32_t job, const char *args)
{
	(void)job;
	(void)args;
	outlive_away(r, true);
}

static void
act_orphan_talks(struct rogue *r, uint32_t job, const char *args)
{
	(void)job;
	(void)args;
	become_orphan(r);
}

/* --- all of them --------------------------------------------------------- */

#define FUZZ_ARGS 8

/* fuzz: arguments to choose from, for those a fuzzer uses. */
static const struct act {
	const char *name;
	void (*run)(struct rogue *r, uint32_t job, const char *args);
	const char *fuzz[FUZZ_ARGS];
} acts[] = {
    {"ready", act_ready, {"", "0", "4294967295", "1 *511", "1 evil"}},
    {"pong", act_pong, {""}},
    {"hostkey", act_hostkey, {"", "", "other", "peer"}},
    {"sign", act_sign,
	{"", "user", "session", "service", "key", "behind", "foreign",
	    "index"}},
    {"authenticated", act_authenticated, {"", "", "evil"}},
    {"refused", act_refused, {"", "evil"}},
    {"started", act_started, {""}},
    {"output", act_output, {"", "1", "0", "32768", "32769", "1000000"}},
    {"progress", act_progress,
	{"", "5 5", "0 0", "9007199254740992 1", "18446744073709551615 1"}},
    {"result", act_result,
	{"", "status=2 stage=2", "status=1 exit=3 message=*511",
	    "status=3 stage=8", "status=9", "status=4 connect_ms=4294967295",
	    "bytes=18446744073709551615", "files=1 unchanged=2"}},
    {"texts", act_texts, {NULL}},
    {"raw", act_raw,
	{"00", "00000000", "ffffffff", "0000000514ffffffff",
	    "0000000502ffffffff", "0000000a0c00000000"}},
    {"nothing", act_nothing, {""}},
    {"flood", act_flood, {NULL}},
    {"chatter", act_chatter, {NULL}},
    {"say", act_say, {""}},
    {"die", act_die, {NULL}},
    {"linger", act_linger, {NULL}},
    {"stop", act_stop, {NULL}},
    {"close", act_close, {NULL}},
    {"orphan", act_orphan, {NULL}},
    {"orphan-away", act_orphan_away, {NULL}},
    {"orphan-says", act_orphan_says, {NULL}},
    {"orphan-talks", act_orphan_talks, {NULL}},
};
#define ACTS (sizeof(acts) / sizeof(acts[0]))

void
rogue_act(struct rogue *r, const char *name, const char *args)
{
	size_t i, len = strcspn(name, "@");
	uint32_t job = r->job;

	if (name[len] == '@')
		job = (uint32_t)strtoul(name + len + 1, NULL, 10);
	for (i = 0; i < ACTS; i++) {
		if (strlen(acts[i].name) == len &&
		    strncmp(acts[i].name, name, len) == 0) {
			acts[i].run(r, job, args);
			return;
		}
	}
	fatal("no such act: %s", name);
}

/* The same in each frame: one byte that is another one. */
static void
damage(struct rogue *r, size_t from)
{
	size_t len = buf_len(&r->out) - from;

	if (len > 0)
		buf_head(&r->out)[from + prng_below(&r->prng, len)] =
		    (uint8_t)prng_next(&r->prng);
}

void
rogue_fuzz(struct rogue *r)
{
	static const uint32_t others[] = {0, 1, 2, 3, 4, FRAME_NO_JOB};
	size_t from = buf_len(&r->out), count = 0;
	const struct act *act;
	uint32_t job = r->job;

	do
		act = &acts[prng_below(&r->prng, ACTS)];
	while (act->fuzz[0] == NULL);
	while (count < FUZZ_ARGS && act->fuzz[count] != NULL)
		count++;
	if (prng_below(&r->prng, 4) == 0)
		job = others[prng_below(
		    &r->prng, sizeof(others) / sizeof(others[0]))];
	act->run(r, job, act->fuzz[prng_below(&r->prng, count)]);
	if (prng_below(&r->prng, 8) == 0)
		damage(r, from);
}
