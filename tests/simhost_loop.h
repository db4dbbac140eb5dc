/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * loop: epoll(7), work that is ready without an event, and timers. One loop a
 * process. Watches and tasks are embedded in what they belong to.
 */
#ifndef TESTS_SIMHOST_LOOP_H
#define TESTS_SIMHOST_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/* What to call when a descriptor is ready. */
struct watch {
	void (*fn)(void *arg, uint32_t events);
	void *arg;
	uint32_t events; /* asked for now */
};

/* What to call soon, or at a time. */
struct task {
	void (*fn)(void *arg);
	void *arg;
	uint64_t due_ms; /* clock_now_ms() when to run; 0: no timer */
	bool is_ready;
	TAILQ_ENTRY(task) ready_entry;
	size_t timer_index; /* where it is in the loop's timers */
};
TAILQ_HEAD(task_list, task);

struct loop {
	int epoll_fd;
	struct task_list ready;
	struct task **timers; /* a heap: none is due before its parent */
	size_t timer_count, timer_size;
	void **garbage;
	size_t garbage_count, garbage_size;
};

void loop_init(struct loop *l);
void loop_clear(struct loop *l);

/* Wait for events once, run what they and the tasks ask for. */
void loop_turn(struct loop *l);

/* Ask for these events; a new watch has asked for none, 0. */
void loop_watch(struct loop *l, int fd, struct watch *w, uint32_t events);
/* No call of w any more; to be called before fd is closed. */
void loop_unwatch(struct loop *l, int fd, struct watch *w);
/* The same if the descriptor was closed behind our back. */
void loop_forget(struct watch *w);

void loop_wake(struct loop *l, struct task *t);
/* One time a task; 0 takes it back. */
void loop_wake_at(struct loop *l, struct task *t, uint64_t due_ms);
void loop_cancel(struct loop *l, struct task *t);

/* free() it after this turn: a pending event may still point to its watch. */
void loop_free_later(struct loop *l, void *ptr);

#endif
