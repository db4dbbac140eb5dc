/* SPDX-License-Identifier: GPL-3.0-or-later */
/* control: runs a plan. */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include "control/plan.h"
#include "util/error.h"

/*
 * Do it. Returns the exit status of the run (DESIGN: Results), or -1 with err
 * filled if it could not begin. Every host of the plan has had its record
 * then, every process of ours is gone, and the summary is printed.
 */
int control_run(const struct plan *plan, struct error *err);

#endif
