/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The hosts' output as it comes: on a terminal no control character of theirs
 * but newline and tab, elsewhere not a byte lost, and the same lines in
 * whatever pieces they come. The input is a byte with flags, one with the
 * length at which lines are cut, and pieces: a byte that tells host, stream,
 * whether the host is over, and the length, and the bytes.
 */
#include "config.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "report/live.h"

#define HOSTS	      2u
#define FLAG_TTY      1u
#define FLAG_PREFIX   2u
#define FLAG_ONE_HOST 4u
#define LINE_LEAST    16u
/* Of the byte before a piece: bit 0 is the host, bit 1 the stream. */
#define PIECE_END    128u
#define PIECE_LEN(b) (((b) >> 2 & 31u) + 1)
#define SINK_MAX     ((size_t)64 << 20)

static const char *const names[HOSTS] = {"web1", "web2"};

struct world {
	uint8_t flags;
	struct sink sinks[2];
	struct live *live;
	size_t hosts;
};

static void
world_open(struct world *w, uint8_t flags, size_t line_max)
{
	const struct live_options options = {
	    .has_prefix = (flags & FLAG_PREFIX) != 0, .line_max = line_max};
	unsigned i;

	memset(w, 0, sizeof(*w));
	w->flags = flags;
	w->hosts = (flags & FLAG_ONE_HOST) != 0 ? 1 : HOSTS;
	for (i = 0; i < 2; i++) {
		w->sinks[i].fd = -1;
		w->sinks[i].is_tty = (flags & FLAG_TTY) != 0;
		buf_init(&w->sinks[i].buf, SINK_MAX);
	}
	w->live = live_new(w->hosts, &w->sinks[0], &w->sinks[1], &options);
}

static void
world_close(struct world *w)
{
	live_free(w->live);
	buf_clear(&w->sinks[0].buf);
	buf_clear(&w->sinks[1].buf);
}

static void
end_hosts(struct world *w)
{
	size_t i;

	for (i = 0; i < w->hosts; i++)
		live_end(w->live, i, names[i]);
}

/* --- what came out ------------------------------------------------------- */

/* Each line has the tag of a host. */
static void
check_tags(const struct buf *out)
{
	struct cursor c = {buf_head(out), buf_len(out)};
	char *line;

	while (c.left > 0) {
		line = fuzz_line(&c);
		FUZZ_CHECK(strncmp(line, "web1: ", 6) == 0 ||
		    strncmp(line, "web2: ", 6) == 0);
		free(line);
	}
}

static void
check_output(const struct world *w)
{
	const struct buf *out;
	unsigned i;

	for (i = 0; i < 2; i++) {
		out = &w->sinks[i].buf;
		if (buf_len(out) == 0)
			continue;
		FUZZ_CHECK(buf_head(out)[buf_len(out) - 1] == '\n');
		if ((w->flags & FLAG_TTY) != 0)
			FUZZ_CHECK(fuzz_is_shown(buf_head(out), buf_len(out)));
		if ((w->flags & FLAG_PREFIX) != 0)
			check_tags(out);
	}
}

/* --- pieces of two hosts ------------------------------------------------- */

static void
send_pieces(struct world *w, struct cursor c)
{
	const uint8_t *p = NULL;
	uint8_t head;
	size_t len, host;

	while (cursor_get_u8(&c, &head) == 0) {
		host = head % w->hosts;
		len = PIECE_LEN(head) < c.left ? PIECE_LEN(head) : c.left;
		FUZZ_CHECK(cursor_get_bytes(&c, &p, len) == 0);
		live_output(
		    w->live, host, names[host], 1 + (head >> 1 & 1), p, len);
		if ((head & PIECE_END) != 0)
			live_end(w->live, host, names[host]);
	}
}

/* --- one host, one stream ------------------------------------------------ */

static void
send_cut(struct world *w, struct cursor c, size_t piece)
{
	const uint8_t *p = NULL;
	size_t n;

	while (c.left > 0) {
		n = c.left < piece ? c.left : piece;
		FUZZ_CHECK(cursor_get_bytes(&c, &p, n) == 0);
		live_output(w->live, 0, names[0], 1, p, n);
	}
	end_hosts(w);
}

/* The longest run without a line's end. */
static size_t
longest_line(const uint8_t *data, size_t size)
{
	size_t i, len = 0, most = 0;

	for (i = 0; i < size; i++) {
		len = data[i] == '\n' || data[i] == '\r' ? 0 : len + 1;
		most = len > most ? len : most;
	}
	return most;
}

/* Where lines are not cut, it does not matter where what comes was cut. */
static void
check_cuts(const struct cursor *c, uint8_t flags, size_t line_max)
{
	struct world whole, cut;

	world_open(&whole, flags, line_max);
	world_open(&cut, flags, line_max);
	send_cut(&whole, *c, c->left);
	send_cut(&cut, *c, 1 + line_max % 7);
	check_output(&whole);
	check_output(&cut);
	if (longest_line(c->p, c->left) <= line_max)
		FUZZ_CHECK(fuzz_equal(&whole.sinks[0].buf, &cut.sinks[0].buf));
	world_close(&whole);
	world_close(&cut);
}

/* The bytes without the ends of lines. */
static void
append_contents(struct buf *b, const uint8_t *data, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++) {
		if (data[i] != '\n' && data[i] != '\r')
			buf_append(b, &data[i], 1);
	}
}

static void
check_nothing_is_lost(const struct cursor *c, size_t line_max)
{
	struct buf sent, got;
	struct world w;

	buf_init(&sent, c->left);
	buf_init(&got, c->left);
	world_open(&w, 0, line_max);
	send_cut(&w, *c, 1 + line_max % 5);
	append_contents(&sent, c->p, c->left);
	append_contents(
	    &got, buf_head(&w.sinks[0].buf), buf_len(&w.sinks[0].buf));
	FUZZ_CHECK(fuzz_equal(&sent, &got));
	world_close(&w);
	buf_clear(&sent);
	buf_clear(&got);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = {data, size};
	uint8_t flags = 0, line_max = 0;
	struct world w;

	cursor_get_u8(&c, &flags);
	cursor_get_u8(&c, &line_max);
	world_open(&w, flags, line_max + LINE_LEAST);
	send_pieces(&w, c);
	end_hosts(&w);
	check_output(&w);
	world_close(&w);
	check_cuts(&c, flags, line_max + LINE_LEAST);
	check_nothing_is_lost(&c, line_max + LINE_LEAST);
	return 0;
}
