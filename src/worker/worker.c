/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A worker is one libuv loop over its sessions' sockets, the job pipe and the
 * result pipe. It knows no host but those of its job frames, holds no key,
 * and a password only from the verdict until it was sent. Before the loop it
 * reads what it is for, and gives up what it does not need for that (cage.c).
 *
 * Frames for control gather in one buffer that is written once a round of the
 * loop. Its size is bounded: output by credit, everything else by the number
 * of slots.
 *
 * Sessions that could go on at once, but had their share of this round, queue
 * for their next turn; while any does, the loop does not sleep. Sessions that
 * have output but no credit wait in a line of their own, and get turns in
 * that order when credit comes; those held by the rate limit likewise
 * (rate_limit.c).
 */
#include "config.h"

#include "worker/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libssh2.h>

#include "util/fdio.h"
#include "util/log.h"
#include "util/xalloc.h"
#include "worker/cage.h"
#include "worker/event_loop.h"
#include "worker/library.h"
#include "worker/pulse.h"
#include "worker/queue.h"
#include "worker/rate_limit.h"
#include "worker/session.h"
#include "worker/session_ssh.h"
#include "worker/threads.h"

#define PIPE_READ_BYTES 65536u
#define SESSION_BUCKETS 1024u
/* So long may a frame wait for another one to go with. */
#define LINGER_MS    10u
#define MISSING_SIZE 256

struct worker {
	uv_loop_t loop;
	struct threads *threads;
	struct pulse pulse;
	uv_poll_t jobs, results;
	uv_prepare_t before_sleep;
	uv_idle_t take_turns;
	bool is_results_polled;
	bool is_lingering; /* nothing in out is in a hurry */
	uv_timer_t linger;
	struct buf in, out;
	struct msg_config config;
	struct methods methods;
	struct session *sessions[SESSION_BUCKETS]; /* by job */
	struct queue turns, waiters;		   /* for a turn; for credit */
	struct rate_limit rate_limit;
	uint64_t credit;
	uint64_t pause_began_ms, paused_ms;
};

uv_loop_t *
worker_loop(struct worker *w)
{
	return &w->loop;
}

struct threads *
worker_threads(struct worker *w)
{
	return w->threads;
}

const struct msg_config *
worker_config(const struct worker *w)
{
	return &w->config;
}

struct rate_limit *
worker_rate_limit(struct worker *w)
{
	return &w->rate_limit;
}

const struct methods *
worker_methods(const struct worker *w)
{
	return &w->methods;
}

/* --- to control ---------------------------------------------------------- */

static void results_ready(uv_poll_t *handle, int status, int events);

static void
worker_flush(struct worker *w)
{
	bool is_waiting;

	if (w->is_lingering)
		return;
	if (fd_flush(WORKER_RESULT_FD, &w->out) == -1)
		_exit(0); /* control is gone */
	is_waiting = buf_len(&w->out) > 0;
	if (is_waiting == w->is_results_polled)
		return;
	w->is_results_polled = is_waiting;
	if (is_waiting)
		uv_poll_start(&w->results, UV_WRITABLE, results_ready);
	else
		uv_poll_stop(&w->results);
}

static void
results_ready(uv_poll_t *handle, int status, int events)
{
	(void)status;
	(void)events;
	worker_flush(handle->data);
}

static void
worker_before_sleep(uv_prepare_t *handle)
{
	worker_flush(handle->data);
}

void
worker_send(
    struct worker *w, enum frame_type type, uint32_t job, const void *msg)
{
	if (frame_write(&w->out, type, job, msg) == -1)
		fatal("frame too large");
	w->is_lingering = false;
}

static void
linger_over(uv_timer_t *timer)
{
	struct worker *w = timer->data;

	w->is_lingering = false; /* then the loop flushes */
}

void
worker_send_later(
    struct worker *w, enum frame_type type, uint32_t job, const void *msg)
{
	bool is_alone = buf_len(&w->out) == 0 || w->is_lingering;

	worker_send(w, type, job, msg);
	if (!is_alone)
		return;
	w->is_lingering = true;
	if (!uv_is_active((uv_handle_t *)&w->linger))
		uv_timer_start(&w->linger, linger_over, LINGER_MS, 0);
}

bool
worker_is_behind(const struct worker *w)
{
	return w->is_results_polled;
}

/* --- output and credit --------------------------------------------------- */

size_t
worker_credit(const struct worker *w)
{
	return w->credit;
}

void
worker_output(struct worker *w, uint32_t job, const struct msg_output *msg)
{
	w->credit -= msg->data.len;
	if (w->credit == 0)
		w->pause_began_ms = uv_now(&w->loop);
	worker_send(w, FRAME_OUTPUT, job, msg);
}

