/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/escape.h"
#include "util/buf.h"
#include "util/log.h"
#include "util/xalloc.h"

#define TAG_MAX 512u

/* What a host has begun, but not ended: its two unfinished lines. */
struct unfinished {
	struct buf line[2];
};

struct live {
	struct live_options options;
	struct sink *sinks[2];
	struct unfinished **hosts;
	size_t count;
};

/* A line's tag for one sink, and what ends the line there. */
struct tag {
	char text[TAG_MAX];
	size_t len;
};

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
unfinished_free(struct unfinished *u)
{
	if (u == NULL)
		return;
	buf_clear(&u->line[0]);
	buf_clear(&u->line[1]);
	free(u);
}

void
live_free(struct live *l)
{
	size_t i;

	if (l == NULL)
		return;
	for (i = 0; i < l->count; i++)
		unfinished_free(l->hosts[i]);
	free(l->hosts);
	free(l);
}

/* A colour that depends on the name only; readable on light and dark. */
static unsigned
tag_color(const char *name)
{
	static const unsigned colors[] = {32, 33, 34, 35, 36};
	unsigned hash = 5381;

	while (*name != '\0')
		hash = hash * 33 + (unsigned char)*name++;
	return colors[hash % (sizeof(colors) / sizeof(colors[0]))];
}

static void
tag_init(struct tag *t, const struct live *l, const struct sink *sink,
    const char *name)
{
	int n = 0;

	if (l->options.has_prefix && l->options.is_colored && sink->is_tty)
		n = snprintf(t->text, sizeof(t->text),
		    "\033[%um%.256s\033[0m: ", tag_color(name), name);
	else if (l->options.has_prefix)
		n = snprintf(t->text, sizeof(t->text), "%.256s: ", name);
	t->len = (size_t)n;
}

/* One line, given in two parts; term is "\n" or "\r\n". */
static void
put_line(struct sink *sink, const struct tag *tag, struct buf *begun,
    const uint8_t *data, size_t len, bool has_cr)
{
	size_t head = buf_len(begun);
	uint8_t *p;

	if (sink->is_tty) {
		buf_append(&sink->buf, tag->text, tag->len);
		/* Together: the cut may be within a character. */
		if (head > 0) {
			buf_append(begun, data, len);
			escape_append(
			    &sink->buf, buf_head(begun), buf_len(begun));
		} else {
			escape_append(&sink->buf, data, len);
		}
		buf_append(&sink->buf, "\n", 1);
		return;
	}
	p = buf_reserve(&sink->buf, tag->len + head + len + 2);
	if (p == NULL)
		fatal("output queue overflow"); /* bounded by credit */
	memcpy(p, tag->text, tag->len);
	p += tag->len;
	if (head > 0)
		memcpy(p, buf_head(begun), head);
	p += head;
	if (len > 0)
		memcpy(p, data, len);
	p += len;
	if (has_cr)
		*p++ = '\r';
	*p = '\n';
	buf_advance(&sink->buf, tag->len + head + len + 1 + has_cr);
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

static struct buf *
unfinished_line(struct live *l, size_t host, unsigned stream)
{
	struct unfinished *u = l->hosts[host];

	if (u == NULL) {
		u = l->hosts[host] = xcalloc(1, sizeof(*u));
		buf_init(&u->line[0], l->options.line_max + 1);
		buf_init(&u->line[1], l->options.line_max + 1);
	}
	return &u->line[stream];
}

/* Keep the start of a line; full ones go out as they are. */
static void
keep_rest(struct live *l, struct sink *sink, const struct tag *tag,
    struct buf *begun, const uint8_t *data, size_t len)
{
	size_t room;

	for (;;) {
		room = l->options.line_max - buf_len(begun);
		if (len <= room)
			break;
		put_line(sink, tag, begun, data, room, false);
		buf_consume(begun, buf_len(begun));
		data += room;
		len -= room;
	}
	buf_append(begun, data, len);
}

/* A carriage return that ended the last piece: of "\r\n", or a line's end? */
static void
settle_cr(struct sink *sink, const struct tag *tag, struct buf *begun,
    const uint8_t **data, size_t *len)
{
	bool is_crlf = (*data)[0] == '\n';

	begun->tail--;
	put_line(sink, tag, begun, NULL, 0, is_crlf);
	buf_consume(begun, buf_len(begun));
	if (is_crlf) {
		(*data)++;
		(*len)--;
	}
}

void
live_output(struct live *l, size_t host, const char *name, int stream,
    const uint8_t *data, size_t len)
{
	struct sink *sink = l->sinks[stream - 1];
	struct buf *begun = unfinished_line(l, host, (unsigned)stream - 1);
	const uint8_t *end = data + len, *nl, *cr, *stop;
	struct tag tag;
	bool is_plain;

	if (len == 0)
		return;
	tag_init(&tag, l, sink, name);
	if (buf_len(begun) > 0 && begun->data[begun->tail - 1] == '\r') {
		settle_cr(sink, &tag, begun, &data, &len);
		if (len == 0)
			return;
	}
	is_plain = !sink->is_tty && len <= l->options.line_max &&
	    memchr(data, '\r', len) == NULL;
	nl = memchr(data, '\n', len);
	while (data < end) {
		if (is_plain && buf_len(begun) == 0) {
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
		if ((size_t)(stop - data) + buf_len(begun) >
		    l->options.line_max) {
			keep_rest(
			    l, sink, &tag, begun, data, (size_t)(stop - data));
			data = stop;
		}
		put_line(sink, &tag, begun, data, (size_t)(stop - data),
		    stop == cr && stop + 1 == nl);
		buf_consume(begun, buf_len(begun));
		data = stop == cr && stop + 1 == nl ? stop + 2 : stop + 1;
	}
	if (data < end)
		keep_rest(l, sink, &tag, begun, data, (size_t)(end - data));
}

void
live_end(struct live *l, size_t host, const char *name)
{
	struct unfinished *u = l->hosts[host];
	struct tag tag;
	unsigned i;

	if (u == NULL)
		return;
	for (i = 0; i < 2; i++) {
		if (buf_len(&u->line[i]) == 0)
			continue;
		if (u->line[i].data[u->line[i].tail - 1] == '\r')
			u->line[i].tail--;
		tag_init(&tag, l, l->sinks[i], name);
		put_line(l->sinks[i], &tag, &u->line[i], NULL, 0, false);
	}
	unfinished_free(u);
	l->hosts[host] = NULL;
}
