/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_files: the files that the options of a run name for it to write. */
#ifndef CLI_RUN_FILES_H
#define CLI_RUN_FILES_H

#include "cli/run_options.h"
#include "util/error.h"

/*
 * Whether each is a file of its own, however its path is written; to be asked
 * before the first is opened. Devices may be named twice. Returns 0, or -1 with
 * err that names two options.
 */
int run_files_check(const struct run_options *o, struct error *err);

#endif
