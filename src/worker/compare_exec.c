/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *   IDLE ─▶ OPEN ─▶ START ─▶ READ ─▶ IDLE
 *
 * Each state can go to IDLE, but for OPEN: libssh2 opens one channel of a
 * session at a time, and a call that was begun must be repeated to its end.
 * What was opened is put among the closing ones.
 *
 * Within a step the closing channels come first: each call takes packets for
 * all channels off the socket, and the last one must be by whoever reads.
 */
#include "config.h"

#include "worker/compare_exec.h"

#include <stdlib.h>
#include <string.h>

#include "util/buf.h"
#include "util/log.h"
#include "util/quote.h"
#include "util/xalloc.h"
#include "worker/session.h"

#define WINDOW_BYTES 32768u
#define PACKET_BYTES 32768u
#define COMMAND_MAX  (1u << 20)

void
compare_exec_init(struct compare_exec *e, struct session *s)
{
	*e = (struct compare_exec){.session = s};
}

void
compare_exec_clear(struct compare_exec *e)
{
	free(e->command);
	compare_exec_init(e, e->session);
}

/* A place for one more channel that closes, or NULL. */
static LIBSSH2_CHANNEL **
closing_place(struct compare_exec *e)
{
	size_t i;

	for (i = 0; i < COMPARE_EXEC_CLOSING_MAX; i++) {
		if (e->closing[i] == NULL)
			return &e->closing[i];
	}
	return NULL;
}

bool
compare_exec_is_free(const struct compare_exec *e)
{
	return e->state == COMPARE_EXEC_IDLE && !e->is_off;
}

bool
compare_exec_can(const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789/._-+=:,@ ";

	return path[strspn(path, plain)] == '\0';
}

void
compare_exec_start(struct compare_exec *e, const char *path, uint64_t length)
{
	struct buf b;

	buf_init(&b, COMMAND_MAX);
	/* By redirection: no path is an option then. Any shell has it. */
	if (buf_printf(&b, "head -c %llu < ", (unsigned long long)length) ==
		-1 ||
	    (path[0] != '/' && buf_puts(&b, "./") == -1) ||
	    quote_shell(&b, path) == -1 || buf_puts(&b, " | sha256sum") == -1)
		fatal("a path is too long");
	e->command = buf_take_string(&b);
	e->is_stopping = false;
	e->is_eof_sent = false;
	e->output_len = 0;
	e->state = COMPARE_EXEC_OPEN;
}

static void
exec_end(struct compare_exec *e)
{
	LIBSSH2_CHANNEL **place = closing_place(e);

	/* A channel with no place is freed with the session. */
	if (place != NULL)
		*place = e->channel;
	if (closing_place(e) == NULL)
		e->is_off = true;
	e->channel = NULL;
	free(e->command);
	e->command = NULL;
	e->state = COMPARE_EXEC_IDLE;
}

void
compare_exec_stop(struct compare_exec *e)
{
	if (e->state == COMPARE_EXEC_OPEN)
		e->is_stopping = true;
	else if (e->state != COMPARE_EXEC_IDLE)
		exec_end(e);
}

/* --- the states: each returns 0, or what libssh2 says -------------------- */

static int
step_open(struct compare_exec *e)
{
	LIBSSH2_SESSION *ssh = e->session->ssh;
	int rc;

	e->channel = libssh2_channel_open_ex(ssh, "session",
	    sizeof("session") - 1, WINDOW_BYTES, PACKET_BYTES, NULL, 0);
	if (e->channel == NULL) {
		rc = libssh2_session_last_errno(ssh);
		return rc != 0 ? rc : LIBSSH2_ERROR_CHANNEL_FAILURE;
	}
	if (e->is_stopping) {
		exec_end(e);
		return LIBSSH2_ERROR_EAGAIN;
	}
	libssh2_channel_handle_extended_data2(
	    e->channel, LIBSSH2_CHANNEL_EXTENDED_DATA_IGNORE);
	e->state = COMPARE_EXEC_START;
	return 0;
}

static int
step_start(struct compare_exec *e)
{
	int rc;

	rc = libssh2_channel_process_startup(e->channel, "exec",
	    sizeof("exec") - 1, e->command, (unsigned int)strlen(e->command));
	if (rc == 0)
		e->state = COMPARE_EXEC_READ;
	return rc;
}

/* Returns 0 when there is enough output, or no more. */
static int
step_read(struct compare_exec *e)
{
	ssize_t n;
	int rc;

	if (!e->is_eof_sent) {
		rc = libssh2_channel_send_eof(e->channel);
		if (rc == LIBSSH2_ERROR_EAGAIN)
			return rc;
		e->is_eof_sent = true;
	}
	while (e->output_len < sizeof(e->output)) {
		n = libssh2_channel_read_ex(e->channel, 0,
		    e->output + e->output_len,
		    sizeof(e->output) - e->output_len);
		if (n == 0 || n == LIBSSH2_ERROR_EAGAIN)
			return libssh2_channel_eof(e->channel)
			    ? 0
			    : LIBSSH2_ERROR_EAGAIN;
		if (n < 0)
			return (int)n;
		session_active(e->session);
		e->output_len += (size_t)n;
	}
	return 0;
}

static void
step_closing(struct compare_exec *e)
{
	size_t i;
	int rc;

	for (i = 0; i < COMPARE_EXEC_CLOSING_MAX; i++) {
		if (e->closing[i] == NULL)
			continue;
		rc = libssh2_channel_close(e->closing[i]);
		if (rc != LIBSSH2_ERROR_EAGAIN)
			rc = libssh2_channel_free(e->closing[i]);
		if (rc != LIBSSH2_ERROR_EAGAIN)
			e->closing[i] = NULL;
	}
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "HASH", alone or with a blank behind it. */
static int
parse_output(const struct compare_exec *e, uint8_t *sha256)
{
	int high, low;
	size_t i;

	if (e->output_len < 2 * DIGEST_BYTES)
		return -1;
	for (i = 0; i < DIGEST_BYTES; i++) {
		high = hex_digit(e->output[2 * i]);
		low = hex_digit(e->output[2 * i + 1]);
		if (high == -1 || low == -1)
			return -1;
		sha256[i] = (uint8_t)(high << 4 | low);
	}
	if (e->output_len > 2 * DIGEST_BYTES &&
	    strchr(" \t\r\n", e->output[2 * DIGEST_BYTES]) == NULL)
		return -1;
	return 0;
}

enum compare_exec_result
compare_exec_step(struct compare_exec *e, uint8_t sha256[static DIGEST_BYTES])
{
	bool is_over = false;
	int rc = LIBSSH2_ERROR_EAGAIN;

	step_closing(e);
	do {
		switch (e->state) {
		case COMPARE_EXEC_IDLE:
			return COMPARE_EXEC_AGAIN;
		case COMPARE_EXEC_OPEN:
			rc = step_open(e);
			break;
		case COMPARE_EXEC_START:
			rc = step_start(e);
			break;
		case COMPARE_EXEC_READ:
			rc = step_read(e);
			is_over = rc == 0;
			break;
		}
	} while (rc == 0 && !is_over);
	if (rc == LIBSSH2_ERROR_EAGAIN)
		return COMPARE_EXEC_AGAIN;
	exec_end(e);
	if (rc == 0 && parse_output(e, sha256) == 0)
		return COMPARE_EXEC_HASHED;
	e->is_off = true;
	return COMPARE_EXEC_NONE;
}
