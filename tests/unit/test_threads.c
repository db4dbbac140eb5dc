/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Work beside the loop: done once each, as far as threads can be had. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "threads_world.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* What the work of all jobs of a test has to do with. */
struct scene {
	atomic_uint running, most, worked;
	atomic_bool is_open; /* until then work does not end */
	uv_thread_t loop_thread;
	unsigned done, failed;
};

static void
work(struct thread_job *job)
{
	struct scene *scene = job->ctx;
	uv_thread_t self = uv_thread_self();
	unsigned now = atomic_fetch_add(&scene->running, 1) + 1;
	unsigned most = atomic_load(&scene->most);

	assert_false(uv_thread_equal(&self, &scene->loop_thread));
	while (now > most &&
	    !atomic_compare_exchange_weak(&scene->most, &most, now))
		;
	while (!atomic_load(&scene->is_open))
		usleep(1000);
	atomic_fetch_sub(&scene->running, 1);
	atomic_fetch_add(&scene->worked, 1);
}

static void
done(struct thread_job *job, int error)
{
	struct scene *scene = job->ctx;

	scene->done++;
	scene->failed += error != 0;
}

static void
begin(struct threads *threads, struct thread_job *jobs, size_t count,
    struct scene *scene, bool is_lookup)
{
	size_t i;

	scene->loop_thread = uv_thread_self();
	for (i = 0; i < count; i++) {
		jobs[i] = (struct thread_job){.work = work,
		    .done = done,
		    .ctx = scene,
		    .is_lookup = is_lookup};
		threads_run(threads, &jobs[i]);
	}
	assert_int_equal(scene->done, 0);
}

/* Until so many are at work at once. */
static void
wait_for(const struct scene *scene, unsigned running)
{
	alarm(60);
	while (atomic_load(&scene->running) < running)
		usleep(1000);
	alarm(0);
}

static void
test_each_job_is_done_once(void **state)
{
	struct scene scene = {.is_open = true};
	struct thread_job jobs[500], lookups[500];
	struct threads *threads;
	uv_loop_t loop;

	(void)state;
	threads = world_begin(&loop);
	begin(threads, jobs, COUNT(jobs), &scene, false);
	begin(threads, lookups, COUNT(lookups), &scene, true);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(scene.worked, 1000);
	assert_int_equal(scene.done, 1000);
	assert_int_equal(scene.failed, 0);
	world_end(&loop, threads);
}

static void
test_slow_look_ups_leave_threads_for_others(void **state)
{
	struct scene slow = {0}, quick = {.is_open = true};
	struct thread_job lookups[2 * THREADS_MAX], jobs[10];
	struct threads *threads;
	uv_loop_t loop;

	(void)state;
	threads = world_begin(&loop);
	begin(threads, lookups, COUNT(lookups), &slow, true);
	wait_for(&slow, LOOKUPS_MAX);
	begin(threads, jobs, COUNT(jobs), &quick, false);
	alarm(60);
	while (quick.done < COUNT(jobs))
		uv_run(&loop, UV_RUN_ONCE);
	alarm(0);
	assert_int_equal(slow.done, 0);
	atomic_store(&slow.is_open, true);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(slow.done, COUNT(lookups));
	assert_int_equal(slow.most, LOOKUPS_MAX);
	world_end(&loop, threads);
}

static void
test_what_is_cancelled_before_it_begins_is_not_done(void **state)
{
	struct scene slow = {0}, never = {.is_open = true};
	struct thread_job lookups[LOOKUPS_MAX], jobs[3];
	struct threads *threads;
	uv_loop_t loop;
	size_t i;

	(void)state;
	threads = world_begin(&loop);
	begin(threads, lookups, COUNT(lookups), &slow, true);
	wait_for(&slow, LOOKUPS_MAX);
	begin(threads, jobs, COUNT(jobs), &never, true);
	for (i = 0; i < COUNT(jobs); i++)
		assert_true(threads_cancel(threads, &jobs[i]));
	assert_false(threads_cancel(threads, &lookups[0]));
	atomic_store(&slow.is_open, true);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(slow.done, COUNT(lookups));
	assert_int_equal(never.worked, 0);
	assert_int_equal(never.done, 0);
	world_end(&loop, threads);
}

static void
test_without_any_thread_a_job_fails(void **state)
{
	struct scene scene = {.is_open = true};
	struct thread_job jobs[10];
	struct threads *threads;
	uv_loop_t loop;

	(void)state;
	threads = world_begin(&loop);
	world_forbid_threads(true);
	begin(threads, jobs, COUNT(jobs), &scene, true);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(scene.worked, 0);
	assert_int_equal(scene.failed, COUNT(jobs));
	/* Another time there may be one. */
	world_forbid_threads(false);
	scene = (struct scene){.is_open = true};
	begin(threads, jobs, COUNT(jobs), &scene, true);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(scene.worked, COUNT(jobs));
	assert_int_equal(scene.failed, 0);
	world_end(&loop, threads);
}

static void
test_few_threads_do_all_jobs(void **state)
{
	struct scene scene = {0};
	struct thread_job first[1], jobs[100];
	struct threads *threads;
	uv_loop_t loop;

	(void)state;
	threads = world_begin(&loop);
	begin(threads, first, 1, &scene, false);
	wait_for(&scene, 1);
	world_forbid_threads(true);
	begin(threads, jobs, COUNT(jobs), &scene, false);
	world_forbid_threads(false);
	atomic_store(&scene.is_open, true);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(scene.most, 1);
	assert_int_equal(scene.done, 1 + COUNT(jobs));
	assert_int_equal(scene.failed, 0);
	world_end(&loop, threads);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_job_is_done_once),
	    cmocka_unit_test(test_slow_look_ups_leave_threads_for_others),
	    cmocka_unit_test(
		test_what_is_cancelled_before_it_begins_is_not_done),
	    cmocka_unit_test(test_without_any_thread_a_job_fails),
	    cmocka_unit_test(test_few_threads_do_all_jobs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
