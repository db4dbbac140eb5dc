/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hash: 32 bits that stand for some bytes, where nobody gains by making two
 * of them equal. The value is part of file names: it never changes from one
 * version of the program to the next.
 */
#ifndef UTIL_HASH_H
#define UTIL_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START 14695981039346656037ull

/* FNV-1a: mix count bytes into state, which begins as HASH_START. */
static inline uint64_t
hash_add(uint64_t state, const void *data, size_t count)
{
	const uint8_t *p = data;

	while (count-- > 0)
		state = (state ^ *p++) * 1099511628211ull;
	return state;
}

/* The state folded to 32 bits. */
static inline uint32_t
hash_fold(uint64_t state)
{
	return (uint32_t)(state ^ (state >> 32));
}

#endif
