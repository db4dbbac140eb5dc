/* SPDX-License-Identifier: GPL-3.0-or-later */
/* limits: how many hosts at once the descriptors of a process allow. */
#ifndef CONTROL_LIMITS_H
#define CONTROL_LIMITS_H

#include <stdint.h>

/* Raise the soft limit of descriptors to the hard one; returns it. */
uint32_t limits_raise_descriptors(void);

/*
 * The sessions that one worker can hold with that many descriptors, each with
 * its socket, and with what libuv and the resolver's threads need; at least 1.
 */
uint32_t limits_sessions(uint32_t descriptors);

#endif
