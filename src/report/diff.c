/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * E. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), section
 * 4b: from both corners of the edit graph the furthest reaching paths are
 * followed until they meet; the box is divided there, and both halves are
 * solved likewise. x[k] of a front is how far its paths are on the diagonal
 * k = x - y.
 *
 * The work is bounded. When it is used up, boxes are not divided any more: all
 * their lines count as changed, which is right, but not the shortest.
 */
#include "config.h"

#include "report/diff.h"

#include <stdlib.h>
#include <string.h>

#include "util/hash.h"
#include "util/xalloc.h"

#define CONTEXT	 3
#define WORK_MAX 50000000

/* The part of a from line x0 to before x1, and of b from y0 to before y1. */
struct box {
	ptrdiff_t x0, y0, x1, y1;
};

/* The paths from one corner; they are on the diagonals min, min + 2 to max. */
struct front {
	ptrdiff_t *x; /* index 0 is in the middle */
	ptrdiff_t min, max;
};

struct compare {
	const struct diff_text *a, *b;
	bool *a_marks, *b_marks;
	struct front forward, backward;
	int64_t work; /* that may still be done */
};

/* --- texts --------------------------------------------------------------- */

void
diff_text_init(struct diff_text *t)
{
	memset(t, 0, sizeof(*t));
	buf_init(&t->keys, DIFF_BYTES_MAX);
	buf_init(&t->bytes, DIFF_BYTES_MAX);
}

void
diff_text_clear(struct diff_text *t)
{
	buf_clear(&t->keys);
	buf_clear(&t->bytes);
	free(t->lines);
	diff_text_init(t);
}

void
diff_text_add(struct diff_text *t, const uint8_t *key, size_t key_len,
    const uint8_t *line, size_t len)
{
	struct diff_line *l;

	if (t->count == DIFF_LINES_MAX || t->is_too_large) {
		t->is_too_large = true;
		return;
	}
	if (t->count == t->size) {
		t->size = t->size > 0 ? 2 * t->size : 64;
		t->lines = xreallocarray(t->lines, t->size, sizeof(*t->lines));
	}
	l = &t->lines[t->count];
	l->key = buf_len(&t->keys);
	l->key_len = key_len;
	l->at = buf_len(&t->bytes);
	l->len = len;
	l->hash = hash_fold(hash_add(HASH_START, key, key_len));
	if (buf_append(&t->keys, key, key_len) == -1 ||
	    buf_append(&t->bytes, line, len) == -1)
		t->is_too_large = true;
	else
		t->count++;
}

static bool
is_equal(const struct compare *c, ptrdiff_t x, ptrdiff_t y)
{
	const struct diff_line *a = &c->a->lines[x], *b = &c->b->lines[y];

	return a->hash == b->hash && a->key_len == b->key_len &&
	    (a->key_len == 0 ||
		memcmp(buf_head(&c->a->keys) + a->key,
		    buf_head(&c->b->keys) + b->key, a->key_len) == 0);
}

/* --- marks --------------------------------------------------------------- */

/*
 * One more difference: the paths spread to the diagonals next to theirs, as
 * far as those are in the box. beyond: no path, for the steps to both sides.
 */
static void
front_spread(struct front *f, const struct box *b, ptrdiff_t beyond)
{
	if (f->min > b->x0 - b->y1) {
		f->min--;
		f->x[f->min - 1] = beyond;
	} else {
		f->min++;
	}
	if (f->max < b->x1 - b->y0) {
		f->max++;
		f->x[f->max + 1] = beyond;
	} else {
		f->max--;
	}
}

static bool
front_has(const struct front *f, ptrdiff_t k)
{
	return f->min <= k && k <= f->max;
}

