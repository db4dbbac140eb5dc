/* SPDX-License-Identifier: GPL-3.0-or-later */
/* suggest: "did you mean" for a name that is not known. */
#ifndef UTIL_SUGGEST_H
#define UTIL_SUGGEST_H

#include <stddef.h>

/*
 * The candidate nearest to word, or NULL if none is near enough to have been
 * meant: at most one typing error in every three letters. An error is a
 * letter too many, too few, wrong, or swapped with the next. Upper and lower
 * case are equal. candidate(ctx, i) gives the names for i = 0, 1, ... and
 * NULL after the last. The first of several equally near is returned. Else the
 * longest candidate, of three letters at least, that word begins as and holds
 * letter by letter: "command" for "cmd".
 */
const char *suggest(const char *word,
    const char *(*candidate)(const void *ctx, size_t index), const void *ctx);

#endif
