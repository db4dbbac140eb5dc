/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prng: numbers that look random and come again with the same seed
 * (splitmix64). For orders and delays, not for secrets.
 */
#ifndef UTIL_PRNG_H
#define UTIL_PRNG_H

#include <stdint.h>

/* The next number; state begins as the seed, any value. */
uint64_t prng_next(uint64_t *state);

/* One from 0 to below - 1; below is not 0. */
uint64_t prng_below(uint64_t *state, uint64_t below);

#endif
