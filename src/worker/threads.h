/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * threads: what would block the loop, done beside it. libuv's own threads
 * would do, but libuv makes them all at once and aborts if one can't be made,
 * with all sessions of the worker. These are made one by one as they are
 * needed; where there can be fewer, work waits for those that there are.
 */
#ifndef WORKER_THREADS_H
#define WORKER_THREADS_H

#include <stdbool.h>
#include <sys/queue.h>
#include <uv.h>

#define THREADS_MAX 64u
/* One slow name server must leave threads for the disk. */
#define LOOKUPS_MAX 32u

/* Embedded in what describes the work. */
struct thread_job {
	/* On a thread; it sees nothing of the loop. */
	void (*work)(struct thread_job *job);
	/*
	 * From the loop, later. error: 0, or a negative code of libuv: no
	 * thread could be made and work was not called.
	 */
	void (*done)(struct thread_job *job, int error);
	void *ctx; /* whose it is */
	bool is_lookup;
	/* owned by threads.c */
	TAILQ_ENTRY(thread_job) next;
	bool is_queued;
	int error;
};

struct threads;

/* Owned by the caller; fatal() if the loop can't have it. */
struct threads *threads_new(uv_loop_t *loop);

/*
 * When no job is left: join the threads. The memory is freed by the loop,
 * which has to run once more.
 */
void threads_free(struct threads *t);

/*
 * Have job done; it must stay where it is until done is called, which is
 * never before this returns. It may be run again from done.
 */
void threads_run(struct threads *t, struct thread_job *job);

/*
 * Returns true if the job had not begun: then neither work nor done is called
 * any more. Not for a job whose done was called.
 */
bool threads_cancel(struct threads *t, struct thread_job *job);

#endif
