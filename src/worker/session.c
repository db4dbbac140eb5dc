/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The life of a session:
 *
 *   CONNECT ──▶ HANDSHAKE ──▶ VERDICT ──▶ AUTH ──▶ TASK ──▶ DONE
 *      ▲                         │                    │        ▲
 *      └── retry, once, with ────┘                    └▶ STOP ─┘
 *          the known key types
 *
 * Any state can go to DONE: an error, a deadline, a cancel. A transfer that is
 * cut short by one of the last two has its result already, and goes through
 * STOP for a moment, to remove its temporary files from the host. Its time
 * limits are session_limits.c.
 *
 * session_run() steps until the session has to wait; what it waits for
 * decides which events of the socket are polled. The password and the right
 * to start arrive with the verdict, so nothing of value can leave before the
 * host's key was accepted.
 */
#include "config.h"

#include "worker/session.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/log.h"
#include "util/secret.h"
#include "util/xalloc.h"
#include "worker/assert_guard.h"
#include "worker/rate_limit.h"
#include "worker/session_limits.h"
#include "worker/session_ssh.h"
#include "worker/task_get.h"
#include "worker/task_put.h"
#include "worker/worker.h"

/* The most that libssh2 may take for one session. */
#define SESSION_HEAP_MAX (16u << 20)

/* --- beginning and end --------------------------------------------------- */

static void session_connected(void *ctx, const struct connected *result);

static void
session_connect(struct session *s)
{
	s->state = SESSION_CONNECT;
	s->connector = connector_start(worker_loop(s->worker),
	    worker_threads(s->worker), s->spec.address, s->spec.port,
	    s->connect_deadline_ms, session_connected, s);
	s->want = WANT_CONTROL; /* nothing to poll yet */
}

static void
handle_closed(uv_handle_t *handle)
{
	free(handle);
}

struct session *
session_new(struct worker *w, const struct frame *frame)
{
	struct session *s = xcalloc(1, sizeof(*s));
	struct frame own = *frame;

	s->worker = w;
	s->job = frame->job;
	s->frame = xmemdup(frame->payload.p, frame->payload.left);
	own.payload.p = s->frame;
	if (frame_read(&own, &s->spec) == -1)
		fatal("malformed job frame");
	heap_init(&s->heap, SESSION_HEAP_MAX, session_block_freed, s);
	exchange_init(&s->exchange);
	transport_init(&s->transport);
	task_exec_init(&s->task);
	s->rate_grant = UINT64_MAX; /* until it is held */
	s->started_ms = session_now(s);
	s->connect_deadline_ms = s->started_ms + s->spec.connect_timeout_ms;
	s->timer = xcalloc(1, sizeof(*s->timer));
	uv_timer_init(worker_loop(w), s->timer);
	s->timer->data = s;
	session_set_timer(s);
	session_connect(s);
	return s;
}

static void
session_unwatch(struct session *s)
{
	if (s->poll == NULL)
		return;
	uv_close((uv_handle_t *)s->poll, handle_closed);
	s->poll = NULL;
	s->poll_events = 0;
}

/* Call work(s), which calls libssh2; what that asserted ends its session. */
static const char *
session_guarded(struct session *s, void (*work)(void *ctx))
{
	struct exchange *outer = exchange_listen(&s->exchange);
	const char *asserted = assert_guarded(work, s);

	exchange_listen(outer);
	if (asserted != NULL)
		s->ssh = NULL;
	return asserted;
}

static void
session_free_ssh(void *ctx)
{
	struct session *s = ctx;

	/*
	 * libssh2 waits for the end of a channel, and takes what came after a
	 * packet with a wrong MAC: 1.11 reads beyond it, since with
	 * encrypt-then-MAC it has decrypted it out of step. The heap has all of
	 * the session; a few contexts of libcrypto leak.
	 */
	if (s->transport.error == EBADMSG)
		return;
	/* Said politely if it can be said at once. */
	if (s->is_encrypted && !s->transport.is_closed)
		libssh2_session_disconnect(s->ssh, "done");
	transport_flush(&s->transport);
	transport_abort(&s->transport);
	libssh2_session_free(s->ssh);
}

/* Drop the connection and all of libssh2 that belongs to it. */
static void
session_disconnect(struct session *s)
{
	if (s->connector != NULL)
		connector_cancel(s->connector);
	s->connector = NULL;
	session_unwatch(s);
	if (s->ssh != NULL)
		session_guarded(s, session_free_ssh);
	s->ssh = NULL;
	s->is_encrypted = false;
	heap_clear(&s->heap);
	s->heap.freed = session_block_freed;
	exchange_clear(&s->exchange);
	transport_close(&s->transport);
}

