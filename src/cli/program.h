/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * program: what the mains of all programs that run a plan share: options ->
 * plan -> control_run() -> exit status. A main says how its options become
 * its part of the plan.
 */
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

#include "cli/options.h"
#include "cli/run_hosts.h"
#include "cli/run_options.h"
#include "control/plan.h"
#include "util/error.h"

struct program {
	const char *name;
	const char *usage;  /* the first lines of --help */
	const char *epilog; /* the last ones */
	const struct option_table *tables;
	struct run_options *options; /* that tables fill; has its defaults */
	/*
	 * Fill in the program's part of plan: config, input_fd and what a
	 * transfer has besides. The plan stays owned by ctx. operands: what
	 * came after "--", ended by NULL. Returns 0, or -1 with err.
	 */
	int (*plan)(void *ctx, struct plan *plan, const struct run_hosts *hosts,
	    char **operands, struct error *err);
	void *ctx;
};

/*
 * Be that program: to be called by main() before it opens anything. Returns
 * the exit status; errors are printed. The lists in the options' targets are
 * freed, what ctx owns is left to the caller.
 */
int program_run(const struct program *program, int argc, char **argv);

#endif