uint64_t
worker_paused_ms(const struct worker *w)
{
	uint64_t paused = w->paused_ms;

	if (w->credit == 0)
		paused += uv_now(&w->loop) - w->pause_began_ms;
	return paused;
}

static void
worker_add_credit(struct worker *w, uint32_t count)
{
	if (w->credit == 0)
		w->paused_ms = worker_paused_ms(w);
	w->credit += count;
	while (w->waiters.first != NULL)
		worker_queue_turn(w, queue_take(&w->waiters));
}

bool
worker_has_waiters(const struct worker *w)
{
	return w->waiters.first != NULL || w->turns.first != NULL;
}

/* --- turns --------------------------------------------------------------- */

static void
worker_turns(uv_idle_t *handle)
{
	struct worker *w = handle->data;
	struct session *s, *last = NULL;

	/* Those that queue again meanwhile come in the next round. */
	for (s = w->turns.first; s != NULL; s = s->next_turn)
		last = s;
	while (last != NULL && w->turns.first != NULL) {
		s = queue_take(&w->turns);
		if (s == last)
			last = NULL;
		session_run(s);
	}
	if (w->turns.first == NULL)
		uv_idle_stop(handle);
}

void
worker_queue_turn(struct worker *w, struct session *s)
{
	queue_put(&w->turns, s);
	uv_idle_start(&w->take_turns, worker_turns);
}

void
worker_queue_credit(struct worker *w, struct session *s)
{
	queue_put(&w->waiters, s);
}

/* --- sessions ------------------------------------------------------------ */

void
worker_session_ended(struct worker *w, struct session *s)
{
	worker_send(w, FRAME_RESULT, s->job, &s->result);
	queue_remove(s);
	*s->link = s->next;
	if (s->next != NULL)
		s->next->link = s->link;
	session_free(s);
}

static struct session *
worker_find(struct worker *w, uint32_t job)
{
	struct session *s;

	for (s = w->sessions[job % SESSION_BUCKETS]; s != NULL; s = s->next) {
		if (s->job == job)
			return s;
	}
	return NULL;
}

/* Call fn, which may end its session. */
static void
worker_each(struct worker *w, void (*fn)(struct session *s, const void *ctx),
    const void *ctx)
{
	struct session *s, *next;
	unsigned i;

	for (i = 0; i < SESSION_BUCKETS; i++) {
		for (s = w->sessions[i]; s != NULL; s = next) {
			next = s->next;
			fn(s, ctx);
		}
	}
}

static void
worker_start(struct worker *w, const struct frame *frame)
{
	struct session **bucket = &w->sessions[frame->job % SESSION_BUCKETS];
	struct session *s = session_new(w, frame);

	s->next = *bucket;
	s->link = bucket;
	if (s->next != NULL)
		s->next->link = &s->next;
	*bucket = s;
}

/* --- from control -------------------------------------------------------- */

static void
cancel(struct session *s, const void *ctx)
{
	const struct msg_cancel *msg = ctx;

	session_cancel(s, msg->message);
}

static void
ping(struct session *s, const void *ctx)
{
	(void)ctx;
	session_ping(s);
}

static void
missed(struct session *s, const void *ctx)
{
	const uint64_t *ms = ctx;

	session_missed(s, *ms);
}

static void
worker_ping(struct worker *w)
{
	worker_send(w, FRAME_PONG, FRAME_NO_JOB, NULL);
	worker_each(w, ping, NULL);
}

static void
worker_missed(void *ctx, uint64_t ms)
{
	worker_each(ctx, missed, &ms);
}

/* Act on one frame. Returns -1 if it is malformed. */
static int
worker_frame(struct worker *w, const struct frame *frame)
{
	union {
		struct msg_verdict verdict;
		struct msg_signature signature;
		struct msg_credit credit;
		struct msg_cancel cancel;
		struct msg_rate rate;
	} msg;
	struct session *s;

	if (frame->type == FRAME_JOB) {
		worker_start(w, frame);
		return 0;
	}
	if (frame->type == FRAME_CONFIG || frame->type >= FRAME_READY ||
	    frame_read(frame, &msg) == -1)
		return -1;
	/* A session may have ended while the answer was under way. */
	s = worker_find(w, frame->job);
	if (frame->type == FRAME_VERDICT && s != NULL)
		session_verdict(s, &msg.verdict);
	else if (frame->type == FRAME_SIGNATURE && s != NULL)
		session_signature(s, &msg.signature);
	else if (frame->type == FRAME_PING)
		worker_ping(w);
	else if (frame->type == FRAME_CREDIT)
		worker_add_credit(w, msg.credit.count);
	else if (frame->type == FRAME_CANCEL)
		worker_each(w, cancel, &msg.cancel);
	else if (frame->type == FRAME_RATE)
		rate_limit_set(&w->rate_limit, msg.rate.bytes_per_s);
	return 0;
}

