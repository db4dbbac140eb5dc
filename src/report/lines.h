/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lines: a content line by line, read piece by piece. */
#ifndef REPORT_LINES_H
#define REPORT_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/content.h"
#include "util/buf.h"

/* A longer line comes in pieces of this length. */
#define LINES_PIECE (64u << 10)

struct lines {
	struct contents *contents;
	const struct content *content;
	uint64_t offset; /* of what was not read yet */
	struct buf window;
	size_t used; /* of the window: the line given last */
	bool is_continued;
};

struct line {
	const uint8_t *data; /* without newline; valid until the next line */
	size_t len;
	bool is_first, is_last; /* piece of its line; both: all of it */
};

/* c may be NULL: no lines. Release with lines_clear(). */
void lines_init(struct lines *l, struct contents *set, const struct content *c);
void lines_clear(struct lines *l);

/* Returns false at the end. A last line without newline is a line, too. */
bool lines_next(struct lines *l, struct line *line);

#endif
