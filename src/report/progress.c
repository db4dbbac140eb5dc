/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/progress.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/color.h"
#include "util/xalloc.h"

/* Runs that are shorter show nothing. */
#define FIRST_DRAW_MS	 250u
#define DRAW_INTERVAL_MS 100u
#define LINE_MAX_BYTES	 1024u
#define BAR_MAX		 40u
#define BAR_LEAST	 8u
#define BAR_FRAME	 3u /* brackets and a blank */
#define SLOW_MS		 1000u
#define SLOWEST_MAX	 3u
#define NAME_MAX_COLUMNS 30
#define NEXT_LINE	 "\r\n"
#define TO_FIRST_LINE	 "\033[A"

struct progress {
	struct sink *sink;
	const struct headway *headway;
	uint64_t due_ms;
	bool was_drawn; /* when it was last due */
	bool is_shown;
};

/* A line being made. */
struct line {
	struct buf text;
	size_t columns, room; /* taken, and left */
	bool is_colored;
};

struct progress *
progress_new(struct sink *sink, const struct headway *headway, uint64_t now_ms)
{
	struct progress *p = xcalloc(1, sizeof(*p));

	p->sink = sink;
	p->headway = headway;
	p->due_ms = now_ms + FIRST_DRAW_MS;
	return p;
}

void
progress_free(struct progress *p)
{
	free(p);
}

/* --- a line -------------------------------------------------------------- */

static void
line_init(struct line *line, size_t room, bool is_colored)
{
	buf_init(&line->text, LINE_MAX_BYTES);
	line->columns = 0;
	line->room = room;
	line->is_colored = is_colored;
}

static void line_add(struct line *line, const char *color, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * What does not fit is left out, and so is all that follows. Each byte is a
 * column: host names are ASCII (hostset_parse.c), and so are our own words.
 */
static void
line_add(struct line *line, const char *color, const char *fmt, ...)
{
	char text[128];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text) || (size_t)n > line->room) {
		line->room = 0;
		return;
	}
	line->columns += (size_t)n;
	line->room -= (size_t)n;
	if (color[0] != '\0' && line->is_colored)
		buf_printf(&line->text, "%s%s" COLOR_END, color, text);
	else
		buf_puts(&line->text, text);
}

/* --- both lines ---------------------------------------------------------- */

static void
line_counts(struct line *line, const struct headway *h, uint64_t now_ms)
{
	uint64_t failed = tally_failed(h->tally);
	char rate[HUMAN_SIZE], eta[HUMAN_SIZE];

	line_add(line, "", "%" PRIu64 "/%zu done", h->tally->ended, h->count);
	if (failed > 0) {
		line_add(line, "", ", ");
		line_add(line, COLOR_FAILED, "%" PRIu64 " failed", failed);
	}
	line_add(line, "", ", %u running", h->running.in_flight);
	if (h->running.queued > 0)
		line_add(line, "", ", %u waiting", h->running.queued);
	headway_rate(h, now_ms, rate);
	if (rate[0] != '\0')
		line_add(line, "", "  %s", rate);
	headway_eta(h, now_ms, eta);
	if (eta[0] != '\0')
		line_add(line, "", "  ETA %s", eta);
}

/* Of one of two widths, or none, so that it does not follow every digit. */
static void
put_bar(struct buf *out, double part, const struct line *counts, size_t columns)
{
	static const char full[] = "########################################";
	size_t width = columns / 4 < BAR_MAX ? columns / 4 : BAR_MAX, done;

	if (counts->columns + width + BAR_FRAME > columns)
		width /= 2;
	if (counts->columns + width + BAR_FRAME > columns || width < BAR_LEAST)
		return;
	done = (size_t)(part * (double)width);
	buf_printf(out, "[%.*s%*s] ", (int)done, full, (int)(width - done), "");
}

static void
line_slowest(struct line *line, const struct headway *h, uint64_t now_ms)
{
	const struct running_host *host;
	char age[HUMAN_SIZE];
	size_t i, len;

	for (i = 0; i < h->running.oldest_count && i < SLOWEST_MAX; i++) {
		host = &h->running.oldest[i];
		if (now_ms < host->began_ms + SLOW_MS)
			return;
		human_clock(age, sizeof(age), (now_ms - host->began_ms) / 1000);
		len = strlen(host->name);
		line_add(line, "", "%s%.*s%s %s", i == 0 ? "slowest: " : ", ",
		    len > NAME_MAX_COLUMNS ? NAME_MAX_COLUMNS - 3 : (int)len,
		    host->name, len > NAME_MAX_COLUMNS ? "..." : "", age);
	}
}

static void
line_details(struct line *line, const struct headway *h, uint64_t now_ms)
{
	struct buf bytes;

	if (h->hosts != NULL) {
		buf_init(&bytes, 2 * HUMAN_SIZE + 16);
		headway_put_bytes(h, &bytes);
		line_add(line, "", "%.*s  ", (int)buf_len(&bytes),
		    (const char *)buf_head(&bytes));
		buf_clear(&bytes);
	}
	line_slowest(line, h, now_ms);
}

static void
progress_draw(const struct progress *p, uint64_t now_ms)
{
	size_t columns, rows;
	struct buf *out = &p->sink->buf;
	struct line line;

	sink_size(p->sink, &columns, &rows);
	columns--; /* a line of the full width would wrap */
	line_init(&line, columns, p->sink->is_colored);
	line_counts(&line, p->headway, now_ms);
	put_bar(out, headway_part(p->headway), &line, columns);
	buf_append(out, buf_head(&line.text), buf_len(&line.text));
	buf_clear(&line.text);
	line_init(&line, columns, false);
	if (rows != 1)
		line_details(&line, p->headway, now_ms);
	if (line.columns > 0) {
		buf_puts(out, NEXT_LINE);
		buf_append(out, buf_head(&line.text), buf_len(&line.text));
		buf_puts(out, TO_FIRST_LINE);
	}
	buf_puts(out, "\r");
	buf_clear(&line.text);
}

/* --- when ---------------------------------------------------------------- */

void
progress_hide(struct progress *p)
{
	if (p == NULL || !p->is_shown)
		return;
	buf_puts(&p->sink->buf, PROGRESS_ERASE);
	p->is_shown = false;
}

/* The terminal of somebody who does something else now is left alone. */
static bool
is_in_background(const struct progress *p)
{
	pid_t group = tcgetpgrp(p->sink->fd);

	return group != -1 && group != getpgrp();
}

void
progress_show(struct progress *p, bool is_free, uint64_t now_ms)
{
	if (p == NULL || now_ms < p->due_ms)
		return;
	p->due_ms = now_ms + DRAW_INTERVAL_MS;
	p->was_drawn =
	    is_free && buf_len(&p->sink->buf) == 0 && !is_in_background(p);
	if (!p->was_drawn)
		return;
	progress_hide(p);
	progress_draw(p, now_ms);
	p->is_shown = true;
}

bool
progress_is_shown(const struct progress *p)
{
	return p != NULL && p->was_drawn;
}

uint64_t
progress_due_ms(const struct progress *p)
{
	return p != NULL ? p->due_ms : UINT64_MAX;
}

bool
progress_gathers(const struct progress *p, uint64_t now_ms)
{
	return progress_is_shown(p) && now_ms < p->due_ms &&
	    p->headway->tally->ended < p->headway->count;
}
