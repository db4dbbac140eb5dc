/* SPDX-License-Identifier: GPL-3.0-or-later */
/* retry: which ends of a host are worth another attempt, and when. */
#ifndef CONTROL_RETRY_H
#define CONTROL_RETRY_H

#include <stdint.h>

#include "wire/outcome.h"

enum retry {
	RETRY_NEVER,
	RETRY_SOON,
	RETRY_LATER, /* the server is overloaded: after a long pause, once */
};

/*
 * What a result allows that came from a worker: another attempt only of what
 * provably did not start, and may end otherwise.
 */
enum retry retry_kind(enum status status, enum stage stage);

/*
 * How long to wait, in milliseconds, before attempt number nth (from 2, the
 * first retry): soon is full jitter, anything up to delay_ms doubled with each
 * retry, a minute at most (or delay_ms, if that is longer); later is 30 times
 * delay_ms, 5 minutes at most, and up to half as much again.
 */
uint64_t retry_wait_ms(
    enum retry kind, uint32_t delay_ms, unsigned nth, uint64_t *prng);

#endif
