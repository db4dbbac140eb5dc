/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * completion: what the shells' completion offers. The scripts in completion/
 * hand over the words of the command line and show what is printed, so that
 * the option tables and the inventory are looked at only here.
 */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include "cli/program.h"

/* "PROGRAM --complete WORD...": the words behind PROGRAM, the last unfinished.
 */
#define COMPLETION_WORD "--complete"

/*
 * Print what the last word may become, a candidate a line: the whole word,
 * and for options a tab and what it is. Says nothing of errors: what can't be
 * understood has no candidates. Returns 1 if a path on this machine belongs
 * there, which the shell completes itself, else 0.
 */
int completion_print(const struct program *program, int count, char **words);

#endif