/* Both return whether a path met one of the other front, at x, y. */
static bool
step_forward(struct compare *c, const struct box *b, bool may_meet,
    ptrdiff_t *x, ptrdiff_t *y)
{
	struct front *f = &c->forward;
	ptrdiff_t k, left, right;

	front_spread(f, b, -1);
	for (k = f->max; k >= f->min; k -= 2) {
		left = f->x[k - 1];
		right = f->x[k + 1];
		*x = left < right ? right : left + 1;
		*y = *x - k;
		while (*x < b->x1 && *y < b->y1 && is_equal(c, *x, *y)) {
			++*x;
			++*y;
			c->work--;
		}
		c->work--;
		f->x[k] = *x;
		if (may_meet && front_has(&c->backward, k) &&
		    c->backward.x[k] <= *x)
			return true;
	}
	return false;
}

static bool
step_backward(struct compare *c, const struct box *b, bool may_meet,
    ptrdiff_t *x, ptrdiff_t *y)
{
	struct front *f = &c->backward;
	ptrdiff_t k, left, right;

	front_spread(f, b, PTRDIFF_MAX);
	for (k = f->max; k >= f->min; k -= 2) {
		left = f->x[k - 1];
		right = f->x[k + 1];
		*x = left < right ? left : right - 1;
		*y = *x - k;
		while (
		    *x > b->x0 && *y > b->y0 && is_equal(c, *x - 1, *y - 1)) {
			--*x;
			--*y;
			c->work--;
		}
		c->work--;
		f->x[k] = *x;
		if (may_meet && front_has(&c->forward, k) &&
		    *x <= c->forward.x[k])
			return true;
	}
	return false;
}

/* Where a shortest path crosses the box, which has lines of both texts. */
static bool
find_middle(struct compare *c, const struct box *b, ptrdiff_t *x, ptrdiff_t *y)
{
	struct front *f = &c->forward, *r = &c->backward;
	bool is_odd;

	f->min = f->max = b->x0 - b->y0;
	r->min = r->max = b->x1 - b->y1;
	is_odd = ((f->min - r->min) & 1) != 0;
	f->x[f->min] = b->x0;
	r->x[r->min] = b->x1;
	while (c->work > 0) {
		if (step_forward(c, b, is_odd, x, y) ||
		    step_backward(c, b, !is_odd, x, y))
			return true;
	}
	return false;
}

static void
compare_box(struct compare *c, struct box b)
{
	ptrdiff_t x, y;

	for (;;) {
		while (b.x0 < b.x1 && b.y0 < b.y1 && is_equal(c, b.x0, b.y0)) {
			b.x0++;
			b.y0++;
		}
		while (b.x0 < b.x1 && b.y0 < b.y1 &&
		    is_equal(c, b.x1 - 1, b.y1 - 1)) {
			b.x1--;
			b.y1--;
		}
		if (b.x0 == b.x1 || b.y0 == b.y1 || !find_middle(c, &b, &x, &y))
			break;
		/* The box halves in each turn: the depth is logarithmic. */
		compare_box(c, (struct box){b.x0, b.y0, x, y});
		b.x0 = x;
		b.y0 = y;
	}
	for (; b.x0 < b.x1; b.x0++)
		c->a_marks[b.x0] = true;
	for (; b.y0 < b.y1; b.y0++)
		c->b_marks[b.y0] = true;
}

void
diff_mark(const struct diff_text *a, const struct diff_text *b, bool *a_marks,
    bool *b_marks)
{
	struct compare c = {.a = a,
	    .b = b,
	    .a_marks = a_marks,
	    .b_marks = b_marks,
	    .work = WORK_MAX};
	/* Each diagonal, and one beyond on both sides. */
	size_t size = a->count + b->count + 3;
	ptrdiff_t *xs = xcalloc(2 * size, sizeof(*xs));

	memset(a_marks, 0, a->count * sizeof(*a_marks));
	memset(b_marks, 0, b->count * sizeof(*b_marks));
	c.forward.x = xs + b->count + 1;
	c.backward.x = c.forward.x + size;
	compare_box(
	    &c, (struct box){0, 0, (ptrdiff_t)a->count, (ptrdiff_t)b->count});
	free(xs);
}

/* --- the diff ------------------------------------------------------------ */

