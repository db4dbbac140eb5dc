/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * session: one host, from its job frame to its result. The states and their
 * transitions are described in session.c; auth.c, task_exec.c and
 * transfer.c are the parts of it that have steps of their own.
 */
#ifndef WORKER_SESSION_H
#define WORKER_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include <libssh2.h>

#include "wire/frame.h"
#include "wire/outcome.h"
#include "worker/auth.h"
#include "worker/connector.h"
#include "worker/exchange.h"
#include "worker/heap.h"
#include "worker/task_exec.h"
#include "worker/transfer.h"
#include "worker/transport.h"
#include "worker/want.h"

struct queue;
struct worker;

enum session_state {
	SESSION_CONNECT,
	SESSION_HANDSHAKE,
	SESSION_VERDICT,
	SESSION_AUTH,
	SESSION_TASK,
	SESSION_STOP,
	SESSION_DONE,
};

struct session {
	struct worker *worker;
	struct session *next, **link; /* in the worker's list of sessions */
	struct session *next_turn;    /* in the queue it waits in, if any */
	struct queue *queue;
	uint64_t rate_grant; /* bytes, under the rate limit */

	uint32_t job;
	uint8_t *frame; /* the job frame's payload; spec points into it */
	struct msg_job spec;

	enum session_state state;
	enum want want;
	struct heap heap;
	struct connector *connector;
	struct transport transport;
	uv_poll_t *poll; /* of transport.fd */
	int poll_events;
	uv_timer_t *timer;
	LIBSSH2_SESSION *ssh;
	bool is_encrypted;	   /* the handshake is complete */
	char *host_key_algorithms; /* of a retry; NULL: the job's */
	bool is_retried;
	bool has_verdict;
	enum verdict verdict;
	char *verdict_text;
	struct exchange exchange; /* until the login */
	struct auth auth;
	struct task_exec task;	   /* of TASK_EXEC */
	struct transfer *transfer; /* of the others, once it runs */

	/* In uv_now() time. */
	uint64_t started_ms;
	uint64_t accepted_ms;	      /* when the host key was accepted */
	uint64_t connect_deadline_ms; /* until the command runs; 0: over */
	uint64_t command_deadline_ms; /* 0: none */
	uint64_t asked_ms;	      /* control owes an answer; 0: none */
	unsigned asked_pings;	      /* that came since */
	uint64_t active_ms;	      /* last byte of the command's streams */
	uint64_t active_paused_ms;    /* worker_paused_ms() at that time */
	bool has_idle_limit;	      /* the command runs */
	bool is_started;	      /* the command may have been received */
	bool is_told;		      /* control knows that */

	struct msg_result result;
	char message[FRAME_MESSAGE_MAX];
	char signal[FRAME_SIGNAL_MAX];
	char peer[FRAME_PEER_MAX];
	char disconnect[256]; /* text of the server's disconnect message */
};

/*
 * Begin a job. frame is the payload of its job frame (copied); its slot is
 * taken until worker_session_ended() is called, which is never before this
 * returns. A frame that can't be read is a bug of ours: fatal().
 */
struct session *session_new(struct worker *w, const struct frame *frame);
/* End without a result: cancelled or ended sessions. */
void session_free(struct session *s);

/* Go on as far as possible without waiting. May end and free s. */
void session_run(struct session *s);

/* Answers of control. May end and free s. */
void session_verdict(struct session *s, const struct msg_verdict *msg);
void session_signature(struct session *s, const struct msg_signature *msg);
/* Control runs, but may owe s an answer for too long. May end and free s. */
void session_ping(struct session *s);
/* For so long the worker did not run, which is not the host's fault. */
void session_missed(struct session *s, uint64_t ms);
/* Cut it short: result cancelled with that message. May free s. */
void session_cancel(struct session *s, const char *message);

/* --- for auth.c and the tasks -------------------------------------------- */

/* Set the result and end. Returns WANT_END. */
enum want session_end(struct session *s, enum status status, enum stage stage,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/*
 * A libssh2 call failed with rc (not EAGAIN): end with what the connection
 * tells: lost after the command may have started, else unreachable.
 */
enum want session_broken(
    struct session *s, enum stage stage, int rc, const char *what);

/* libssh2 asserted that, and can't be used any more; ends the session. */
enum want session_asserted(struct session *s, const char *assertion);

/* What to wait for after EAGAIN; ends the session if the peer is gone. */
enum want session_again(struct session *s, enum stage stage);

/* Bytes went over the command's streams: the idle time starts anew. */
void session_active(struct session *s);

#endif
