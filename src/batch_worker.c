/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * batch_worker: the program of the processes that speak SSH. It is started by
 * the other programs, never by hand: descriptors 3 and 4 are pipes to control,
 * 5 is what the commands read from stdin.
 */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/crypto_alloc.h"
#include "util/exit_status.h"
#include "util/log.h"
#include "wire/frame.h"
#include "worker/cage.h"
#include "worker/worker.h"

/* Set once, by main(): time() gets no argument of ours. */
static uint64_t wall_offset_ms;

/*
 * libssh2 ends a session if an answer takes a minute by the time of day. Where
 * that is set meanwhile, by hand or after a suspend, each session that waits
 * would be lost. A function of the program is found before one of the same
 * name in a library (see worker/interpose.c), so here is one that is not set:
 * the time of day when the worker began, and what has passed since.
 */
time_t
time(time_t *t)
{
	time_t now = (time_t)((clock_now_ms() + wall_offset_ms) / 1000);

	if (t != NULL)
		*t = now;
	return now;
}

int
main(int argc, char **argv)
{
	long parent;

	cage_harden();
	wall_offset_ms = clock_wall_ms() - clock_now_ms();
	log_init("batch_worker");
	if (argc != 2 || fcntl(WORKER_JOB_FD, F_GETFD) == -1 ||
	    fcntl(WORKER_RESULT_FD, F_GETFD) == -1) {
		log_error("this program is started by the others; see "
			  "batch_run(1)");
		return EXIT_USAGE;
	}
	/* Control's death is ours, also if it came before the prctl. */
	parent = strtol(argv[1], NULL, 10);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		return 0;
	/* Control coordinates the end of a run, and knows how far it is. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	crypto_alloc_init();
	worker_main();
}
