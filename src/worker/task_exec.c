/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *   OPEN ─▶ ENV ─▶ START ─▶ STREAM ─▶ end
 *
 * ENV sends "env" requests; most servers accept few names (AcceptEnv), so
 * what is refused goes in front of the command as "export NAME='value';".
 *
 * A command is ok only if its exit status 0 was received. libssh2 before
 * 1.12 can't tell that from its initial value, but it frees every packet it
 * was sent through the session's heap, and there the request "exit-status"
 * (RFC 4254 section 6.10) is seen.
 */
#include "config.h"

#include "worker/task_exec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/quote.h"
#include "util/xalloc.h"
#include "worker/session.h"
#include "worker/worker.h"

#define CHANNEL_PACKET_BYTES 32768u
#define SSH_CHANNEL_REQUEST  98 /* RFC 4254 section 9 */
#define STDIN_CHUNK_BYTES    32768u

void
task_exec_init(struct task_exec *e)
{
	memset(e, 0, sizeof(*e));
}

void
task_exec_clear(struct task_exec *e)
{
	free(e->command);
	e->command = NULL;
	e->channel = NULL; /* freed with the session */
}

void
task_exec_packet(struct task_exec *e, const uint8_t *data, size_t size)
{
	static const uint8_t name[] = "\0\0\0\013exit-status";

	if (size >= 1 + 4 + sizeof(name) - 1 + 1 + 4 &&
	    data[0] == SSH_CHANNEL_REQUEST &&
	    memcmp(data + 5, name, sizeof(name) - 1) == 0)
		e->has_exit_status = true;
}

static enum want
step_open(struct session *s)
{
	const struct msg_config *config = worker_config(s->worker);
	struct task_exec *e = &s->task;
	int rc;

	e->channel =
	    libssh2_channel_open_ex(s->ssh, "session", sizeof("session") - 1,
		config->channel_window, CHANNEL_PACKET_BYTES, NULL, 0);
	if (e->channel == NULL) {
		rc = libssh2_session_last_errno(s->ssh);
		if (rc == LIBSSH2_ERROR_EAGAIN)
			return session_again(s, STAGE_CHANNEL);
		return session_broken(s, STAGE_CHANNEL, rc,
		    "the server refused to open a session channel");
	}
	e->env = (struct cursor){config->env.data, config->env.len};
	e->command = xstrdup(config->command);
	e->state = EXEC_ENV;
	return WANT_STEP;
}

/* In front of the command, for what the server refused. */
static void
command_export(struct task_exec *e, const char *variable)
{
	const char *value = strchr(variable, '=') + 1;
	struct buf b;

	buf_init(&b, FRAME_MAX * 4);
	buf_printf(&b, "export %.*s", (int)(value - variable), variable);
	quote_shell(&b, value);
	buf_printf(&b, "; %s", e->command);
	free(e->command);
	e->command = buf_take_string(&b);
}

static enum want
step_env(struct session *s)
{
	struct task_exec *e = &s->task;
	const char *equals;
	int rc;

	if (e->variable == NULL) {
		if (e->env.left == 0) {
			e->state = EXEC_START;
			return WANT_STEP;
		}
		e->variable = (const char *)e->env.p;
	}
	equals = strchr(e->variable, '=');
	rc = libssh2_channel_setenv_ex(e->channel, e->variable,
	    (unsigned int)(equals - e->variable), equals + 1,
	    (unsigned int)strlen(equals + 1));
	if (rc == LIBSSH2_ERROR_EAGAIN)
		return session_again(s, STAGE_CHANNEL);
	if (rc == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED)
		command_export(e, e->variable);
	else if (rc != 0)
		return session_broken(
		    s, STAGE_CHANNEL, rc, "sending an environment variable");
	e->env.p += strlen(e->variable) + 1;
	e->env.left -= strlen(e->variable) + 1;
	e->variable = NULL;
	return WANT_STEP;
}

