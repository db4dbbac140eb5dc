/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * signals: those that a run takes as they come, in its loop. SIGINT, SIGTERM
 * and SIGHUP end it, unless they are ignored; SIGTSTP suspends it and SIGQUIT
 * kills it, once the progress is off the terminal; SIGUSR1, and SIGINFO where
 * there is one, ask how far it is.
 */
#ifndef CONTROL_SIGNALS_H
#define CONTROL_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

#include "util/error.h"

/*
 * Before and after a run nobody answers them: from now on those that ask are
 * ignored outside of it, and in processes that are started.
 */
void signals_ignore_asking(void);

/*
 * A signalfd(2) of all of these, which are blocked; the old mask goes to
 * *old_mask. SIGPIPE is ignored. Or -1 with err, and nothing has changed.
 */
int signals_open(sigset_t *old_mask, struct error *err);

/* Whether that signal asks how far the run is. */
bool signals_ask(int number);

/* Whether that signal is to do what it always does. */
bool signals_is_default(int number);
/* Let it. Returns if and when the process goes on. */
void signals_let(int number);

#endif
