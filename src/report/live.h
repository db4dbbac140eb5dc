/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * live: the hosts' output as it comes, one tagged line after the other. Only
 * whole lines go out, so two hosts never share one. A carriage return ends a
 * line too (progress bars). A line longer than the limit is shown in pieces,
 * each tagged, since memory must not grow with what a host sends; unless the
 * host is alone and it does not go to a terminal.
 */
#ifndef REPORT_LIVE_H
#define REPORT_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/sink.h"

struct live;

struct live_options {
	bool has_prefix;
	size_t line_max; /* bytes; longer lines are cut into pieces */
};

/* A line_max that bounds the memory for the lines of so many hosts at once. */
size_t live_line_max(size_t hosts);

/* Sinks are for stdout and stderr and stay owned by the caller. */
struct live *live_new(size_t hosts, struct sink *out, struct sink *err,
    const struct live_options *options);
void live_free(struct live *l);

/* Bytes of host's stdout (stream 1) or stderr (2). name: its tag. */
void live_output(struct live *l, size_t host, const char *name, int stream,
    const uint8_t *data, size_t len);

/* The host is over: a last line without newline gets one. */
void live_end(struct live *l, size_t host, const char *name);

#endif
