/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * connector: from an address to a connected TCP socket. Names are resolved
 * on threads; the addresses are tried in the resolver's order, each
 * with its share of the time that is left, until one connects.
 */
#ifndef WORKER_CONNECTOR_H
#define WORKER_CONNECTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "wire/outcome.h"

struct connector;
struct threads;

/* How it ended; valid during the callback. */
struct connected {
	int fd; /* owned by the callee, or -1: then the rest says why */
	uv_poll_t *poll; /* of fd, to be closed and freed before it */
	enum status status;
	enum stage stage;
	const char *message;
	const char *peer; /* numeric address, last one tried */
	bool is_final;	  /* there is no such name: trying again won't help */
};

typedef void (*connector_done)(void *ctx, const struct connected *result);

/*
 * Start. done is called once, never before this returns, unless
 * connector_cancel() is called first. deadline_ms is in uv_now() time.
 */
struct connector *connector_start(uv_loop_t *loop, struct threads *threads,
    const char *address, uint32_t port, uint64_t deadline_ms,
    connector_done done, void *ctx);

/* So long this process did not run, which is not to be counted. */
void connector_missed(struct connector *c, uint64_t ms);

/* Give up without calling done; c is gone. */
void connector_cancel(struct connector *c);

/* Where a deadline would hit it now: STAGE_DNS or STAGE_CONNECT. */
enum stage connector_stage(const struct connector *c);

#endif
