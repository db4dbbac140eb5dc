/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "worker/transfer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "util/escape.h"
#include "util/human.h"
#include "util/log.h"
#include "util/xalloc.h"
#include "worker/rate_limit.h"
#include "worker/session.h"
#include "worker/worker.h"

#define PROGRESS_EVERY_MS 250u
/* Lines that wait for credit; above it nothing new is started. */
#define LINES_HIGH (32u * 1024)
#define LINES_MAX  (8u << 20)

struct transfer *
transfer_new(struct session *s, const struct transfer_ops *ops)
{
	struct transfer *t = xcalloc(1, sizeof(*t));

	t->session = s;
	t->ops = ops;
	t->began_ms = uv_now(worker_loop(s->worker));
	sftp_init(&t->sftp);
	comparer_init(&t->comparer, t);
	buf_init(&t->lines[0], LINES_MAX);
	buf_init(&t->lines[1], LINES_MAX);
	return t;
}

void
transfer_free(struct transfer *t)
{
	if (t == NULL)
		return;
	if (t->has_begun)
		t->ops->free(t);
	comparer_clear(&t->comparer);
	sftp_clear(&t->sftp);
	buf_clear(&t->lines[0]);
	buf_clear(&t->lines[1]);
	free(t);
}

const struct msg_config *
transfer_config(const struct transfer *t)
{
	return worker_config(t->session->worker);
}

bool
transfer_has(const struct transfer *t, enum transfer_flag flag)
{
	return (transfer_config(t)->transfer_flags & (uint32_t)flag) != 0;
}

/* --- words --------------------------------------------------------------- */

static const char *
verb(const struct transfer *t)
{
	return transfer_config(t)->task == TASK_PUT ? "put" : "get";
}

static void
line(struct transfer *t, unsigned stream, const char *text)
{
	if (buf_puts(&t->lines[stream], text) == -1 ||
	    buf_puts(&t->lines[stream], "\n") == -1)
		fatal("too many lines about one host");
}

