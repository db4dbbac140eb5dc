/* SPDX-License-Identifier: GPL-3.0-or-later */
/* prompt: ask the user on the terminal. */
#ifndef CLI_PROMPT_H
#define CLI_PROMPT_H

#include <stdbool.h>

#include "util/error.h"

/* Whether there is a terminal to ask on. */
bool prompt_is_possible(void);

/*
 * Ask for a secret on /dev/tty, without echo. Returns it (release with
 * secret_free()), or NULL with err: no terminal, or nothing was entered.
 * Signals act as ever: Ctrl-C ends the program, Ctrl-Z stops it, and when it
 * goes on it asks again.
 */
char *prompt_secret(const char *question, struct error *err);

#endif
