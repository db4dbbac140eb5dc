/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/lines.h"

#include <string.h>

#include "util/log.h"

void
lines_init(struct lines *l, struct contents *set, const struct content *c)
{
	memset(l, 0, sizeof(*l));
	l->contents = set;
	l->content = c;
	buf_init(&l->window, LINES_PIECE);
}

void
lines_clear(struct lines *l)
{
	buf_clear(&l->window);
}

/* Fill up the window. Returns whether there was something to read. */
static bool
lines_fill(struct lines *l)
{
	uint64_t left = content_size(l->content) - l->offset;
	size_t room = LINES_PIECE - buf_len(&l->window), n;
	uint8_t *p;

	if (left < room)
		room = (size_t)left;
	if (room == 0)
		return false;
	p = buf_reserve(&l->window, room);
	if (p == NULL)
		fatal("a line is larger than its window");
	n = content_read(l->contents, l->content, l->offset, p, room);
	buf_advance(&l->window, n);
	/* What can't be read is not there. */
	l->offset = n == room ? l->offset + n : content_size(l->content);
	return n > 0;
}

bool
lines_next(struct lines *l, struct line *line)
{
	const uint8_t *newline = NULL;
	size_t searched = 0;

	buf_consume(&l->window, l->used);
	l->used = 0;
	for (;;) {
		if (buf_len(&l->window) > searched)
			newline = memchr(buf_head(&l->window) + searched, '\n',
			    buf_len(&l->window) - searched);
		if (newline != NULL)
			break;
		searched = buf_len(&l->window);
		if (!lines_fill(l))
			break;
	}
	line->data = buf_head(&l->window);
	line->len = newline != NULL ? (size_t)(newline - line->data)
				    : buf_len(&l->window);
	line->is_first = !l->is_continued;
	line->is_last =
	    newline != NULL || l->offset == content_size(l->content);
	l->used = line->len + (newline != NULL);
	l->is_continued = !line->is_last;
	/* A line that ends at a piece's end has an empty last piece. */
	return l->used > 0;
}
