/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * run_token: a name for one run of the program, by which a later run, maybe
 * on another machine, tells whether it is over.
 *
 * "MMMMMMMM.P.S", lower-case hexadecimal: M stands for the machine and its
 * pid namespace, P is the pid of the control process, S the time it was
 * started at (field 22 of /proc/P/stat), since pids are used again. M is made
 * of the machine id, the host name, since clones of a machine often share its
 * id, and the number of the pid namespace.
 */
#ifndef UTIL_RUN_TOKEN_H
#define UTIL_RUN_TOKEN_H

#include <stdbool.h>

/* The longest token with its NUL: 8 + 1 + 8 + 1 + 16 + 1. */
#define RUN_TOKEN_SIZE 35

enum run_token_state {
	RUN_TOKEN_ALIVE,   /* the run goes on, or may do so */
	RUN_TOKEN_DEAD,	   /* a run of this machine, and it is over */
	RUN_TOKEN_FOREIGN, /* a run elsewhere: nothing is known */
};

/* The token of the calling process; the caller frees it. */
char *run_token_make(void);

/* Whether token is exactly as run_token_make() writes tokens. */
bool run_token_is_valid(const char *token);

/*
 * Whether the run goes on. A token that is not valid is foreign. A process
 * that cannot be looked at (/proc mounted with hidepid, or not at all) counts
 * as alive as long as its pid is in use.
 */
enum run_token_state run_token_state(const char *token);

#endif