struct walk {
	const struct diff_text *a, *b;
	const bool *a_marks, *b_marks;
	void (*line)(void *ctx, char sign, const uint8_t *data, size_t len);
	void *ctx;
};

/* A run of lines that are changed: x0 to before x1 of a, y0 to y1 of b. */
static bool
next_change(const struct walk *w, struct box *change)
{
	size_t x = (size_t)change->x1, y = (size_t)change->y1;

	while (x < w->a->count && !w->a_marks[x] &&
	    (y == w->b->count || !w->b_marks[y])) {
		x++;
		y++;
	}
	change->x0 = (ptrdiff_t)x;
	change->y0 = (ptrdiff_t)y;
	while (x < w->a->count && w->a_marks[x])
		x++;
	while (y < w->b->count && w->b_marks[y])
		y++;
	change->x1 = (ptrdiff_t)x;
	change->y1 = (ptrdiff_t)y;
	return change->x0 < change->x1 || change->y0 < change->y1;
}

static void
put(const struct walk *w, char sign, const struct diff_text *t, ptrdiff_t index)
{
	const struct diff_line *l = &t->lines[index];
	const uint8_t *bytes = buf_head(&t->bytes);

	w->line(w->ctx, sign, l->len > 0 ? bytes + l->at : NULL, l->len);
}

/* "12,3", or "12" for one line; an empty range names the line before. */
static void
range_print(struct buf *out, char sign, ptrdiff_t from, ptrdiff_t to)
{
	buf_printf(out, " %c%td", sign, from < to ? from + 1 : from);
	if (to - from != 1)
		buf_printf(out, ",%td", to - from);
}

static void
hunk_head(const struct walk *w, const struct box *hunk)
{
	struct buf head;

	buf_init(&head, 128);
	buf_puts(&head, "@@");
	range_print(&head, '-', hunk->x0, hunk->x1);
	range_print(&head, '+', hunk->y0, hunk->y1);
	buf_puts(&head, " @@");
	w->line(w->ctx, '@', buf_head(&head), buf_len(&head));
	buf_clear(&head);
}

static void
hunk_print(const struct walk *w, const struct box *hunk)
{
	ptrdiff_t x = hunk->x0, y = hunk->y0;

	hunk_head(w, hunk);
	while (x < hunk->x1 || y < hunk->y1) {
		if (x < hunk->x1 && w->a_marks[x]) {
			put(w, '-', w->a, x++);
		} else if (y < hunk->y1 && w->b_marks[y]) {
			put(w, '+', w->b, y++);
		} else {
			put(w, ' ', w->a, x++);
			y++;
		}
	}
}

/* Changes whose context would touch are one hunk. */
static void
hunks_print(const struct walk *w)
{
	struct box change = {0, 0, 0, 0}, hunk;
	ptrdiff_t after;
	bool is_more = next_change(w, &change);

	while (is_more) {
		after = change.x0 < CONTEXT ? change.x0 : CONTEXT;
		if (change.y0 < after)
			after = change.y0;
		hunk.x0 = change.x0 - after;
		hunk.y0 = change.y0 - after;
		do {
			hunk.x1 = change.x1;
			hunk.y1 = change.y1;
			is_more = next_change(w, &change);
		} while (is_more && change.x0 - hunk.x1 <= 2 * CONTEXT);
		after = (ptrdiff_t)w->a->count - hunk.x1;
		after = after < CONTEXT ? after : CONTEXT;
		hunk.x1 += after;
		hunk.y1 += after;
		hunk_print(w, &hunk);
	}
}

void
diff_print(const struct diff_text *a, const struct diff_text *b,
    void (*line)(void *ctx, char sign, const uint8_t *data, size_t len),
    void *ctx)
{
	bool *marks = xcalloc(a->count + b->count, sizeof(*marks));
	struct walk w = {a, b, marks, marks + a->count, line, ctx};

	diff_mark(a, b, marks, marks + a->count);
	hunks_print(&w);
	free(marks);
}
