/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/color.h"
#include "util/buf.h"
#include "util/escape.h"
#include "util/log.h"
#include "util/utf8.h"
#include "util/xalloc.h"

#define TAG_MAX 512u
/* Memory for lines that hosts have begun, over all of them. */
#define UNFINISHED_BYTES (16u << 20)
#define LINE_LEAST	 (64u << 10)
#define LINE_MOST	 (2u << 20)

/* A line that a host has begun, but not ended. */
struct unfinished {
	struct buf text;
	bool is_continued; /* its first part, with the tag, is out */
};

struct live {
	struct live_options options;
	struct sink *sinks[2];
	struct unfinished *(*hosts)[2]; /* by stream */
	size_t count;
};

/* A line's tag for one sink, and what ends the line there. */
struct tag {
	char text[TAG_MAX];
	size_t len;
};

size_t
live_line_max(size_t hosts)
{
	size_t limit = UNFINISHED_BYTES / (hosts > 0 ? hosts : 1);

	if (limit < LINE_LEAST)
		return LINE_LEAST;
	return limit > LINE_MOST ? LINE_MOST : limit;
}

struct live *
live_new(size_t hosts, struct sink *out, struct sink *err,
    const struct live_options *options)
{
	struct live *l = xcalloc(1, sizeof(*l));

	l->options = *options;
	l->sinks[0] = out;
	l->sinks[1] = err;
	l->hosts = xcalloc(hosts, sizeof(*l->hosts));
	l->count = hosts;
	return l;
}

static void
live_forget(struct live *l, size_t host)
{
	unsigned i;

	for (i = 0; i < 2; i++) {
		if (l->hosts[host][i] == NULL)
			continue;
		buf_clear(&l->hosts[host][i]->text);
		free(l->hosts[host][i]);
		l->hosts[host][i] = NULL;
	}
}

void
live_free(struct live *l)
{
	size_t i;

	if (l == NULL)
		return;
	for (i = 0; i < l->count; i++)
		live_forget(l, i);
	free(l->hosts);
	free(l);
}

static void
tag_init(struct tag *t, const struct live *l, const struct sink *sink,
    size_t host, const char *name)
{
	int n = 0;

	if (l->options.has_prefix && sink->is_colored)
		n = snprintf(t->text, sizeof(t->text),
		    "%s%.256s" COLOR_END ": ", color_of_host(host), name);
	else if (l->options.has_prefix)
		n = snprintf(t->text, sizeof(t->text), "%.256s: ", name);
	t->len = (size_t)n;
}

/*
 * A line: its tag, unless that is out, what was begun of it, and len bytes of
 * data. end is "\n" or "\r\n", or "" if the line goes on.
 */
static void
put_line(struct sink *sink, const struct tag *tag, struct unfinished *begun,
    const uint8_t *data, size_t len, const char *end)
{
	struct buf *text = &begun->text, *out = &sink->buf;
	size_t room = tag->len + buf_len(text) + len + 2;

	/* Bounded by credit; escaped bytes find their own room. */
	if (buf_reserve(out, room) == NULL)
		fatal("output queue overflow");
	if (!begun->is_continued)
		buf_append(out, tag->text, tag->len);
	if (!sink->is_tty) {
		buf_append(out, buf_head(text), buf_len(text));
		buf_append(out, data, len);
		buf_puts(out, end);
	} else if (buf_len(text) == 0) {
		escape_append(out, data, len);
		buf_puts(out, end[0] == '\r' ? end + 1 : end);
	} else {
		/* Together: the cut may be within a character. */
		buf_append(text, data, len);
		escape_append(out, buf_head(text), buf_len(text));
		buf_puts(out, end[0] == '\r' ? end + 1 : end);
	}
	buf_consume(text, buf_len(text));
	begun->is_continued = end[0] == '\0';
}

/*
 * All whole lines of data at once, if that is all there is to do: output that
 * nobody looks at, no carriage return, nothing begun. Returns where the rest
 * begins.
 */
static const uint8_t *
put_plain_lines(struct sink *sink, const struct tag *tag, const uint8_t *data,
    const uint8_t *end)
{
	const uint8_t *last = memrchr(data, '\n', (size_t)(end - data)), *nl;
	size_t lines = 0, n;
	uint8_t *p, *start;

	if (last == NULL)
		return data;
	for (nl = data; nl <= last; nl++)
		lines += *nl == '\n';
	start = p = buf_reserve(
	    &sink->buf, (size_t)(last + 1 - data) + lines * tag->len);
	if (p == NULL)
		fatal("output queue overflow"); /* bounded by credit */
	while (data <= last) {
		nl = memchr(data, '\n', (size_t)(end - data));
		n = (size_t)(nl + 1 - data);
		memcpy(p, tag->text, tag->len);
		memcpy(p + tag->len, data, n);
		p += tag->len + n;
		data += n;
	}
	buf_advance(&sink->buf, (size_t)(p - start));
	return data;
}

