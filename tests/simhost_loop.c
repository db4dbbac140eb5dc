/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "simhost_loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/log.h"
#include "util/xalloc.h"

void
loop_init(struct loop *l)
{
	memset(l, 0, sizeof(*l));
	TAILQ_INIT(&l->ready);
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll_fd == -1)
		fatal("epoll_create1: %s", strerror(errno));
}

static void
empty_garbage(struct loop *l)
{
	while (l->garbage_count > 0)
		free(l->garbage[--l->garbage_count]);
}

void
loop_clear(struct loop *l)
{
	empty_garbage(l);
	free(l->garbage);
	free(l->timers);
	close(l->epoll_fd);
}

void
loop_free_later(struct loop *l, void *ptr)
{
	if (l->garbage_count == l->garbage_size) {
		l->garbage_size = l->garbage_size > 0 ? l->garbage_size * 2 : 8;
		l->garbage = xreallocarray(
		    l->garbage, l->garbage_size, sizeof(*l->garbage));
	}
	l->garbage[l->garbage_count++] = ptr;
}

/* What asks for nothing is taken out: a hangup would be told all the same. */
void
loop_watch(struct loop *l, int fd, struct watch *w, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = w};
	int op = EPOLL_CTL_MOD;

	if (events == w->events)
		return;
	if (w->events == 0)
		op = EPOLL_CTL_ADD;
	else if (events == 0)
		op = EPOLL_CTL_DEL;
	if (epoll_ctl(l->epoll_fd, op, fd, &event) == -1)
		fatal("epoll_ctl: %s", strerror(errno));
	w->events = events;
}

void
loop_unwatch(struct loop *l, int fd, struct watch *w)
{
	loop_watch(l, fd, w, 0);
	w->fn = NULL;
}

void
loop_forget(struct watch *w)
{
	w->fn = NULL;
}

void
loop_wake(struct loop *l, struct task *t)
{
	if (t->is_ready)
		return;
	t->is_ready = true;
	TAILQ_INSERT_TAIL(&l->ready, t, ready_entry);
}

static void
timer_place(struct loop *l, struct task *t, size_t i)
{
	l->timers[i] = t;
	t->timer_index = i;
}

/* Move t from index i, where a hole is, to where it belongs. */
static void
timer_sift(struct loop *l, struct task *t, size_t i)
{
	size_t child;

	while (i > 0 && t->due_ms < l->timers[(i - 1) / 2]->due_ms) {
		timer_place(l, l->timers[(i - 1) / 2], i);
		i = (i - 1) / 2;
	}
	while ((child = 2 * i + 1) < l->timer_count) {
		if (child + 1 < l->timer_count &&
		    l->timers[child + 1]->due_ms < l->timers[child]->due_ms)
			child++;
		if (t->due_ms <= l->timers[child]->due_ms)
			break;
		timer_place(l, l->timers[child], i);
		i = child;
	}
	timer_place(l, t, i);
}

static void
timer_remove(struct loop *l, struct task *t)
{
	struct task *last = l->timers[--l->timer_count];

	if (last != t)
		timer_sift(l, last, t->timer_index);
}

void
loop_wake_at(struct loop *l, struct task *t, uint64_t due_ms)
{
	bool was_set = t->due_ms != 0;

	t->due_ms = due_ms;
	if (was_set && due_ms == 0) {
		timer_remove(l, t);
	} else if (was_set) {
		timer_sift(l, t, t->timer_index);
	} else if (due_ms != 0) {
		if (l->timer_count == l->timer_size) {
			l->timer_size = l->timer_size * 2 + 8;
			l->timers = xreallocarray(
			    l->timers, l->timer_size, sizeof(*l->timers));
		}
		timer_sift(l, t, l->timer_count++);
	}
}

void
loop_cancel(struct loop *l, struct task *t)
{
	loop_wake_at(l, t, 0);
	if (t->is_ready)
		TAILQ_REMOVE(&l->ready, t, ready_entry);
	t->is_ready = false;
}

/* Wake what is due; returns the milliseconds until the next, or -1. */
static int
run_timers(struct loop *l)
{
	uint64_t now = clock_now_ms();
	struct task *t;

	while (l->timer_count > 0 && (t = l->timers[0])->due_ms <= now) {
		loop_wake_at(l, t, 0);
		loop_wake(l, t);
	}
	if (l->timer_count == 0)
		return -1;
	now = l->timers[0]->due_ms - now;
	return now > 60000 ? 60000 : (int)now;
}

void
loop_turn(struct loop *l)
{
	struct epoll_event events[256];
	struct watch *w;
	struct task *t;
	int i, n, timeout_ms;

	timeout_ms = run_timers(l);
	if (!TAILQ_EMPTY(&l->ready))
		timeout_ms = 0;
	n = epoll_wait(l->epoll_fd, events, 256, timeout_ms);
	if (n == -1 && errno != EINTR)
		fatal("epoll_wait: %s", strerror(errno));
	for (i = 0; i < n; i++) {
		w = events[i].data.ptr;
		if (w->fn != NULL)
			w->fn(w->arg, events[i].events);
	}
	run_timers(l);
	/* A task that wakes itself again waits for the next turn. */
	n = 0;
	TAILQ_FOREACH(t, &l->ready, ready_entry)
	n++;
	for (; n > 0 && (t = TAILQ_FIRST(&l->ready)) != NULL; n--) {
		TAILQ_REMOVE(&l->ready, t, ready_entry);
		t->is_ready = false;
		t->fn(t->arg);
	}
	empty_garbage(l);
}
