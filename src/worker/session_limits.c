/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Deadlines are absolute: one for all up to the login, one for the start of the
 * command, one for the command; only the idle limit starts anew with each byte
 * of the command's streams. One timer fires at the nearest.
 *
 * Time in which the host had no part does not count: that in which the worker
 * did not run, and that which control took for an answer. Control may have
 * been stopped meanwhile, so the limit of an answer is counted in its pings,
 * not in time.
 */
#include "config.h"

#include "worker/session_limits.h"

#include <stdio.h>

#include "worker/worker.h"

uint64_t
session_now(const struct session *s)
{
	return uv_now(worker_loop(s->worker));
}

/* A deadline up to the start of the command, and it runs. */
static bool
has_connect_limit(const struct session *s)
{
	return s->connect_deadline_ms > 0 && s->asked_ms == 0;
}

void
session_active(struct session *s)
{
	s->active_ms = session_now(s);
	s->active_paused_ms = worker_paused_ms(s->worker);
}

static enum stage
task_stage(const struct session *s)
{
	return session_is_transfer(s) ? STAGE_TRANSFER : STAGE_COMMAND;
}

enum stage
session_stage(const struct session *s)
{
	switch (s->state) {
	case SESSION_CONNECT:
		return s->connector != NULL ? connector_stage(s->connector)
					    : STAGE_CONNECT;
	case SESSION_HANDSHAKE:
		return s->transport.has_banner ? STAGE_KEX : STAGE_BANNER;
	case SESSION_VERDICT:
		return STAGE_HOSTKEY;
	case SESSION_AUTH:
		return STAGE_AUTH;
	case SESSION_TASK:
	case SESSION_STOP:
	case SESSION_DONE:
		break;
	}
	return s->is_started ? task_stage(s) : STAGE_CHANNEL;
}

static const char *
deadline_words(const struct session *s)
{
	if (s->is_started)
		return "the server does not say whether it runs, after";
	if (s->state != SESSION_TASK)
		return "no login after";
	return session_is_transfer(s) ? "the SFTP server does not answer, after"
				      : "the command was not started after";
}

/* For how long the host was silent, our own pauses not counted. */
static uint64_t
session_idle_ms(const struct session *s)
{
	uint64_t silent = session_now(s) - s->active_ms;
	uint64_t paused = worker_paused_ms(s->worker) - s->active_paused_ms;

	return silent > paused ? silent - paused : 0;
}

static void session_expired(uv_timer_t *timer);

void
session_set_timer(struct session *s)
{
	const struct msg_config *config = worker_config(s->worker);
	uint64_t now = session_now(s), next = UINT64_MAX;

	if (has_connect_limit(s))
		next = s->connect_deadline_ms;
	if (s->command_deadline_ms > 0 && s->command_deadline_ms < next)
		next = s->command_deadline_ms;
	if (s->has_idle_limit && config->idle_timeout_ms > 0 &&
	    s->active_ms + config->idle_timeout_ms < next)
		next = s->active_ms + config->idle_timeout_ms;
	if (next == UINT64_MAX)
		uv_timer_stop(s->timer);
	else
		uv_timer_start(
		    s->timer, session_expired, next > now ? next - now : 0, 0);
}

static void
session_timed_out(
    struct session *s, enum stage stage, uint64_t limit_ms, const char *what)
{
	char text[128];

	snprintf(text, sizeof(text), "its output was still open after %g s",
	    (double)limit_ms / 1000);
	if (!task_exec_told(s, text))
		session_end(s, STATUS_TIMEOUT, stage, "%s %g s", what,
		    (double)limit_ms / 1000);
	session_cut(s);
}

static void
session_expired(uv_timer_t *timer)
{
	struct session *s = timer->data;
	const struct msg_config *config = worker_config(s->worker);
	uint64_t now = session_now(s), idle;

	if (s->state == SESSION_STOP && now >= s->connect_deadline_ms) {
		worker_session_ended(s->worker, s);
		return;
	}
	if (has_connect_limit(s) && now >= s->connect_deadline_ms) {
		session_timed_out(s, session_stage(s),
		    s->spec.connect_timeout_ms, deadline_words(s));
		return;
	}
	if (s->command_deadline_ms > 0 && now >= s->command_deadline_ms) {
		session_timed_out(s, task_stage(s), s->spec.command_timeout_ms,
		    "still running after");
		return;
	}
	if (!s->has_idle_limit || config->idle_timeout_ms == 0) {
		session_set_timer(s);
		return;
	}
	if (s->transfer != NULL && s->transfer->local_jobs > 0)
		session_active(s);
	idle = session_idle_ms(s);
	if (idle >= config->idle_timeout_ms) {
		session_timed_out(
		    s, STAGE_IDLE, config->idle_timeout_ms, "not a byte for");
		return;
	}
	/* Silent for less than it seems: we had paused. */
	uv_timer_start(
	    s->timer, session_expired, config->idle_timeout_ms - idle, 0);
}

/* Whether the next step is control's. */
static bool
awaits_answer(const struct session *s)
{
	return (s->state == SESSION_VERDICT && !s->has_verdict) ||
	    (s->state == SESSION_AUTH && s->auth.is_signing);
}

bool
session_asks(struct session *s)
{
	if (s->asked_ms != 0 || !awaits_answer(s))
		return false;
	s->asked_ms = session_now(s);
	s->asked_pings = 0;
	return true;
}

void
session_answered(struct session *s)
{
	if (s->asked_ms == 0)
		return;
	s->connect_deadline_ms += session_now(s) - s->asked_ms;
	s->asked_ms = 0;
	session_set_timer(s);
}

void
session_ping(struct session *s)
{
	/* The first may have come at once. */
	if (s->asked_ms != 0 &&
	    (uint64_t)s->asked_pings++ * PING_INTERVAL_MS >=
		s->spec.connect_timeout_ms)
		session_timed_out(s, session_stage(s),
		    s->spec.connect_timeout_ms, deadline_words(s));
}

void
session_missed(struct session *s, uint64_t ms)
{
	if (s->connector != NULL)
		connector_missed(s->connector, ms);
	if (has_connect_limit(s))
		s->connect_deadline_ms += ms;
	if (s->command_deadline_ms > 0)
		s->command_deadline_ms += ms;
	s->active_ms += ms;
	if (s->active_ms > session_now(s))
		s->active_ms = session_now(s);
	session_set_timer(s);
}
