/* SPDX-License-Identifier: GPL-3.0-or-later */
/* limits: how much of a run goes on at once, and what each part may hold. */
#ifndef CONTROL_LIMITS_H
#define CONTROL_LIMITS_H

#include <stdint.h>

#include "control/plan.h"

/*
 * Choose how many workers there are, and fill in what config says of each:
 * slots, credit, window, files at once. Fanout and workers fit the hosts and
 * the limit of descriptors, which is raised as far as it goes; a fanout that
 * does not fit is lowered with a warning. Returns 0, or -1 with err if that
 * limit is too low for any host.
 */
int limits_configure(const struct plan *plan, struct msg_config *config,
    uint32_t *workers, struct error *err);

#endif
