/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "control/signals.h"

#include <errno.h>
#include <string.h>
#include <sys/signalfd.h>

static const int asking[] = {
    SIGUSR1,
#ifdef SIGINFO
    SIGINFO,
#endif
};
#define ASKING_COUNT (sizeof(asking) / sizeof(asking[0]))

void
signals_ignore_asking(void)
{
	size_t i;

	for (i = 0; i < ASKING_COUNT; i++)
		signal(asking[i], SIG_IGN);
}

bool
signals_ask(int number)
{
	size_t i;

	for (i = 0; i < ASKING_COUNT; i++) {
		if (asking[i] == number)
			return true;
	}
	return false;
}

int
signals_open(sigset_t *old_mask, struct error *err)
{
	static const int others[] = {SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGQUIT};
	struct sigaction action;
	sigset_t set;
	size_t i;
	int fd;

	sigemptyset(&set);
	for (i = 0; i < ASKING_COUNT; i++)
		sigaddset(&set, asking[i]);
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		/* nohup(1) and shells in the background have them ignored;
		 * a blocked signal would come through all the same. */
		if (sigaction(others[i], NULL, &action) == 0 &&
		    action.sa_handler != SIG_IGN)
			sigaddset(&set, others[i]);
	}
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd == -1)
		return error_set(err, "signalfd: %s", strerror(errno));
	sigprocmask(SIG_BLOCK, &set, old_mask);
	signal(SIGPIPE, SIG_IGN);
	return fd;
}

bool
signals_is_default(int number)
{
	return number == SIGTSTP || number == SIGQUIT;
}

void
signals_let(int number)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	raise(number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	/* Here it stops, or ends. */
	sigprocmask(SIG_BLOCK, &set, NULL);
}
