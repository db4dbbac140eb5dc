/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * patient: to be preloaded. SIGKILL is not sent, so that what would be killed
 * for its slowness is waited for instead.
 */
#include "config.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

int
kill(pid_t pid, int number)
{
	if (number == SIGKILL)
		return 0;
	return (int)syscall(SYS_kill, pid, number);
}
