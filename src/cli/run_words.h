/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_words: what a run is, in the words of the one who typed it. */
#ifndef CLI_RUN_WORDS_H
#define CLI_RUN_WORDS_H

#include "cli/run_options.h"
#include "util/buf.h"

/* Append the values, quoted for a shell, a blank before each. */
void run_words_list(struct buf *out, const struct option_list *list);

/*
 * Append " -g web,db -x web03": the options that choose hosts and whose
 * enum choice_kind is a bit in kinds, as many of them as out takes.
 */
void run_words_choices(
    struct buf *out, const struct run_options *o, unsigned kinds);

/* "-g web,db -x web03": the choice of hosts. The caller frees it. */
char *run_words_choice(const struct run_options *o);

#endif
