/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Folding. Each name is taken apart at its numbers: "rack1-node04" is the
 * shape "rack#-node#" and the numbers 1 and 04. Names of one shape are rows
 * of a table, a column a number. The columns are folded one after the other,
 * the last first: the rows are sorted so that those equal in all other
 * columns come together, in the order of the number in this one, and each
 * such run becomes one row with a set of numbers:
 *
 *	1 01        1 [01-02]
 *	1 02   ->   2 [01-02]   ->   [1-2] [01-02]
 *	2 01
 *	2 02
 *
 * A full product folds into one row; anything else into rows that share no
 * name. A column's cell is text, its own canonical form, so that comparing
 * sets is comparing bytes, and n rows fold in O(n log n).
 *
 * The text of a cell is a run of digits of the name itself or is owned by the
 * folder. Names that hold a literal IPv6 address stay as they are, and so do
 * numbers too long to be read back.
 *
 * The order is ClusterShell's: by shape; then the larger row first, then the
 * one with more numbers in the first column, then with the lower numbers (by
 * value: 9 before 12, which ClusterShell compares as text).
 */
#include "config.h"

#include "inventory/hostset.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/buf.h"
#include "util/log.h"
#include "util/xalloc.h"

#define DIGITS_MAX 18
#define MARK	   '\1' /* stands for a number in a shape; sorts before all else */

struct cell {
	const char *text;
	size_t len;
	const char *first; /* lowest number of a set */
	size_t first_len;
	size_t count; /* numbers */
};

struct row {
	char *shape;   /* owned */
	size_t count;  /* names */
	size_t column; /* the one being folded */
	size_t cell_count;
	struct cell *cells; /* owned */
};

struct folder {
	struct row *rows;
	size_t count;
	char **texts; /* of folded cells */
	size_t text_count;
	size_t text_size;
	struct buf out;
};

/* --- taking names apart ------------------------------------------------- */

/* The digits at s, 0 if there are none or they don't make a number. */
static size_t
number_length(const char *s)
{
	size_t len = strspn(s, "0123456789");

	return len <= DIGITS_MAX ? len : 0;
}

static bool
is_foldable(const char *name)
{
	const char *colon = strchr(name, ':');

	return strchr(name, '[') == NULL &&
	    (colon == NULL || strchr(colon + 1, ':') == NULL);
}

static void
take_apart(struct row *row, const char *name)
{
	struct cell *cell;
	char *shape;
	size_t len;

	memset(row, 0, sizeof(*row));
	row->count = 1;
	if (!is_foldable(name)) {
		row->shape = xstrdup(name);
		return;
	}
	row->shape = shape = xmalloc(strlen(name) + 1);
	while (*name != '\0') {
		len = number_length(name);
		if (len > 0) {
			row->cells = xreallocarray(row->cells,
			    row->cell_count + 1, sizeof(*row->cells));
			cell = &row->cells[row->cell_count++];
			cell->text = cell->first = name;
			cell->len = cell->first_len = len;
			cell->count = 1;
			*shape++ = MARK;
			name += len;
			continue;
		}
		/* A number too long is copied whole, not its tail taken. */
		do
			*shape++ = *name++;
		while (isdigit((unsigned char)name[-1]) &&
		    isdigit((unsigned char)*name));
	}
	*shape = '\0';
}

/* --- sorting ------------------------------------------------------------ */

/* Shorter first, then by bytes: for numbers, by padding and value. */
static int
compare_text(const char *a, size_t a_len, const char *b, size_t b_len)
{
	if (a_len != b_len)
		return a_len < b_len ? -1 : 1;
	return memcmp(a, b, a_len);
}

static int
compare_cells(const struct cell *a, const struct cell *b)
{
	return compare_text(a->text, a->len, b->text, b->len);
}

static int
compare_others(const struct row *a, const struct row *b)
{
	size_t i;
	int diff;

	for (i = 0; i < a->cell_count; i++) {
		if (i == a->column)
			continue;
		diff = compare_cells(&a->cells[i], &b->cells[i]);
		if (diff != 0)
			return diff;
	}
	return 0;
}

static int
compare_shapes(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return strcmp(x->shape, y->shape);
}

static int
compare_for_folding(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int diff = compare_others(x, y);

	if (diff != 0)
		return diff;
	return compare_cells(&x->cells[x->column], &y->cells[y->column]);
}

static int
compare_for_output(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	const struct cell *c, *d;
	size_t i;
	int diff;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	for (i = 0; i < x->cell_count; i++) {
		c = &x->cells[i];
		d = &y->cells[i];
		if (c->count != d->count)
			return c->count > d->count ? -1 : 1;
		diff = compare_text(
		    c->first, c->first_len, d->first, d->first_len);
		if (diff == 0)
			diff = compare_cells(c, d);
		if (diff != 0)
			return diff;
	}
	return 0;
}

/* --- folding ------------------------------------------------------------ */

static void
put(struct folder *f, const char *s, size_t len)
{
	if (buf_append(&f->out, s, len) == -1)
		fatal("folded host set is too large");
}

