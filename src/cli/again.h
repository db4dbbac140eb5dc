/* SPDX-License-Identifier: GPL-3.0-or-later */
/* again: the command that runs the same on the hosts that were not ok. */
#ifndef CLI_AGAIN_H
#define CLI_AGAIN_H

#include "cli/options.h"
#include "cli/run_options.h"

/*
 * The command line argv, which options_parse() has taken, quoted for a shell,
 * with -rerun of its report instead of its choice of hosts, with other names
 * for the report and the page that it writes, and -diff without a host. NULL if
 * there is no report. The caller frees it.
 */
char *again_command(const struct option_table *tables,
    const struct run_options *o, int argc, char **argv);

/*
 * The next name for a file after path: "run.jsonl", "run.2.jsonl",
 * "run.3.jsonl", "run", "run.2". The caller frees it.
 */
char *again_name(const char *path);

#endif