/* Act on all that has come. */
static void
worker_frames(struct worker *w)
{
	struct frame frame;
	ssize_t n;

	while ((n = frame_peek(&w->in, &frame)) > 0) {
		if (worker_frame(w, &frame) == -1)
			fatal("malformed frame of type %d", (int)frame.type);
		buf_consume(&w->in, (size_t)n);
	}
	if (n == -1)
		fatal("malformed frame");
}

static void
worker_fill(struct worker *w)
{
	ssize_t n = fd_fill(WORKER_JOB_FD, &w->in, PIPE_READ_BYTES);

	if (n == 0 || (n == -1 && errno != EAGAIN))
		_exit(0); /* control is gone, or done with us */
}

static void
jobs_ready(uv_poll_t *handle, int status, int events)
{
	(void)status;
	(void)events;
	worker_fill(handle->data);
	worker_frames(handle->data);
}

/* --- set-up -------------------------------------------------------------- */

/* Wait for the first frame, which is kept: the configuration points into it. */
static void
worker_configure(struct worker *w)
{
	struct frame frame;
	ssize_t n;

	while ((n = frame_peek(&w->in, &frame)) == 0)
		worker_fill(w);
	if (n == -1 || frame.type != FRAME_CONFIG)
		fatal("malformed first frame");
	frame.payload.p = xmemdup(frame.payload.p, frame.payload.left);
	if (frame_read(&frame, &w->config) == -1)
		fatal("malformed configuration frame");
	buf_consume(&w->in, (size_t)n);
	w->credit = w->config.credit;
}

/* Set up the loop, with nothing to do yet. */
static void
worker_open_loop(struct worker *w)
{
	event_loop_init(&w->loop);
	w->threads = threads_new(&w->loop);
	fd_set_nonblock(WORKER_JOB_FD);
	fd_set_nonblock(WORKER_RESULT_FD);
	if (uv_poll_init(&w->loop, &w->jobs, WORKER_JOB_FD) != 0 ||
	    uv_poll_init(&w->loop, &w->results, WORKER_RESULT_FD) != 0)
		fatal("cannot poll the pipes of control");
	uv_prepare_init(&w->loop, &w->before_sleep);
	uv_idle_init(&w->loop, &w->take_turns);
	rate_limit_init(&w->rate_limit, &w->loop, w);
	uv_timer_init(&w->loop, &w->linger);
	w->jobs.data = w->results.data = w;
	w->before_sleep.data = w->take_turns.data = w->linger.data = w;
	uv_poll_start(&w->jobs, UV_READABLE, jobs_ready);
	uv_prepare_start(&w->before_sleep, worker_before_sleep);
	pulse_start(&w->pulse, &w->loop, worker_missed, w);
}

/* Say what is known of this libssh2's holes; "" and false: nothing. */
static bool
find_holes(char *text, size_t size)
{
	struct library library;
	const char *holes;

	library_find(&library, WORKER_JOB_FD);
	holes = library_holes(&library);
	text[0] = '\0';
	if (holes != NULL)
		snprintf(text, size, "libssh2 %s %s", library.version, holes);
	return holes != NULL;
}

_Noreturn void
worker_main(void)
{
	struct worker *w = xcalloc(1, sizeof(*w));
	char missing[MISSING_SIZE];    /* of the cage */
	char holes[FRAME_MESSAGE_MAX]; /* of libssh2 */
	struct msg_ready ready;

	/* Passwords come there, and what a session is encrypted with goes. */
	buf_init_wiped(&w->in, 2u * FRAME_MAX);
	buf_init_wiped(&w->out, 64u << 20); /* see the bounds above */
	queue_init(&w->turns);
	queue_init(&w->waiters);
	/* What the libraries read, they read now. */
	if (libssh2_init(0) != 0)
		fatal("cannot set up libssh2");
	methods_init(&w->methods, find_holes(holes, sizeof(holes)));
	worker_configure(w);
	cage_enter(&w->config, missing, sizeof(missing));
	worker_open_loop(w);
	ready.slots = w->config.slots;
	ready.missing = missing;
	ready.holes = holes;
	worker_send(w, FRAME_READY, FRAME_NO_JOB, &ready);
	worker_frames(w);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	fatal("the loop ended"); /* it always has the job pipe */
}
