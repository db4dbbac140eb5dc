/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * startups: no server is sent more handshakes at once than it takes
 * (MaxStartups of sshd_config(5)), however many hosts of the run are behind
 * its address. A job that would be one too many is parked, and comes back
 * when another one of that address has logged in or ended.
 */
#ifndef CONTROL_STARTUPS_H
#define CONTROL_STARTUPS_H

#include <stdbool.h>
#include <stdint.h>

#include "inventory/inventory.h"

#define STARTUPS_NO_JOB UINT32_MAX

struct startups;

/*
 * Jobs 0 to count - 1 are those hosts. limit: handshakes at once at one
 * address and port; 0: none.
 */
struct startups *startups_new(
    const struct host *hosts, uint32_t count, uint32_t limit);
void startups_free(struct startups *s);

/*
 * The job begins its handshake, or is parked: returns whether it may. It must
 * be neither in a handshake nor parked.
 */
bool startups_enter(struct startups *s, uint32_t job);
/* The job has logged in or is over. Does nothing if it did so before. */
void startups_leave(struct startups *s, uint32_t job);

/*
 * Take back a parked job that has the address of this one and may begin now;
 * STARTUPS_NO_JOB if there is none. It still has to startups_enter(). Who has
 * no use for it asks for the next: nobody else will.
 */
uint32_t startups_unpark(struct startups *s, uint32_t job);

#endif
