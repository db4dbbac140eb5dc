/* SPDX-License-Identifier: GPL-3.0-or-later */
/* queue: sessions in line. Each is in one line at most, its `queue`. */
#ifndef WORKER_QUEUE_H
#define WORKER_QUEUE_H

#include <stdint.h>

struct session;

struct queue {
	struct session *first, **last; /* by their next_turn */
	uint32_t count;
};

void queue_init(struct queue *q);
/* Put s at the end of q, and out of the line that it is in, unless it is q. */
void queue_put(struct queue *q, struct session *s);
/* The first, which must be there, out of its line. */
struct session *queue_take(struct queue *q);
/* Out of the line that s is in, if any. */
void queue_remove(struct session *s);

#endif
