/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * workers: the life and death of the worker processes of a run, as the control
 * loop sees them.
 */
#ifndef CONTROL_WORKERS_H
#define CONTROL_WORKERS_H

#include <stdint.h>

#include "control/run.h"

/* The run begins. */
void workers_begin(struct run *run);

/*
 * Worker i has sent something, or its pipe has ended. At its end, or if it
 * broke a rule, its jobs are accounted for, and a new one takes its place if
 * there is something to do and new ones live.
 */
void workers_read(struct run *run, uint32_t i);

/* Once a round: end those that do not do what they should; ping the others. */
void workers_look(struct run *run);

/* When workers_look() is to be called at the latest. */
uint64_t workers_due_ms(const struct run *run);

/* Kill all, and account for what they have sent until then. */
void workers_abort(struct run *run);

#endif
