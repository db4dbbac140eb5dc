/* SPDX-License-Identifier: GPL-3.0-or-later */
/* utf8: characters in bytes that may be anything (RFC 3629). */
#ifndef UTIL_UTF8_H
#define UTIL_UTF8_H

#include <stddef.h>
#include <stdint.h>

/*
 * Decode one character: shortest form, no surrogates, at most U+10FFFF. len is
 * at least 1. Returns its length in bytes, or 0 if p does not start a valid
 * one.
 */
size_t utf8_decode(const uint8_t *p, size_t len, uint32_t *c);

/* How many bytes at the start of p are valid characters; all, if it is len. */
size_t utf8_valid(const uint8_t *p, size_t len);

/*
 * len without the bytes at the end of p that begin a character and miss its
 * rest, as a cut leaves them.
 */
size_t utf8_whole(const uint8_t *p, size_t len);

#endif
