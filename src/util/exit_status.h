/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * exit_status: of our programs (batch_run(1), EXIT STATUS). Of those that the
 * hosts' results amount to the highest wins; what stopped the run, a signal for
 * one, wins over them.
 */
#ifndef UTIL_EXIT_STATUS_H
#define UTIL_EXIT_STATUS_H

#include <signal.h>

enum exit_status {
	EXIT_OK,	 /* every host is */
	EXIT_FAILED,	 /* a command failed */
	EXIT_USAGE,	 /* options, inventory: nothing was run */
	EXIT_INCOMPLETE, /* a host did not get to its end */
	EXIT_DENIED,	 /* host key or authentication */
	EXIT_LOCAL,	 /* local or internal */
	/* Of a child whose program could not be run, as of a shell. */
	EXIT_NOT_RUN = 126,
	EXIT_NOT_FOUND = 127,
	EXIT_SIGNAL = 128, /* ended by a signal, whose number is added */
	EXIT_BROKEN_PIPE = EXIT_SIGNAL + SIGPIPE, /* nobody reads stdout */
};

#endif
