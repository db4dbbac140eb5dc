/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * diff: two texts line by line, as a unified diff. The fewest changes are
 * looked for with Myers' algorithm in linear memory; where that takes too
 * long, more than the fewest are shown.
 */
#ifndef REPORT_DIFF_H
#define REPORT_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"

/* Texts beyond one of these are not compared line by line. */
#define DIFF_BYTES_MAX (1u << 20)
#define DIFF_LINES_MAX 20000u

/* A line is what it is compared by, and what is shown of it. */
struct diff_line {
	size_t key, key_len; /* in the text's keys */
	size_t at, len;	     /* in its bytes */
	uint32_t hash;	     /* of the key */
};

struct diff_text {
	struct buf keys, bytes;
	struct diff_line *lines;
	size_t count, size;
	bool is_too_large; /* it has more lines than are kept */
};

void diff_text_init(struct diff_text *t);
void diff_text_clear(struct diff_text *t);
/* The next line, without newline; it is copied. */
void diff_text_add(struct diff_text *t, const uint8_t *key, size_t key_len,
    const uint8_t *line, size_t len);

/*
 * What of a text is not in the other: marks[i] is true if its line i is not.
 * One mark a line; both are owned by the caller.
 */
void diff_mark(const struct diff_text *a, const struct diff_text *b,
    bool *a_marks, bool *b_marks);

/*
 * Call line for each line of the unified diff: sign is '@' for the head of a
 * hunk, else ' ', '-' or '+'. Nothing is called if the texts are equal. Neither
 * may be too large.
 */
void diff_print(const struct diff_text *a, const struct diff_text *b,
    void (*line)(void *ctx, char sign, const uint8_t *data, size_t len),
    void *ctx);

#endif
