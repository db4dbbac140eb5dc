/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * input: the file that every command reads on its stdin. Workers read it by
 * offset, so one descriptor serves all hosts and nobody holds a copy.
 */
#ifndef CONTROL_INPUT_H
#define CONTROL_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

/*
 * Open the file at path; "-" is our own stdin. What is no regular file (a
 * pipe, a terminal) is first read to its end into an unlinked temporary file.
 * Returns the descriptor, to be closed by the caller, with the number of
 * bytes in *size; or -1 with err.
 */
int input_open(const char *path, uint64_t *size, struct error *err);

#endif
