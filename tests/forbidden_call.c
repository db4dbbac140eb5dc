/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * forbidden_call: to be preloaded. SIGUSR2 makes a process execute another
 * program, as one that was taken over would.
 */
#include "config.h"

#include <signal.h>
#include <unistd.h>

static void
execute(int signo)
{
	char *argv[] = {(char[]){"true"}, NULL};

	(void)signo;
	execv("/bin/true", argv);
}

__attribute__((constructor)) static void
begin(void)
{
	signal(SIGUSR2, execute);
}