static enum want
step_start(struct session *s)
{
	struct task_exec *e = &s->task;
	int rc;

	if (!s->is_started) {
		s->is_started = true;
		session_active(s);
		if (s->spec.command_timeout_ms > 0)
			s->command_deadline_ms =
			    s->active_ms + s->spec.command_timeout_ms;
	}
	rc = libssh2_channel_process_startup(e->channel, "exec",
	    sizeof("exec") - 1, e->command, (unsigned int)strlen(e->command));
	if (rc == LIBSSH2_ERROR_EAGAIN)
		return session_again(s, STAGE_CHANNEL);
	if (rc == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED) {
		s->is_started = false; /* the server says that it did not */
		return session_end(s, STATUS_UNREACHABLE, STAGE_CHANNEL,
		    "the server refused to run a command");
	}
	if (rc == LIBSSH2_ERROR_INVAL) {
		s->is_started = false; /* libssh2 sent nothing */
		return session_end(s, STATUS_ERROR, STAGE_LOCAL,
		    "command and environment are larger than an SSH packet");
	}
	if (rc != 0)
		return session_broken(
		    s, STAGE_CHANNEL, rc, "starting the command");
	s->connect_deadline_ms = 0;
	s->has_idle_limit = true;
	session_active(s);
	e->state = EXEC_STREAM;
	return WANT_STEP;
}

/* Move stdin as far as the channel's window and our queue allow. */
static enum want
stream_stdin(struct session *s)
{
	const struct msg_config *config = worker_config(s->worker);
	struct task_exec *e = &s->task;
	char chunk[STDIN_CHUNK_BYTES];
	uint64_t left;
	ssize_t n;

	while (!e->is_stdin_done) {
		if (buf_len(&s->transport.out) > TRANSPORT_QUEUE_HIGH) {
			transport_flush(&s->transport);
			if (transport_wants_write(&s->transport))
				return WANT_NETWORK;
		}
		left =
		    config->has_input ? config->input_bytes - e->stdin_sent : 0;
		if (left == 0) {
			n = libssh2_channel_send_eof(e->channel);
			if (n == 0)
				e->is_stdin_done = true;
		} else {
			n = pread(WORKER_INPUT_FD, chunk,
			    left < sizeof(chunk) ? left : sizeof(chunk),
			    (off_t)e->stdin_sent);
			if (n <= 0)
				return session_end(s, STATUS_ERROR,
				    STAGE_COMMAND, "reading stdin: %s",
				    n == 0 ? "the file became shorter"
					   : strerror(errno));
			n = libssh2_channel_write_ex(
			    e->channel, 0, chunk, (size_t)n);
			if (n > 0) {
				e->stdin_sent += (uint64_t)n;
				session_active(s);
			}
		}
		if (n == LIBSSH2_ERROR_EAGAIN || (n == 0 && left > 0))
			return WANT_NETWORK;
		/* The command may be over, or have closed its stdin. */
		if (n == LIBSSH2_ERROR_CHANNEL_CLOSED ||
		    n == LIBSSH2_ERROR_CHANNEL_EOF_SENT)
			e->is_stdin_done = true;
		else if (n < 0)
			return session_broken(
			    s, STAGE_COMMAND, (int)n, "writing to stdin");
	}
	return WANT_NETWORK;
}

/*
 * Move one stream, 0 stdout or 1 stderr, to control until it has no more or
 * credit is used up.
 */
static enum want
stream_output(struct session *s, unsigned stream)
{
	uint64_t *total =
	    stream == 0 ? &s->result.stdout_bytes : &s->result.stderr_bytes;
	int stream_id = stream == 0 ? 0 : SSH_EXTENDED_DATA_STDERR;
	struct msg_output msg = {.stream = stream + 1};
	char data[FRAME_OUTPUT_MAX];
	size_t max;
	ssize_t n;

	for (;;) {
		max = worker_credit(s->worker);
		if (max > sizeof(data))
			max = sizeof(data);
		if (max == 0)
			return WANT_CREDIT;
		n = libssh2_channel_read_ex(
		    s->task.channel, stream_id, data, max);
		if (n == 0 || n == LIBSSH2_ERROR_EAGAIN)
			return WANT_NETWORK;
		if (n < 0)
			return session_broken(
			    s, STAGE_COMMAND, (int)n, "reading output");
		msg.data = (struct bytes){(const uint8_t *)data, (size_t)n};
		*total += (uint64_t)n;
		session_active(s);
		worker_output(s->worker, s->job, &msg);
		/* Credit is shared: a frame each in turn. */
		if (worker_has_waiters(s->worker))
			return WANT_TURN;
	}
}