void
session_free(struct session *s)
{
	session_disconnect(s);
	transfer_free(s->transfer);
	task_exec_clear(&s->task);
	auth_clear(&s->auth);
	uv_close((uv_handle_t *)s->timer, handle_closed);
	free(s->host_key_algorithms);
	secret_free(s->verdict_text);
	free(s->frame);
	free(s);
}

enum want
session_end(struct session *s, enum status status, enum stage stage,
    const char *fmt, ...)
{
	va_list ap;

	if (s->state == SESSION_STOP) { /* it has its result */
		s->state = SESSION_DONE;
		return WANT_END;
	}
	va_start(ap, fmt);
	vsnprintf(s->message, sizeof(s->message), fmt, ap);
	va_end(ap);
	s->result.status = (uint32_t)status;
	s->result.stage = (uint32_t)stage;
	s->result.message = s->message;
	s->result.signal = s->signal;
	s->result.peer = s->peer;
	s->state = SESSION_DONE;
	return WANT_END;
}

/* --- the socket ---------------------------------------------------------- */

static void session_poll(struct session *s, int events);

static void
session_ready(uv_poll_t *handle, int status, int events)
{
	struct session *s = handle->data;

	/* After POLLERR libuv polls no more; the next read tells why. */
	if (status < 0)
		s->poll_events = 0;
	if (s->want == WANT_CONTROL && (events & UV_READABLE))
		session_poll(s, 0);
	session_run(s);
}

static void
session_poll(struct session *s, int events)
{
	s->poll_events = events;
	if (events == 0)
		uv_poll_stop(s->poll);
	else if (uv_poll_start(s->poll, events, session_ready) != 0)
		fatal("cannot poll a socket");
}

/* --- the states ---------------------------------------------------------- */

static void
session_connected(void *ctx, const struct connected *result)
{
	struct session *s = ctx;

	s->connector = NULL;
	snprintf(s->peer, sizeof(s->peer), "%s", result->peer);
	if (result->fd == -1) {
		session_end(
		    s, result->status, result->stage, "%s", result->message);
		s->result.is_final = result->is_final;
		worker_session_ended(s->worker, s);
		return;
	}
	transport_open(&s->transport, result->fd);
	s->poll = result->poll;
	s->poll->data = s;
	session_poll(s, UV_READABLE);
	s->state = SESSION_HANDSHAKE;
	if (session_create(s) != 0) {
		session_no_methods(s);
		worker_session_ended(s->worker, s);
		return;
	}
	session_run(s);
}

static enum want
step_handshake(struct session *s)
{
	struct msg_hostkey msg = {.peer = s->peer};
	const char *key;
	int rc, type;

	rc = libssh2_session_handshake(s->ssh, s->transport.fd);
	if (rc == LIBSSH2_ERROR_EAGAIN) {
		if (!s->transport.is_closed ||
		    transport_has_more(&s->transport))
			return session_again(s, STAGE_KEX);
		return session_handshake_closed(s);
	}
	if (rc != 0)
		return session_handshake_failed(s, rc);
	s->is_encrypted = true;
	key = libssh2_session_hostkey(s->ssh, &msg.key.len, &type);
	if (key == NULL)
		return session_end(s, STATUS_UNREACHABLE, STAGE_PROTOCOL,
		    "the server presented no host key");
	msg.key.data = (const uint8_t *)key;
	transport_forget_proposal(&s->transport);
	worker_send(s->worker, FRAME_HOSTKEY, s->job, &msg);
	s->result.connect_ms = (uint32_t)(session_now(s) - s->started_ms);
	s->state = SESSION_VERDICT;
	return WANT_CONTROL;
}

static enum want
step_verdict(struct session *s)
{
	if (!s->has_verdict)
		return WANT_CONTROL;
	s->has_verdict = false;
	switch (s->verdict) {
	case VERDICT_RETRY:
		if (s->is_retried)
			break;
		s->is_retried = true;
		free(s->host_key_algorithms);
		s->host_key_algorithms = xstrdup(s->verdict_text);
		session_disconnect(s);
		session_connect(s);
		return WANT_CONTROL;
	case VERDICT_ACCEPTED:
		auth_init(&s->auth, s->spec.keys,
		    s->spec.has_password ? s->verdict_text : NULL);
		secret_free(s->verdict_text);
		s->verdict_text = NULL;
		s->accepted_ms = session_now(s);
		s->state = SESSION_AUTH;
		return WANT_STEP;
	case VERDICT_REFUSED:
		break;
	}
	return session_end(
	    s, STATUS_DENIED, STAGE_HOSTKEY, "%s", s->verdict_text);
}

