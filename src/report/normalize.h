/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * normalize: lines without what differs from host to host and does no harm.
 * What matches is replaced by one NUL, so "at 10:01" and "at 10:02" become
 * equal, but not "at".
 *
 * By default that is the host's own name and dates and times of day, as
 * batch_run(1) lists them.
 */
#ifndef REPORT_NORMALIZE_H
#define REPORT_NORMALIZE_H

#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/error.h"

/* A longer line is compared as it is. */
#define NORMALIZE_LINE_MAX 4096

struct normalizer;

/*
 * Patterns, extended regular expressions of POSIX, are looked for before the
 * default ones, and in their order. An empty one stands for none, and takes
 * away the default ones. NULL with err if one is not valid.
 */
struct normalizer *normalizer_new(
    const char *const *patterns, size_t count, struct error *err);
void normalizer_free(struct normalizer *n);

/*
 * The host whose lines come next, as it was chosen, not empty:
 * "web01.example.com", "user@[::1]:22".
 */
void normalizer_set_host(struct normalizer *n, const char *host);

/*
 * A line, without newline, as it is to be compared: bytes in *out, *out_len of
 * them, that are valid until the next call.
 */
void normalizer_line(struct normalizer *n, const uint8_t *line, size_t len,
    const uint8_t **out, size_t *out_len);

#endif
