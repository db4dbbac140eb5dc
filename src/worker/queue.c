/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "worker/queue.h"

#include "worker/session.h"

void
queue_init(struct queue *q)
{
	q->first = NULL;
	q->last = &q->first;
	q->count = 0;
}

struct session *
queue_take(struct queue *q)
{
	struct session *s = q->first;

	queue_remove(s);
	return s;
}

void
queue_remove(struct session *s)
{
	struct queue *q = s->queue;
	struct session **p;

	if (q == NULL)
		return;
	for (p = &q->first; *p != s; p = &(*p)->next_turn)
		;
	*p = s->next_turn;
	if (*p == NULL)
		q->last = p;
	q->count--;
	s->queue = NULL;
}

void
queue_put(struct queue *q, struct session *s)
{
	if (s->queue == q)
		return;
	queue_remove(s);
	s->queue = q;
	s->next_turn = NULL;
	*q->last = s;
	q->last = &s->next_turn;
	q->count++;
}
