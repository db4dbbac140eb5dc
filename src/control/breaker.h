/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * breaker: a credential that hosts refuse again and again is not tried on
 * more of them, since a wrong password could lock an account on every one. A
 * credential is a user with what he logs in with: an identity file or the
 * default keys, and a password.
 */
#ifndef CONTROL_BREAKER_H
#define CONTROL_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "inventory/inventory.h"

struct breaker;

/*
 * Jobs 0 to count - 1 are those hosts, which must outlive it. limit: refusals
 * in a row that break a credential; 0: none do.
 */
struct breaker *breaker_new(
    const struct host *hosts, uint32_t count, uint32_t limit);
void breaker_free(struct breaker *b);

/* The job has logged in. */
void breaker_accepted(struct breaker *b, uint32_t job);
/* Its login was refused. Returns whether that broke the credential. */
bool breaker_denied(struct breaker *b, uint32_t job);

/* Whether the credential of the job is broken, for good. */
bool breaker_is_broken(const struct breaker *b, uint32_t job);
/* Why, for the results of the hosts that are spared; the caller frees it. */
char *breaker_reason(const struct breaker *b, uint32_t job);

#endif