static struct unfinished *
live_begun(struct live *l, size_t host, unsigned stream)
{
	struct unfinished *u = l->hosts[host][stream];

	if (u == NULL) {
		u = l->hosts[host][stream] = xcalloc(1, sizeof(*u));
		buf_init(&u->text, l->options.line_max + 1);
	}
	return u;
}

/* What was begun is too long: all of it goes out, but a character's start. */
static void
put_piece(struct live *l, struct sink *sink, const struct tag *tag,
    struct unfinished *begun)
{
	struct buf *text = &begun->text;
	size_t whole = utf8_whole(buf_head(text), buf_len(text));
	size_t rest_len = buf_len(text) - whole;
	uint8_t rest[4];

	memcpy(rest, buf_head(text) + whole, rest_len);
	text->tail -= rest_len;
	put_line(sink, tag, begun, NULL, 0,
	    l->count == 1 && !sink->is_tty ? "" : "\n");
	buf_append(text, rest, rest_len);
}

/*
 * Keep the start of a line. If it gets too long it goes out in pieces: as
 * lines of their own, or, with one host alone, as one line; but on a terminal
 * a message may come before the next piece. A carriage return at the end may
 * be the line's, and has a place of its own.
 */
static void
keep_rest(struct live *l, struct sink *sink, const struct tag *tag,
    struct unfinished *begun, const uint8_t *data, size_t len)
{
	size_t room;

	for (;;) {
		room = l->options.line_max - buf_len(&begun->text);
		if (len <= room || (len == room + 1 && data[room] == '\r'))
			break;
		buf_append(&begun->text, data, room);
		put_piece(l, sink, tag, begun);
		data += room;
		len -= room;
	}
	buf_append(&begun->text, data, len);
}

/* A carriage return that ended the last piece: of "\r\n", or a line's end? */
static void
settle_cr(struct sink *sink, const struct tag *tag, struct unfinished *begun,
    const uint8_t **data, size_t *len)
{
	bool is_crlf = (*data)[0] == '\n';

	begun->text.tail--;
	put_line(sink, tag, begun, NULL, 0, is_crlf ? "\r\n" : "\n");
	if (is_crlf) {
		(*data)++;
		(*len)--;
	}
}

static bool
ends_in_cr(const struct unfinished *u)
{
	return buf_len(&u->text) > 0 && u->text.data[u->text.tail - 1] == '\r';
}

void
live_output(struct live *l, size_t host, const char *name, int stream,
    const uint8_t *data, size_t len)
{
	struct sink *sink = l->sinks[stream - 1];
	struct unfinished *begun = live_begun(l, host, (unsigned)stream - 1);
	const uint8_t *end = data + len, *nl, *cr, *stop;
	struct tag tag;
	bool is_plain, is_crlf;

	if (len == 0)
		return;
	tag_init(&tag, l, sink, host, name);
	if (ends_in_cr(begun)) {
		settle_cr(sink, &tag, begun, &data, &len);
		if (len == 0)
			return;
	}
	is_plain = !sink->is_tty && len <= l->options.line_max &&
	    memchr(data, '\r', len) == NULL;
	nl = memchr(data, '\n', len);
	while (data < end) {
		if (is_plain && buf_len(&begun->text) == 0 &&
		    !begun->is_continued) {
			data = put_plain_lines(sink, &tag, data, end);
			break;
		}
		/* Looked for once a newline, not once a carriage return. */
		if (nl != NULL && nl < data)
			nl = memchr(data, '\n', (size_t)(end - data));
		stop = nl != NULL ? nl : end;
		cr = memchr(data, '\r', (size_t)(stop - data));
		if (cr != NULL && cr + 1 < end)
			stop = cr;
		else if (nl == NULL)
			break;
		if ((size_t)(stop - data) + buf_len(&begun->text) >
		    l->options.line_max) {
			keep_rest(
			    l, sink, &tag, begun, data, (size_t)(stop - data));
			data = stop;
		}
		is_crlf = stop == cr && stop + 1 == nl;
		put_line(sink, &tag, begun, data, (size_t)(stop - data),
		    is_crlf ? "\r\n" : "\n");
		data = stop + 1 + is_crlf;
	}
	if (data < end)
		keep_rest(l, sink, &tag, begun, data, (size_t)(end - data));
}

void
live_end(struct live *l, size_t host, const char *name)
{
	struct unfinished *u;
	struct tag tag;
	unsigned i;

	for (i = 0; i < 2; i++) {
		u = l->hosts[host][i];
		if (u == NULL || (buf_len(&u->text) == 0 && !u->is_continued))
			continue;
		if (ends_in_cr(u))
			u->text.tail--;
		tag_init(&tag, l, l->sinks[i], host, name);
		put_line(l->sinks[i], &tag, u, NULL, 0, "\n");
	}
	live_forget(l, host);
}
