/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Work on files by threads: the loop hears of it once, or never again. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/sha.h>
#include <uv.h>

#include "threads_world.h"
#include "worker/disk.h"

/* More than one slice, and no multiple of anything. */
#define LARGE_BYTES ((80u << 20) + 12345)
#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))

struct heard {
	unsigned calls;
	int error;
	bool has_sha256;
	uint8_t sha256[DIGEST_BYTES];
};

static void
done(void *ctx, int error, const uint8_t *sha256)
{
	struct heard *h = ctx;

	h->calls++;
	h->error = error;
	h->has_sha256 = sha256 != NULL;
	if (sha256 != NULL)
		memcpy(h->sha256, sha256, sizeof(h->sha256));
}

static int
temporary_fd(const void *data, size_t len)
{
	FILE *f = tmpfile();
	int fd;

	assert_non_null(f);
	fd = dup(fileno(f));
	assert_true(fd != -1);
	fclose(f);
	assert_int_equal(write(fd, data, len), len);
	return fd;
}

static unsigned
open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned count = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		count++;
	closedir(d);
	return count;
}

static void
check_hash(const uint8_t *data, size_t size, uint64_t length)
{
	struct heard h = {0};
	uint8_t expected[SHA256_DIGEST_LENGTH];
	struct threads *threads;
	uv_loop_t loop;
	int fd;

	threads = world_begin(&loop);
	fd = temporary_fd(data, size);
	disk_hash(threads, fd, length, done, &h);
	close(fd); /* the job has its own */
	assert_int_equal(h.calls, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(h.calls, 1);
	world_end(&loop, threads);
	if (length > size) {
		assert_int_equal(h.error, ENODATA);
		assert_false(h.has_sha256);
		return;
	}
	assert_int_equal(h.error, 0);
	assert_true(h.has_sha256);
	SHA256(data, (size_t)length, expected);
	assert_memory_equal(h.sha256, expected, sizeof(expected));
}

static uint8_t *
large(void)
{
	uint8_t *data = malloc(LARGE_BYTES);
	uint32_t i, x = 1;

	assert_non_null(data);
	for (i = 0; i < LARGE_BYTES; i++) {
		x = x * 1664525u + 1013904223u;
		data[i] = (uint8_t)(x >> 24);
	}
	return data;
}

static void
test_a_hash_is_that_of_the_first_bytes(void **state)
{
	static const size_t lengths[] = {0, 1, 262143, 262144, 262145,
	    LARGE_BYTES - 1, LARGE_BYTES, LARGE_BYTES + 1};
	uint8_t *data = large();
	size_t i;

	(void)state;
	check_hash(data, 0, 0);
	check_hash(data, 0, 1);
	for (i = 0; i < COUNT(lengths); i++)
		check_hash(data, LARGE_BYTES, lengths[i]);
	free(data);
}

static void
test_fsync(void **state)
{
	struct heard file = {0}, pipe_end = {0};
	int fd = temporary_fd("x", 1), ends[2];
	struct threads *threads;
	uv_loop_t loop;

	(void)state;
	threads = world_begin(&loop);
	assert_int_equal(pipe(ends), 0);
	disk_fsync(threads, fd, done, &file);
	disk_fsync(threads, ends[1], done, &pipe_end);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(file.calls, 1);
	assert_int_equal(file.error, 0);
	assert_false(file.has_sha256);
	assert_int_equal(pipe_end.calls, 1);
	assert_int_equal(pipe_end.error, EINVAL);
	world_end(&loop, threads);
	close(ends[0]);
	close(ends[1]);
	close(fd);
}

static void
test_no_descriptor_left_is_told_later(void **state)
{
	struct rlimit limit, low;
	struct heard h = {0};
	struct threads *threads;
	uv_loop_t loop;
	int fd = temporary_fd("x", 1);

	(void)state;
	threads = world_begin(&loop);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = (struct rlimit){3, limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	disk_hash(threads, fd, 1, done, &h);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(h.calls, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(h.calls, 1);
	assert_true(h.error != 0);
	assert_false(h.has_sha256);
	world_end(&loop, threads);
	close(fd);
}

/* A file of 1 TB, which takes minutes to hash. */
static int
endless_fd(void)
{
	int fd = temporary_fd("", 0);

	assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
	return fd;
}

static void
test_abandoned_while_running_it_ends_silently(void **state)
{
	struct heard h = {0}, other = {0};
	unsigned fds = open_fds() + 1;
	int fd = endless_fd(), i;
	struct disk_job *job;
	struct threads *threads;
	uv_loop_t loop;

	(void)state;
	threads = world_begin(&loop);
	job = disk_hash(threads, fd, (uint64_t)1 << 40, done, &h);
	/* Let it begin, and have some slices behind it. */
	for (i = 0; i < 20; i++) {
		uv_run(&loop, UV_RUN_NOWAIT);
		usleep(10000);
	}
	assert_int_equal(h.calls, 0);
	disk_abandon(job);
	disk_fsync(threads, fd, done, &other);
	alarm(30);
	uv_run(&loop, UV_RUN_DEFAULT);
	alarm(0);
	assert_int_equal(h.calls, 0);
	assert_int_equal(other.calls, 1);
	world_end(&loop, threads);
	assert_int_equal(open_fds(), fds);
	close(fd);
}

static void
test_abandoned_before_it_begins(void **state)
{
	struct heard h = {0};
	int fd = endless_fd(), i;
	struct threads *threads;
	uv_loop_t loop;

	(void)state;
	threads = world_begin(&loop);
	for (i = 0; i < 32; i++)
		disk_abandon(
		    disk_hash(threads, fd, (uint64_t)1 << 40, done, &h));
	disk_abandon(disk_fsync(threads, fd, done, &h));
	disk_abandon(NULL);
	alarm(30);
	uv_run(&loop, UV_RUN_DEFAULT);
	alarm(0);
	assert_int_equal(h.calls, 0);
	world_end(&loop, threads);
	close(fd);
}

static void
test_without_threads_the_loop_does_it(void **state)
{
	uint8_t *data = large();
	int fd = temporary_fd("x", 1);
	struct heard h = {0};
	struct threads *threads;
	uv_loop_t loop;

	(void)state;
	world_forbid_threads(true);
	check_hash(data, LARGE_BYTES, LARGE_BYTES);
	threads = world_begin(&loop);
	disk_fsync(threads, fd, done, &h);
	uv_run(&loop, UV_RUN_DEFAULT);
	world_end(&loop, threads);
	world_forbid_threads(false);
	assert_int_equal(h.calls, 1);
	assert_int_equal(h.error, 0);
	close(fd);
	free(data);
}

static void
test_many_long_ones_do_not_keep_others_from_their_turn(void **state)
{
	struct heard h = {0}, other = {0};
	struct disk_job *jobs[16];
	int fd = endless_fd();
	struct threads *threads;
	uv_loop_t loop;
	size_t i;

	(void)state;
	threads = world_begin(&loop);
	for (i = 0; i < COUNT(jobs); i++)
		jobs[i] = disk_hash(threads, fd, (uint64_t)1 << 40, done, &h);
	disk_hash(threads, fd, 1, done, &other);
	alarm(60);
	while (other.calls == 0)
		uv_run(&loop, UV_RUN_ONCE);
	for (i = 0; i < COUNT(jobs); i++)
		disk_abandon(jobs[i]);
	uv_run(&loop, UV_RUN_DEFAULT);
	alarm(0);
	assert_int_equal(h.calls, 0);
	world_end(&loop, threads);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_hash_is_that_of_the_first_bytes),
	    cmocka_unit_test(test_fsync),
	    cmocka_unit_test(test_no_descriptor_left_is_told_later),
	    cmocka_unit_test(test_abandoned_while_running_it_ends_silently),
	    cmocka_unit_test(test_abandoned_before_it_begins),
	    cmocka_unit_test(
		test_many_long_ones_do_not_keep_others_from_their_turn),
	    cmocka_unit_test(test_without_threads_the_loop_does_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
