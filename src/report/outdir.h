/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * outdir: the directory of option -outdir, where each host has its output as
 * it came, in HOST.out and HOST.err. No file stays open, so there may be any
 * number of hosts.
 */
#ifndef REPORT_OUTDIR_H
#define REPORT_OUTDIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/* No name of a host may be longer. */
#define OUTDIR_NAME_MAX 251

struct outdir;

/*
 * The directory is made, with its parents, if it is missing. path must stay
 * valid. NULL with err if it can't be had.
 */
struct outdir *outdir_new(const char *path, size_t hosts, struct error *err);
/* NULL is fine. */
void outdir_free(struct outdir *d);

/*
 * Bytes of a host's stdout (stream 1) or stderr (2). name: the host's, without
 * a slash. A file that is there from earlier is replaced, not written to, and
 * no link is followed. The first failure is told with log_error(); then
 * nothing is written any more.
 */
void outdir_add(struct outdir *d, size_t host, const char *name, int stream,
    const uint8_t *data, size_t len);
/* The host is over: a stream without a byte has an empty file. */
void outdir_end(struct outdir *d, size_t host, const char *name);
/* Whether bytes are missing. NULL is fine. */
bool outdir_is_broken(const struct outdir *d);

#endif
