/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "control/retry.h"

#include "util/prng.h"

#define SOON_MAX_MS  60000u
#define LATER_FACTOR 30u
#define LATER_MAX_MS 300000u
#define LATER_MIN_MS 1000u

/*
 * By the stage at which a host could not be reached. A connection that ends
 * during the login is how some servers refuse it, and no refusal is repeated.
 */
static enum retry
unreachable_kind(enum stage stage)
{
	switch (stage) {
	case STAGE_DNS:
	case STAGE_CONNECT:
	case STAGE_BANNER:
	case STAGE_KEX:
	case STAGE_CHANNEL:
		return RETRY_SOON;
	case STAGE_THROTTLED:
		return RETRY_LATER;
	case STAGE_NONE:
	case STAGE_PROTOCOL:
	case STAGE_HOSTKEY:
	case STAGE_AUTH:
	case STAGE_COMMAND:
	case STAGE_IDLE:
	case STAGE_TRANSFER:
	case STAGE_LOCAL:
	case STAGE_COUNT:
		break;
	}
	return RETRY_NEVER;
}

/* All stages that come before the command. */
static enum retry
timeout_kind(enum stage stage)
{
	switch (stage) {
	case STAGE_DNS:
	case STAGE_CONNECT:
	case STAGE_BANNER:
	case STAGE_KEX:
	case STAGE_HOSTKEY:
	case STAGE_AUTH:
	case STAGE_CHANNEL:
		return RETRY_SOON;
	case STAGE_NONE:
	case STAGE_THROTTLED:
	case STAGE_PROTOCOL:
	case STAGE_COMMAND:
	case STAGE_IDLE:
	case STAGE_TRANSFER:
	case STAGE_LOCAL:
	case STAGE_COUNT:
		break;
	}
	return RETRY_NEVER;
}

enum retry
retry_kind(enum status status, enum stage stage)
{
	switch (status) {
	case STATUS_UNREACHABLE:
		return unreachable_kind(stage);
	case STATUS_TIMEOUT:
		return timeout_kind(stage);
	case STATUS_OK:
	case STATUS_FAILED:
	case STATUS_DENIED:
	case STATUS_LOST:
	case STATUS_TRANSFER:
	case STATUS_ERROR:
	case STATUS_CANCELLED:
	case STATUS_SKIPPED:
	case STATUS_COUNT:
		break;
	}
	return RETRY_NEVER;
}

uint64_t
retry_wait_ms(enum retry kind, uint32_t delay_ms, unsigned nth, uint64_t *prng)
{
	uint64_t most = delay_ms > SOON_MAX_MS ? delay_ms : SOON_MAX_MS;
	uint64_t wait = delay_ms;

	if (kind == RETRY_LATER) {
		wait *= LATER_FACTOR;
		if (wait > LATER_MAX_MS)
			wait = LATER_MAX_MS;
		if (wait < delay_ms)
			wait = delay_ms;
		if (wait < LATER_MIN_MS)
			wait = LATER_MIN_MS;
		return wait + prng_below(prng, wait / 2 + 1);
	}
	for (; nth > 2 && wait < most; nth--)
		wait *= 2;
	return prng_below(prng, (wait < most ? wait : most) + 1);
}