static uint64_t
number_value(const struct cell *cell)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < cell->len; i++)
		value = value * 10 + (uint64_t)(cell->text[i] - '0');
	return value;
}

/*
 * Whether b continues a range that began at first and goes on to a. The cells
 * are sorted by length, so an unpadded range only grows in digits.
 */
static bool
continues(const struct cell *first, const struct cell *a, const struct cell *b)
{
	bool is_padded = first->len > 1 && first->text[0] == '0';

	if (is_padded ? b->len != first->len
		      : (b->len > 1 && b->text[0] == '0'))
		return false;
	return number_value(b) == number_value(a) + 1;
}

/* The rows' numbers in their column as "[1-3,5]", kept by the folder. */
static struct cell
fold_numbers(struct folder *f, const struct row *rows, size_t count)
{
	const struct cell *first, *last, *cell;
	size_t i, column = rows->column;
	struct cell folded = rows->cells[column];

	put(f, "[", 1);
	for (i = 0; i < count;) {
		first = last = &rows[i++].cells[column];
		for (; i < count; i++) {
			cell = &rows[i].cells[column];
			if (!continues(first, last, cell))
				break;
			last = cell;
		}
		put(f, first->text, first->len);
		if (last != first) {
			put(f, "-", 1);
			put(f, last->text, last->len);
		}
		put(f, i < count ? "," : "]", 1);
	}
	folded.len = buf_len(&f->out);
	folded.text = xmemdup(buf_head(&f->out), folded.len);
	folded.count = count;
	buf_consume(&f->out, folded.len);
	if (f->text_count == f->text_size) {
		f->text_size = f->text_size * 2 + 16;
		f->texts =
		    xreallocarray(f->texts, f->text_size, sizeof(*f->texts));
	}
	memcpy(&f->texts[f->text_count++], &folded.text, sizeof(char *));
	return folded;
}

static void
row_clear(struct row *row)
{
	free(row->shape);
	free(row->cells);
}

/* Fold one column of rows of one shape. Returns how many rows remain. */
static size_t
fold_column(struct folder *f, struct row *rows, size_t count, size_t column)
{
	size_t i, j, kept = 0;

	for (i = 0; i < count; i++)
		rows[i].column = column;
	qsort(rows, count, sizeof(*rows), compare_for_folding);
	for (i = 0; i < count; i = j) {
		for (j = i + 1; j < count; j++) {
			if (compare_others(&rows[i], &rows[j]) != 0)
				break;
		}
		if (j - i > 1)
			rows[i].cells[column] =
			    fold_numbers(f, &rows[i], j - i);
		for (size_t k = i + 1; k < j; k++) {
			rows[i].count += rows[k].count;
			row_clear(&rows[k]);
		}
		rows[kept++] = rows[i];
	}
	return kept;
}

/* Append one row, its shape filled with its cells. */
static void
put_row(struct folder *f, const struct row *row)
{
	const struct cell *cell = row->cells;
	const char *s = row->shape, *mark;

	if (buf_len(&f->out) > 0)
		put(f, ",", 1);
	while (cell != NULL && (mark = strchr(s, MARK)) != NULL) {
		put(f, s, (size_t)(mark - s));
		put(f, cell->text, cell->len);
		cell++;
		s = mark + 1;
	}
	put(f, s, strlen(s));
}

/* Fold all columns of the count rows at rows, which have one shape. */
static size_t
fold_shape(struct folder *f, struct row *rows, size_t count)
{
	size_t column;

	for (column = rows->cell_count; column-- > 0 && count > 1;)
		count = fold_column(f, rows, count, column);
	qsort(rows, count, sizeof(*rows), compare_for_output);
	return count;
}

static void
folder_run(struct folder *f)
{
	size_t i, j, kept = 0;

	qsort(f->rows, f->count, sizeof(*f->rows), compare_shapes);
	for (i = 0; i < f->count; i = j) {
		for (j = i + 1; j < f->count; j++) {
			if (compare_shapes(&f->rows[i], &f->rows[j]) != 0)
				break;
		}
		size_t left = fold_shape(f, &f->rows[i], j - i);
		memmove(&f->rows[kept], &f->rows[i], left * sizeof(*f->rows));
		kept += left;
	}
	f->count = kept;
	for (i = 0; i < kept; i++)
		put_row(f, &f->rows[i]);
}

char *
hostset_fold(const struct hostset *set)
{
	struct folder f;
	char *text;
	size_t i;

	memset(&f, 0, sizeof(f));
	buf_init(&f.out, (size_t)HOSTSET_MAX * (HOSTSET_NAME_MAX + 1));
	f.count = hostset_count(set);
	f.rows = xreallocarray(NULL, f.count, sizeof(*f.rows));
	for (i = 0; i < f.count; i++)
		take_apart(&f.rows[i], hostset_name(set, i));
	folder_run(&f);
	put(&f, "", 1);
	text = xstrdup((const char *)buf_head(&f.out));
	for (i = 0; i < f.count; i++)
		row_clear(&f.rows[i]);
	free(f.rows);
	for (i = 0; i < f.text_count; i++)
		free(f.texts[i]);
	free(f.texts);
	buf_clear(&f.out);
	return text;
}