static enum want
step_auth(struct session *s)
{
	struct msg_authenticated msg;
	bool is_done;
	enum want want = auth_step(s, &is_done);

	if (is_done) {
		msg.method = auth_method(&s->auth);
		auth_clear(&s->auth);
		exchange_drop(&s->exchange);
		s->heap.wipe = false; /* from here on it holds no secret */
		s->result.auth_ms = (uint32_t)(session_now(s) - s->accepted_ms);
		/* The start of the command gets as long again. */
		s->connect_deadline_ms =
		    session_now(s) + s->spec.connect_timeout_ms;
		s->state = SESSION_TASK;
		worker_send_later(s->worker, FRAME_AUTHENTICATED, s->job, &msg);
	}
	return want;
}

bool
session_is_transfer(const struct session *s)
{
	return worker_config(s->worker)->task != TASK_EXEC;
}

static enum want
step_task(struct session *s)
{
	if (!session_is_transfer(s))
		return task_exec_step(s);
	if (s->transfer == NULL)
		s->transfer = transfer_new(s,
		    worker_config(s->worker)->task == TASK_PUT ? &task_put_ops
							       : &task_get_ops);
	return transfer_step(s);
}

static enum want
session_step(struct session *s)
{
	switch (s->state) {
	case SESSION_CONNECT:
		return WANT_CONTROL;
	case SESSION_HANDSHAKE:
		return step_handshake(s);
	case SESSION_VERDICT:
		return step_verdict(s);
	case SESSION_AUTH:
		return step_auth(s);
	case SESSION_TASK:
		return step_task(s);
	case SESSION_STOP:
		return transfer_step(s);
	case SESSION_DONE:
		return WANT_END;
	}
	return WANT_END;
}

/* --- running ------------------------------------------------------------- */

/* Poll for what the session waits for, and nothing else. */
static void
session_watch(struct session *s)
{
	int events = 0;

	if (s->transport.fd == -1)
		return;
	transport_flush(&s->transport);
	if (s->want == WANT_NETWORK)
		events |= UV_READABLE;
	/* Control mostly answers before the host says anything. */
	if (s->want == WANT_CONTROL)
		events |= s->poll_events & UV_READABLE;
	if (transport_wants_write(&s->transport))
		events |= UV_WRITABLE;
	if (events != s->poll_events)
		session_poll(s, events);
}

static void
session_steps(void *ctx)
{
	struct session *s = ctx;

	do
		s->want = session_step(s);
	while (s->want == WANT_STEP);
}

void
session_run(struct session *s)
{
	enum session_state state = s->state;
	const char *asserted;

	transport_turn(&s->transport);
	asserted = session_guarded(s, session_steps);
	if (asserted != NULL)
		s->want = session_asserted(s, asserted);
	if (s->want == WANT_END) {
		worker_session_ended(s->worker, s);
		return;
	}
	if (s->is_started && !s->is_told) {
		s->is_told = true;
		worker_send_later(s->worker, FRAME_STARTED, s->job, NULL);
	}
	/* The limits change only with the states. */
	if (session_asks(s) || state != s->state || s->state == SESSION_TASK)
		session_set_timer(s);
	if (s->want == WANT_TURN)
		worker_queue_turn(s->worker, s);
	else if (s->want == WANT_CREDIT)
		worker_queue_credit(s->worker, s);
	else if (s->want == WANT_RATE)
		rate_limit_hold(worker_rate_limit(s->worker), s);
	session_watch(s);
}

static void
session_abort(void *ctx)
{
	task_exec_abort(ctx);
}

void
session_cut(struct session *s)
{
	if (!transfer_stop(s)) {
		session_guarded(s, session_abort);
		worker_session_ended(s->worker, s);
		return;
	}
	s->state = SESSION_STOP;
	s->has_idle_limit = false;
	s->command_deadline_ms = 0;
	s->connect_deadline_ms = session_now(s) + TRANSFER_STOP_MS;
	session_set_timer(s);
	session_run(s);
}

/* --- frames -------------------------------------------------------------- */

void
session_verdict(struct session *s, const struct msg_verdict *msg)
{
	if (s->state != SESSION_VERDICT || s->has_verdict)
		fatal("verdict for a session that did not ask");
	s->has_verdict = true;
	s->verdict = (enum verdict)msg->verdict;
	secret_free(s->verdict_text);
	s->verdict_text = xstrdup(msg->text);
	session_answered(s);
	session_run(s);
}

void
session_signature(struct session *s, const struct msg_signature *msg)
{
	auth_signature(s, msg->signature);
	session_answered(s);
	session_run(s);
}

void
session_cancel(struct session *s, const char *message)
{
	if (s->state == SESSION_STOP)
		return; /* over in a moment */
	session_end(s, STATUS_CANCELLED, session_stage(s), "%s", message);
	session_cut(s);
}
