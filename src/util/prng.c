/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "util/prng.h"

uint64_t
prng_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint64_t
prng_below(uint64_t *state, uint64_t below)
{
	/* The bias is below's share of 64 bits. */
	return prng_next(state) % below;
}
