/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rate: the limit of bytes a second over all hosts, shared out among the
 * workers by the hosts that each has in flight.
 */
#ifndef CONTROL_RATE_H
#define CONTROL_RATE_H

#include <stdint.h>

#include "control/run.h"

/*
 * Tell each worker with jobs its share, if that has changed; to be called
 * once a round, after jobs were given out. A worker learns its share along
 * with its first job, changes of it at intervals.
 */
void rate_tell(struct run *run);

/* When rate_tell() has something to do at the latest; UINT64_MAX: never. */
uint64_t rate_due_ms(const struct run *run);

#endif
