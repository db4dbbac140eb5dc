/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/screen.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "util/clock.h"

/* More than that does not wait to be shown together with the progress. */
#define GATHERED_MAX (16u << 10)
/* So long the last messages wait for a reader that takes nothing. */
#define LAST_WORDS_MS 1000
/* What reads a pipe has printed it by then. */
#define READER_MS 100u
#define NOTES_MAX (2u << 20)

/* A host alone may send a line in pieces. */
static bool
is_at_line_start(const struct sink *s)
{
	return !s->is_mid_line && buf_len(&s->buf) == 0;
}

static bool
is_half_written(const struct sink *s)
{
	return s->is_mid_line && buf_len(&s->buf) > 0;
}

/* On a terminal, stderr waits for the rest of a line of stdout. */
static bool
err_is_held(const struct screen *s)
{
	return s->out.is_tty && s->err.is_tty && is_half_written(&s->out);
}

/* --- messages and events ------------------------------------------------- */

static void
screen_take(void *ctx, const char *line, size_t len, bool is_event)
{
	struct screen *s = ctx;

	progress_hide(s->progress);
	buf_append(&s->err.buf, line, len);
	/* A flush may be far off: before the run, and after it. */
	if (!is_event && !err_is_held(s))
		sink_flush(&s->err);
}

static const char *
screen_clear_way(void *ctx)
{
	const struct screen *s = ctx;

	if (s->out.is_tty && s->err.is_tty && s->out.is_mid_line)
		return "\n";
	return s->progress != NULL ? PROGRESS_ERASE : "";
}

/* --- the screen ---------------------------------------------------------- */

void
screen_init(struct screen *s, enum color_mode color)
{
	memset(s, 0, sizeof(*s));
	sink_init(&s->out, STDOUT_FILENO);
	sink_init(&s->err, STDERR_FILENO);
	sink_color(&s->out, color);
	sink_color(&s->err, color);
	buf_init(&s->notes, NOTES_MAX);
	s->taker = (struct log_taker){screen_take, screen_clear_way, s};
	log_set_taker(&s->taker);
}

void
screen_clear(struct screen *s)
{
	log_set_taker(NULL);
	screen_end_progress(s);
	screen_drain(s, LAST_WORDS_MS);
	sink_clear(&s->out);
	sink_clear(&s->err);
	buf_clear(&s->notes);
}

void
screen_make_way(struct screen *s, int stream)
{
	if (stream == 2 || s->out.is_tty || s->out.is_pipe)
		progress_hide(s->progress);
}

/* Who saw no progress needs none of them. */
static void
put_notes(struct screen *s)
{
	if (buf_len(&s->notes) == 0 || !progress_is_shown(s->progress))
		return;
	progress_hide(s->progress);
	buf_append(&s->err.buf, buf_head(&s->notes), buf_len(&s->notes));
	buf_consume(&s->notes, buf_len(&s->notes));
}

void
screen_hold(struct screen *s, bool is_held)
{
	s->is_held = is_held;
	if (!is_held)
		return;
	put_notes(s);
	progress_hide(s->progress);
}

void
screen_wipe(struct screen *s)
{
	if (s->progress == NULL)
		return;
	progress_hide(s->progress);
	sink_flush(&s->err);
}

void
screen_end_progress(struct screen *s)
{
	put_notes(s);
	progress_hide(s->progress);
	progress_free(s->progress);
	s->progress = NULL;
}

size_t
screen_backlog(const struct screen *s)
{
	return buf_len(&s->out.buf) + buf_len(&s->err.buf);
}

void
screen_forget(struct screen *s)
{
	buf_consume(&s->out.buf, buf_len(&s->out.buf));
	buf_consume(&s->err.buf, buf_len(&s->err.buf));
}

/* Few lines for the terminal wait for the next drawing of the progress. */
static bool
is_gathering(const struct screen *s, uint64_t now_ms)
{
	return !s->is_held && !s->out.is_pipe &&
	    screen_backlog(s) < GATHERED_MAX &&
	    progress_gathers(s->progress, now_ms);
}

/* The progress is to be erased before stdout goes on. */
static bool
is_in_the_way(const struct screen *s)
{
	return s->progress != NULL && buf_len(&s->err.buf) > 0;
}

/* On a terminal, stdout waits for the rest of a line of stderr, too. */
static bool
out_is_held(const struct screen *s)
{
	if (!s->err.is_tty)
		return false;
	if (s->out.is_pipe)
		return is_in_the_way(s);
	return s->out.is_tty && !is_half_written(&s->out) &&
	    (is_half_written(&s->err) || is_in_the_way(s));
}

static void
flush_out(struct screen *s, uint64_t now_ms)
{
	size_t waiting = buf_len(&s->out.buf);

	if (out_is_held(s))
		return;
	sink_flush(&s->out);
	if (s->out.is_pipe && buf_len(&s->out.buf) < waiting)
		s->piped_ms = now_ms;
}

/* Whether the progress would not get into what stdout shows. */
static bool
is_out_free(const struct screen *s, uint64_t now_ms)
{
	if (s->out.is_pipe)
		return now_ms >= s->piped_ms + READER_MS;
	return !s->out.is_tty || is_at_line_start(&s->out);
}

void
screen_flush(struct screen *s, uint64_t now_ms)
{
	bool is_out_done;

	if (is_gathering(s, now_ms)) {
		if (!s->out.is_tty)
			sink_flush(&s->out);
		return;
	}
	if (s->progress != NULL && !err_is_held(s))
		sink_flush(&s->err);
	flush_out(s, now_ms);
	is_out_done = is_out_free(s, now_ms);
	if (!s->is_held && is_out_done) {
		put_notes(s);
		sink_flush(&s->err);
	}
	if (!s->is_held)
		progress_show(s->progress, is_out_done, now_ms);
	if (!err_is_held(s))
		sink_flush(&s->err);
}

uint64_t
screen_due_ms(const struct screen *s)
{
	return s->is_held ? UINT64_MAX : progress_due_ms(s->progress);
}

void
screen_drain(struct screen *s, int patience_ms)
{
	if (err_is_held(s))
		sink_drain(&s->out, patience_ms);
	sink_drain(&s->err, patience_ms);
	sink_drain(&s->out, patience_ms);
}

size_t
screen_poll(const struct screen *s, struct pollfd *fds)
{
	const struct sink *sinks[2] = {&s->out, &s->err};
	bool gathers = is_gathering(s, clock_now_ms());
	size_t i;

	for (i = 0; i < 2; i++) {
		/* Without events poll still tells of a reader that left. */
		fds[i].fd = sinks[i]->error == 0 ? sinks[i]->fd : -1;
		fds[i].events = buf_len(&sinks[i]->buf) > 0 ? POLLOUT : 0;
		fds[i].revents = 0;
	}
	if (out_is_held(s) || (gathers && s->out.is_tty))
		fds[0].events = 0;
	if (gathers || err_is_held(s))
		fds[1].events = 0;
	return 2;
}

int
screen_broken(struct screen *s, const struct pollfd *fds)
{
	/* A pipe's reader may leave while nothing is there to print. */
	if (s->out.error == 0 && !s->out.is_tty &&
	    (fds[0].revents & POLLERR) != 0)
		s->out.error = EPIPE;
	/* Without stderr the run goes on; poll must not tell for ever. */
	if (!s->err.is_tty && (fds[1].revents & POLLERR) != 0)
		s->err.error = EPIPE;
	if (s->out.error != 0 && s->out.error != EPIPE && !s->is_stdout_told) {
		log_error("stdout: %s", strerror(s->out.error));
		s->is_stdout_told = true;
	}
	return s->out.error;
}
