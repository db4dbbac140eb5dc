/* SPDX-License-Identifier: GPL-3.0-or-later */
/* capture: what each host has sent so far, until it is over. */
#ifndef REPORT_CAPTURE_H
#define REPORT_CAPTURE_H

#include <stddef.h>
#include <stdint.h>

#include "report/content.h"

/* What a host has sent: [0] on stdout, [1] on stderr. */
struct outputs {
	struct content *contents[2]; /* their first bytes, or all */
	uint64_t sent[2];	     /* so many were sent */
};

struct capture;

/* limit: bytes that are kept of a stream. */
struct capture *capture_new(
    size_t hosts, uint64_t limit, struct store *s, struct contents *set);
void capture_free(struct capture *c);

/* Bytes of host's stdout (stream 1) or stderr (2). */
void capture_add(struct capture *c, size_t host, int stream,
    const uint8_t *data, size_t len);

/*
 * The host is over. The caller owns the contents; outputs_drop() gives them
 * up.
 */
struct outputs capture_end(struct capture *c, size_t host);

struct outputs outputs_share(const struct outputs *o);
void outputs_drop(struct contents *set, struct outputs *o);

#endif