static char *about(const char *path, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* "PATH: WORDS", as an escaped string of the caller. */
static char *
about(const char *path, const char *fmt, va_list ap)
{
	char words[512], *both, *shown;

	vsnprintf(words, sizeof(words), fmt, ap);
	both =
	    path[0] != '\0' ? xasprintf("%s: %s", path, words) : xstrdup(words);
	shown = escape_string(both);
	free(both);
	return shown;
}

/* The end of it matters most: the reason, and which file of a long path. */
static void
note_failure(struct transfer *t, const char *text)
{
	size_t len = strlen(text), room = sizeof(t->failure) - 1;

	if (len <= room)
		memcpy(t->failure, text, len + 1);
	else
		snprintf(t->failure, sizeof(t->failure), "...%s",
		    text + len - (room - 3));
}

void
transfer_failed(struct transfer *t, enum status status, const char *path,
    const char *fmt, ...)
{
	char *shown;
	va_list ap;

	va_start(ap, fmt);
	shown = about(path, fmt, ap);
	va_end(ap);
	if (t->failures++ == 0)
		note_failure(t, shown);
	if (t->failure_status != STATUS_ERROR)
		t->failure_status = status;
	line(t, 1, shown);
	free(shown);
}

void
transfer_refused(struct transfer *t, const char *path, const char *what,
    const struct sftp_reply *reply)
{
	struct bytes words = sftp_words(reply);

	transfer_failed(t, STATUS_TRANSFER, path, "%s%s%.*s", what,
	    what[0] != '\0' ? ": " : "", (int)(words.len % INT32_MAX),
	    (const char *)words.data);
}

void
transfer_note(struct transfer *t, const char *path, const char *fmt, ...)
{
	char *shown;
	va_list ap;

	va_start(ap, fmt);
	shown = about(path, fmt, ap);
	va_end(ap);
	line(t, 1, shown);
	free(shown);
}

void
transfer_route(struct transfer *t, const char *from, const char *to)
{
	char *shown_from, *shown_to;

	if (t->route[0] != '\0')
		return;
	shown_from = escape_string(from);
	shown_to = escape_string(to);
	snprintf(t->route, sizeof(t->route), "%s -> %s", shown_from, shown_to);
	free(shown_from);
	free(shown_to);
}

void
transfer_would(struct transfer *t, const char *from, const char *to)
{
	char *text = xasprintf("would %s %s -> %s", verb(t), from, to);
	char *shown = escape_string(text);

	line(t, 0, shown);
	free(shown);
	free(text);
}

/* The line of a host where all went well. */
static void
line_done(struct transfer *t)
{
	const struct msg_result *r = &t->session->result;
	uint64_t ms = uv_now(worker_loop(t->session->worker)) - t->began_ms;
	char bytes[32], time[32], count[64] = "", *text;

	human_bytes(bytes, sizeof(bytes), r->bytes);
	human_duration(time, sizeof(time), ms);
	if (r->unchanged > 0 && r->unchanged == r->files)
		snprintf(count, sizeof(count), "unchanged, ");
	else if (r->unchanged > 0)
		snprintf(count, sizeof(count), "%llu of %llu files, ",
		    (unsigned long long)(r->files - r->unchanged),
		    (unsigned long long)r->files);
	else if (r->files != 1)
		snprintf(count, sizeof(count), "%llu files, ",
		    (unsigned long long)r->files);
	text = xasprintf(
	    "%s %s (%s%s, %s)", verb(t), t->route, count, bytes, time);
	line(t, 0, text);
	free(text);
}

bool
transfer_is_clogged(const struct transfer *t)
{
	return buf_len(&t->lines[0]) + buf_len(&t->lines[1]) > LINES_HIGH;
}

/* Hand lines to control as far as there is credit. Returns whether all are. */
static bool
send_lines(struct transfer *t)
{
	struct session *s = t->session;
	struct msg_output msg;
	struct buf *b;
	size_t len;
	unsigned i;

	for (i = 0; i < 2; i++) {
		b = &t->lines[i];
		while ((len = buf_len(b)) > 0) {
			if (len > FRAME_OUTPUT_MAX)
				len = FRAME_OUTPUT_MAX;
			if (len > worker_credit(s->worker))
				len = worker_credit(s->worker);
			if (len == 0)
				return false;
			msg = (struct msg_output){i + 1, {buf_head(b), len}};
			worker_output(s->worker, s->job, &msg);
			buf_consume(b, len);
		}
	}
	return true;
}

/* --- counts -------------------------------------------------------------- */

void
transfer_done(struct transfer *t, uint64_t bytes, bool is_unchanged)
{
	struct msg_result *result = &t->session->result;

	result->files++;
	result->bytes += bytes;
	if (is_unchanged)
		result->unchanged++;
}

void
transfer_sha256(struct transfer *t, const uint8_t *sha256)
{
	unsigned i;

	t->sha256[0] = '\0';
	if (t->sha256_files++ > 0 || sha256 == NULL)
		return;
	for (i = 0; i < 32; i++)
		snprintf(t->sha256 + 2 * i, 3, "%02x", sha256[i]);
}

size_t
transfer_allowance(struct transfer *t, size_t len)
{
	struct rate_limit *limit = worker_rate_limit(t->session->worker);
	size_t allowed = rate_limit_take(limit, t->session, len);

	if (allowed > 0)
		return allowed;
	t->is_held = true;
	/* If it owes us nothing it is silent because of us. */
	if (t->sftp.count == 0)
		session_active(t->session);
	return 0;
}

void
transfer_give_back(struct transfer *t, size_t len)
{
	rate_limit_give_back(worker_rate_limit(t->session->worker), len);
}

void
transfer_again(struct transfer *t)
{
	t->has_more = true;
}

void
transfer_moved(struct transfer *t, size_t len)
{
	t->moved_bytes += len;
}

static void
send_progress(struct transfer *t)
{
	struct session *s = t->session;
	uint64_t now = uv_now(worker_loop(s->worker));
	struct msg_progress msg = {t->moved_bytes, 0};

	/* Nobody needs it so much that it should queue up. */
	if (t->moved_bytes == t->progress_bytes ||
	    worker_is_behind(s->worker) ||
	    now - t->progress_ms < PROGRESS_EVERY_MS)
		return;
	t->progress_ms = now;
	t->progress_bytes = t->moved_bytes;
	if (transfer_config(t)->task == TASK_PUT)
		msg.total = transfer_config(t)->total_bytes;
	worker_send(s->worker, FRAME_PROGRESS, s->job, &msg);
}

/* --- the session's steps ------------------------------------------------- */

static enum want
end(struct transfer *t)
{
	struct session *s = t->session;
	uint64_t files = s->result.files;
	enum stage stage =
	    t->failure_status == STATUS_ERROR ? STAGE_LOCAL : STAGE_TRANSFER;

	if (t->is_stopping)
		return WANT_END; /* the result is set */
	if (t->sha256_files == 1 && files == 1)
		s->result.sha256 = t->sha256;
	if (t->failures == 0)
		return session_end(s, STATUS_OK, STAGE_NONE, "%s", "");
	if (t->failures == 1 && files == 0)
		return session_end(
		    s, t->failure_status, stage, "%s", t->failure);
	return session_end(s, t->failure_status, stage,
	    "%llu of %llu not transferred; first: %s",
	    (unsigned long long)t->failures,
	    (unsigned long long)t->failures + files, t->failure);
}

/* What control could not read counts for every host. */
static void
count_left_out(struct transfer *t)
{
	const struct msg_config *config = transfer_config(t);

	if (config->left_out == 0)
		return;
	t->failures += config->left_out;
	t->failure_status = STATUS_ERROR;
	snprintf(t->failure, sizeof(t->failure), "%s", config->left_out_why);
}

static void
begin(struct transfer *t)
{
	struct session *s = t->session;

	s->connect_deadline_ms = 0;
	s->has_idle_limit = true;
	s->is_started = true;
	session_active(s);
	if (s->spec.command_timeout_ms > 0)
		s->command_deadline_ms =
		    s->active_ms + s->spec.command_timeout_ms;
	t->began_ms = s->active_ms;
	t->has_begun = true;
	count_left_out(t);
	t->ops->begin(t);
}

/* Go on until nothing more can be done now. Returns -1 if it has ended. */
static int
turn(struct transfer *t, bool *is_done)
{
	struct session *s = t->session;
	uint32_t requests;
	int rc;

	t->sftp.turn_bytes = 0;
	sftp_pace(&t->sftp, uv_now(worker_loop(s->worker)));
	t->is_held = t->has_more = false;
	do {
		requests = t->sftp.serial;
		*is_done = t->ops->step(t);
		if (sftp_flush(s, &t->sftp) == -1 ||
		    (rc = sftp_receive(s, &t->sftp)) == -1)
			return -1;
	} while (rc > 0 ||
	    (t->sftp.serial != requests && !sftp_turn_is_over(&t->sftp)));
	return 0;
}

/* There is more to do: what to wait for. */
static enum want
wait_for(struct transfer *t, bool was_clogged)
{
	struct session *s = t->session;

	if (s->transport.is_closed && !transport_has_more(&s->transport))
		return session_again(s, STAGE_TRANSFER); /* it is lost */
	if (transfer_is_clogged(t) && !t->is_stopping)
		return WANT_CREDIT;
	/* What was held up by the lines, or has more to do, goes on. */
	if (was_clogged || t->has_more || sftp_turn_is_over(&t->sftp))
		return WANT_TURN;
	if (t->is_held)
		return WANT_RATE;
	return session_again(s, STAGE_TRANSFER);
}

enum want
transfer_step(struct session *s)
{
	struct transfer *t = s->transfer;
	bool is_done, is_printed, was_clogged;
	enum want want;

	if (!t->sftp.has_version) {
		want = sftp_start(s, &t->sftp);
		if (!t->sftp.has_version)
			return want;
	}
	if (!t->has_begun)
		begin(t);
	if (turn(t, &is_done) == -1) {
		send_lines(t);
		return WANT_END;
	}
	if (is_done && !t->is_stopping && t->failures == 0 &&
	    t->route[0] != '\0' && !transfer_has(t, TRANSFER_DRY_RUN)) {
		line_done(t);
		t->route[0] = '\0'; /* once */
	}
	send_progress(t);
	was_clogged = transfer_is_clogged(t);
	is_printed = send_lines(t);
	if (is_done)
		return is_printed || t->is_stopping ? end(t) : WANT_CREDIT;
	return wait_for(t, was_clogged);
}

bool
transfer_stop(struct session *s)
{
	struct transfer *t = s->transfer;

	if (t == NULL || !t->has_begun || t->is_stopping)
		return false;
	t->is_stopping = true;
	t->ops->stop(t);
	return true;
}

void
transfer_wake(struct transfer *t)
{
	session_run(t->session);
}
