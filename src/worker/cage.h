/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cage: what a worker gives up, since a hostile server may take it over
 * through a hole in a library. The list stands in cage.c.
 */
#ifndef WORKER_CAGE_H
#define WORKER_CAGE_H

#include <stddef.h>

#include "wire/frame.h"

/*
 * What stands in nobody's way: no core dump, no memory for other processes of
 * the user to look at, no privileges by exec, and, where it may, no page in
 * the swap. To be called first of all.
 */
void cage_harden(void);

/*
 * If config asks for the sandbox: give up all that the task does not need, for
 * good. To be called before there is a thread, a loop or a job, and after
 * what libraries read at their start. missing, of size bytes, gets what this
 * system or this build does not have of it, and why; "" if nothing is missing.
 */
void cage_enter(const struct msg_config *config, char *missing, size_t size);

#endif
