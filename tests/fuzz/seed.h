/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * seed: an input in the corpus. A file whose name ends in ".hex" holds bytes
 * as hexadecimal digits, with white space between as one likes, and comments
 * from "#" to the end of the line; any other file is the input itself.
 */
#ifndef TESTS_FUZZ_SEED_H
#define TESTS_FUZZ_SEED_H

#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/*
 * Returns the bytes of the input, *size of them, which the caller frees; or
 * NULL with err.
 */
uint8_t *seed_read(const char *path, size_t *size, struct error *err);

#endif
