/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "worker/threads.h"

#include <stdlib.h>

#include "util/log.h"
#include "util/xalloc.h"

TAILQ_HEAD(job_queue, thread_job);

/* Jobs of a kind. */
struct line {
	struct job_queue queue;
	unsigned queued, running;
	unsigned most; /* that may run at once */
};

enum { LOOKUPS, OTHERS, LINES };

struct threads {
	uv_async_t async;
	unsigned pending; /* jobs whose done is to be called */
	uv_thread_t ids[THREADS_MAX];
	unsigned count;

	uv_mutex_t lock; /* of all below, and of the jobs in the queues */
	uv_cond_t wake;
	struct line lines[LINES];
	struct job_queue done;
	unsigned idle;
	bool is_over;
};

static struct line *
line_of(struct threads *t, const struct thread_job *job)
{
	return &t->lines[job->is_lookup ? LOOKUPS : OTHERS];
}

static void
enqueue(struct threads *t, struct thread_job *job)
{
	struct line *line = line_of(t, job);

	TAILQ_INSERT_TAIL(&line->queue, job, next);
	line->queued++;
	job->is_queued = true;
}

static void
dequeue(struct threads *t, struct thread_job *job)
{
	struct line *line = line_of(t, job);

	TAILQ_REMOVE(&line->queue, job, next);
	line->queued--;
	job->is_queued = false;
}

/* --- on a thread --------------------------------------------------------- */

/*
 * The next job that may run. Look-ups come first: there is an end to them,
 * while a long hash is queued again slice by slice.
 */
static struct thread_job *
take(struct threads *t)
{
	struct thread_job *job;
	struct line *line;

	for (line = t->lines; line < t->lines + LINES; line++) {
		job = TAILQ_FIRST(&line->queue);
		if (job == NULL || line->running == line->most)
			continue;
		dequeue(t, job);
		line->running++;
		return job;
	}
	return NULL;
}

static void
thread_main(void *arg)
{
	struct threads *t = arg;
	struct thread_job *job;

	uv_mutex_lock(&t->lock);
	while (!t->is_over) {
		job = take(t);
		if (job == NULL) {
			t->idle++;
			uv_cond_wait(&t->wake, &t->lock);
			t->idle--;
			continue;
		}
		uv_mutex_unlock(&t->lock);
		job->work(job);
		uv_mutex_lock(&t->lock);
		line_of(t, job)->running--;
		TAILQ_INSERT_TAIL(&t->done, job, next);
		uv_async_send(&t->async);
	}
	uv_mutex_unlock(&t->lock);
}

/* --- on the loop --------------------------------------------------------- */

/* The loop runs on as long as a job is pending, and no longer. */
static void
threads_pending(struct threads *t, int change)
{
	t->pending += (unsigned)change;
	if (t->pending > 0)
		uv_ref((uv_handle_t *)&t->async);
	else
		uv_unref((uv_handle_t *)&t->async);
}

static void
threads_done(uv_async_t *async)
{
	struct threads *t = async->data;
	struct job_queue done = TAILQ_HEAD_INITIALIZER(done);
	struct thread_job *job;

	uv_mutex_lock(&t->lock);
	TAILQ_CONCAT(&done, &t->done, next);
	uv_mutex_unlock(&t->lock);
	while ((job = TAILQ_FIRST(&done)) != NULL) {
		TAILQ_REMOVE(&done, job, next);
		threads_pending(t, -1);
		job->done(job, job->error);
	}
}

struct threads *
threads_new(uv_loop_t *loop)
{
	struct threads *t = xcalloc(1, sizeof(*t));

	if (uv_async_init(loop, &t->async, threads_done) != 0 ||
	    uv_mutex_init(&t->lock) != 0 || uv_cond_init(&t->wake) != 0)
		fatal("cannot set up threads");
	t->async.data = t;
	uv_unref((uv_handle_t *)&t->async);
	TAILQ_INIT(&t->done);
	TAILQ_INIT(&t->lines[LOOKUPS].queue);
	TAILQ_INIT(&t->lines[OTHERS].queue);
	t->lines[LOOKUPS].most = LOOKUPS_MAX;
	t->lines[OTHERS].most = THREADS_MAX;
	return t;
}

static void
async_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void
threads_free(struct threads *t)
{
	uv_mutex_lock(&t->lock);
	t->is_over = true;
	uv_cond_broadcast(&t->wake);
	uv_mutex_unlock(&t->lock);
	while (t->count > 0)
		uv_thread_join(&t->ids[--t->count]);
	uv_cond_destroy(&t->wake);
	uv_mutex_destroy(&t->lock);
	uv_close((uv_handle_t *)&t->async, async_closed);
}

/*
 * One more, if there is something for it to do. Returns 0, or why nothing that
 * is queued will ever be done. Called with the lock.
 */
static int
add_thread(struct threads *t)
{
	unsigned runnable = 0, room;
	struct line *line;
	int error;

	for (line = t->lines; line < t->lines + LINES; line++) {
		room = line->most - line->running;
		runnable += line->queued < room ? line->queued : room;
	}
	if (runnable <= t->idle || t->count == THREADS_MAX)
		return 0;
	error = uv_thread_create(&t->ids[t->count], thread_main, t);
	if (error == 0)
		t->count++;
	/* Those that there are will come to it. */
	return t->count > 0 ? 0 : error;
}

void
threads_run(struct threads *t, struct thread_job *job)
{
	threads_pending(t, 1);
	uv_mutex_lock(&t->lock);
	enqueue(t, job);
	job->error = add_thread(t);
	if (job->error != 0) {
		dequeue(t, job);
		TAILQ_INSERT_TAIL(&t->done, job, next);
		uv_async_send(&t->async);
	}
	uv_cond_signal(&t->wake);
	uv_mutex_unlock(&t->lock);
}

bool
threads_cancel(struct threads *t, struct thread_job *job)
{
	bool is_queued;

	uv_mutex_lock(&t->lock);
	is_queued = job->is_queued;
	if (is_queued)
		dequeue(t, job);
	uv_mutex_unlock(&t->lock);
	if (is_queued)
		threads_pending(t, -1);
	return is_queued;
}