static bool
has_exit_status(const struct task_exec *e)
{
#ifdef HAVE_LIBSSH2_CHANNEL_HAS_EXIT_STATUS
	return libssh2_channel_has_exit_status(e->channel) != 0;
#else
	return e->has_exit_status;
#endif
}

/* Whether the server has told how the command ended. Notes a signal. */
static bool
has_ended(struct session *s)
{
	char *name = NULL;
	size_t len = 0;

	libssh2_channel_get_exit_signal(
	    s->task.channel, &name, &len, NULL, NULL, NULL, NULL);
	if (name != NULL && len > 0)
		snprintf(s->signal, sizeof(s->signal), "%s", name);
	heap_free(&s->heap, name);
	return s->signal[0] != '\0' || has_exit_status(&s->task);
}

/* Its end was told. why: there may have been more output; "" if not. */
static enum want
told_result(struct session *s, const char *why)
{
	const char *separator = why[0] != '\0' ? "; " : "";
	unsigned code;

	if (s->signal[0] != '\0')
		return session_end(s, STATUS_FAILED, STAGE_COMMAND,
		    "killed by signal %s%s%s", s->signal, separator, why);
	code = (unsigned)libssh2_channel_get_exit_status(s->task.channel);
	s->result.has_exit_code = 1;
	s->result.exit_code = code;
	if (code != 0)
		return session_end(s, STATUS_FAILED, STAGE_COMMAND,
		    "exit %u%s%s", code, separator, why);
	return session_end(s, STATUS_OK, STAGE_NONE, "%s", why);
}

bool
task_exec_told(struct session *s, const char *why)
{
	unsigned long unread = 0;

	if (s->task.channel == NULL || !has_ended(s))
		return false;
	/* What the host sent before its end must all have been handed on. */
	libssh2_channel_window_read_ex(s->task.channel, &unread, NULL);
	if (unread > 0)
		return false;
	told_result(s, why);
	return true;
}

static enum want
exec_result(struct session *s)
{
	if (has_ended(s))
		return told_result(s, "");
	return session_end(s, STATUS_LOST, STAGE_COMMAND,
	    "the server closed the channel without an exit status");
}

static enum want
step_stream(struct session *s)
{
	unsigned first = s->task.turns++ & 1;
	enum want want;
	int rc;

	want = stream_stdin(s);
	if (want == WANT_END)
		return want;
	/* They take turns, so that a flood on one can't hold up the other. */
	want = stream_output(s, first);
	if (want == WANT_NETWORK)
		want = stream_output(s, !first);
	if (want != WANT_NETWORK)
		return want;
	if (!libssh2_channel_eof(s->task.channel))
		return session_again(s, STAGE_COMMAND);
	/*
	 * No more output. The command is over if its end was told; if not,
	 * it may go on reading what we still send, until the server closes
	 * the channel.
	 */
	if (has_ended(s))
		return exec_result(s);
	rc = libssh2_channel_wait_closed(s->task.channel);
	if (rc == LIBSSH2_ERROR_EAGAIN)
		return session_again(s, STAGE_COMMAND);
	if (rc != 0)
		return session_broken(
		    s, STAGE_COMMAND, rc, "waiting for the end of the command");
	return exec_result(s);
}

enum want
task_exec_step(struct session *s)
{
	switch (s->task.state) {
	case EXEC_OPEN:
		return step_open(s);
	case EXEC_ENV:
		return step_env(s);
	case EXEC_START:
		return step_start(s);
	case EXEC_STREAM:
		return step_stream(s);
	}
	return WANT_END;
}

void
task_exec_abort(struct session *s)
{
	struct task_exec *e = &s->task;

	if (e->channel == NULL || !s->is_started)
		return;
#ifdef HAVE_LIBSSH2_CHANNEL_SIGNAL_EX
	libssh2_channel_signal_ex(e->channel, "TERM", 4);
#endif
	libssh2_channel_close(e->channel);
}
