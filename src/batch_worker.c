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
#include <sys/resource.h>
#include <unistd.h>

#include "util/log.h"
#include "wire/frame.h"
#include "worker/worker.h"

int
main(int argc, char **argv)
{
	const struct rlimit no_core = {0, 0};
	long parent;

	log_init("batch_worker");
	if (argc != 2 || fcntl(WORKER_JOB_FD, F_GETFD) == -1 ||
	    fcntl(WORKER_RESULT_FD, F_GETFD) == -1) {
		log_error("this program is started by the others; see "
			  "batch_run(1)");
		return 2;
	}
	/* Control's death is ours, also if it came before the prctl. */
	parent = strtol(argv[1], NULL, 10);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		return 0;
	setrlimit(RLIMIT_CORE, &no_core);
	/* Control coordinates the end of a run. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	/*
	 * One slow name server must not serialise the run. libuv gives half of
	 * its threads to look-ups.
	 */
	setenv("UV_THREADPOOL_SIZE", "64", 0);
	worker_main();
}
