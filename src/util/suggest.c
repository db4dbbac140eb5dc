/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The distance is Damerau's in its restricted form (optimal string
 * alignment), computed in three rows. Words longer than WORD_MAX have no
 * suggestion: nobody mistypes those. If none is near, a name whose letters all
 * stand in the word may be short for it.
 */
#include "config.h"

#include "util/suggest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX  64
#define SHORT_MAX 2

static int
same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Both lengths are at most WORD_MAX. */
static size_t
distance(const char *a, size_t alen, const char *b, size_t blen)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2], *spare;
	size_t i, j;

	memset(rows, 0, sizeof(rows));
	for (j = 0; j <= blen; j++)
		row[j] = j;
	for (i = 1; i <= alen; i++) {
		spare = before;
		before = above;
		above = row;
		row = spare;
		row[0] = i;
		for (j = 1; j <= blen; j++) {
			row[j] = least(above[j], row[j - 1]) + 1;
			row[j] = least(
			    row[j], above[j - 1] + !same(a[i - 1], b[j - 1]));
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) &&
			    same(a[i - 2], b[j - 1]))
				row[j] = least(row[j], before[j - 2] + 1);
		}
	}
	return row[blen];
}

/* Whether word says name with letters in between: "comand" says "cmd". */
static bool
is_within(const char *name, const char *word)
{
	if (!same(name[0], word[0]))
		return false;
	for (; *word != '\0' && *name != '\0'; word++)
		name += same(*name, *word);
	return *name == '\0';
}

/* The longest of those that are no mere letters. */
static const char *
suggest_within(const char *word,
    const char *(*candidate)(const void *ctx, size_t index), const void *ctx)
{
	const char *name, *best = NULL;
	size_t i, longest = SHORT_MAX;

	for (i = 0; (name = candidate(ctx, i)) != NULL; i++) {
		if (strlen(name) > longest && is_within(name, word)) {
			best = name;
			longest = strlen(name);
		}
	}
	return best;
}

const char *
suggest(const char *word,
    const char *(*candidate)(const void *ctx, size_t index), const void *ctx)
{
	const char *name, *best = NULL;
	size_t i, d, len, name_len, best_distance;

	len = strnlen(word, WORD_MAX + 1);
	if (len > WORD_MAX)
		return NULL;
	best_distance = len / 3 + 1; /* to be undercut */
	if (best_distance < 2)
		best_distance = 2;
	for (i = 0; (name = candidate(ctx, i)) != NULL; i++) {
		name_len = strnlen(name, WORD_MAX + 1);
		if (name_len > WORD_MAX || name_len + best_distance <= len ||
		    len + best_distance <= name_len)
			continue;
		d = distance(word, len, name, name_len);
		/* A word with no letter in common was not meant. */
		if (d < best_distance && d < name_len && d < len) {
			best = name;
			best_distance = d;
		}
	}
	return best != NULL ? best : suggest_within(word, candidate, ctx);
}
