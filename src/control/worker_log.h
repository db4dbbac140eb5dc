/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * worker_log: what a worker writes to its stderr: messages of fatal(), of the
 * sandbox, of libraries and sanitizers. It is a pipe, read here, since a worker
 * that was taken over must not get at the user's terminal.
 */
#ifndef CONTROL_WORKER_LOG_H
#define CONTROL_WORKER_LOG_H

#include <stdint.h>

#include "util/buf.h"

/* The most of a line that is told, with a NUL. */
#define WORKER_LOG_SIZE 512

struct worker_log {
	int fd;			    /* we read, or -1 */
	struct buf text;	    /* of a line that is not complete */
	char last[WORKER_LOG_SIZE]; /* the last line, whatever is in it */
	unsigned told;		    /* lines */
};

/* What to wait for: -1 once it has said more than any worker of ours does. */
int worker_log_fd(const struct worker_log *l);

/* Take over fd, which then does not block; -1: there is none. */
void worker_log_open(struct worker_log *l, int fd);

/*
 * Read what there is, a little of it at a time, and tell each line as an error
 * of worker i. *told counts lines, over all workers from 0: those above a
 * bound are dropped.
 */
void worker_log_read(struct worker_log *l, uint32_t i, unsigned *told);

/* The worker is gone: read the rest and close; last stays. */
void worker_log_close(struct worker_log *l, uint32_t i, unsigned *told);

#endif
