/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * option_value: from the text of an option to its value and back, whether the
 * text stands on the command line or in a file.
 */
#ifndef CLI_OPTION_VALUE_H
#define CLI_OPTION_VALUE_H

#include <stdbool.h>

#include "cli/options.h"
#include "util/error.h"

/*
 * Set the value at place, or add to it (OPTION_LIST, OPTION_COUNT). text is
 * NULL for a flag or a count without value; else it must outlive the value.
 * Returns 0, or -1 with err that says what is wrong with text.
 */
int option_set(const struct option_row *row, void *place, const char *text,
    struct error *err);

/* The same, but nothing is kept: only whether text would do. */
int option_check(
    const struct option_row *row, const char *text, struct error *err);

/*
 * The value at place as a text for option_set(), of a list the index-th one;
 * NULL if there is none. The caller frees it.
 */
char *option_text(
    const struct option_row *row, const void *place, size_t index);

#endif
