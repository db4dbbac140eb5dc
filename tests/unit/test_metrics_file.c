/* SPDX-License-Identifier: GPL-3.0-or-later */
/* metrics_file: a file that is replaced in one step, or left alone. */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "report/metrics_file.h"
#include "util/clock.h"
#include "util/fdio.h"
#include "util/path.h"
#include "util/xalloc.h"

static char *dir, *path;
static struct tally tally;
static struct running running;
static struct metrics metrics;

/* --- a directory for each test ------------------------------------------- */

static int
setup(void **state)
{
	(void)state;
	dir = xasprintf("%s/test_metrics.XXXXXX",
	    getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
	if (mkdtemp(dir) == NULL)
		return -1;
	path = path_join(dir, "run.prom");
	metrics = (struct metrics){.tool = "batch_run",
	    .path = path,
	    .hosts = 1,
	    .running = &running,
	    .tally = &tally};
	return 0;
}

/* Empty the directory; returns how many files there were. */
static unsigned
dir_empty(void)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	unsigned count = 0;

	assert_non_null(d);
	while ((entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		count++;
		assert_int_equal(unlinkat(dirfd(d), entry->d_name, 0), 0);
	}
	closedir(d);
	return count;
}

static int
teardown(void **state)
{
	(void)state;
	dir_empty();
	rmdir(dir);
	free(dir);
	free(path);
	return 0;
}

/* What the file has of a run with so many hosts; the caller frees it. */
static char *
text_of(size_t hosts)
{
	struct buf b;
	char *text;

	metrics.hosts = hosts;
	buf_init(&b, 1 << 20);
	metrics_render(&metrics, &b);
	text = xstrndup((const char *)buf_head(&b), buf_len(&b));
	buf_clear(&b);
	return text;
}

static void
assert_text(const char *file, size_t hosts)
{
	struct error err = {""};
	char *expected = text_of(hosts), *text;
	size_t len;

	text = file_read(file, 1 << 20, &len, &err);
	assert_string_equal(err.text, "");
	assert_string_equal(text, expected);
	free(text);
	free(expected);
}

static struct metrics_file *
file_new(void)
{
	struct error err = {""};
	struct metrics_file *f = metrics_file_new(&metrics, &err);

	assert_string_equal(err.text, "");
	assert_non_null(f);
	return f;
}

static void
assert_refused(const char *file, const char *why)
{
	struct error err = {""};

	metrics.path = file;
	assert_null(metrics_file_new(&metrics, &err));
	if (strstr(err.text, why) == NULL || strstr(err.text, file) == NULL)
		fail_msg("\"%s\" says nothing of %s: %s", err.text, file, why);
	metrics.path = path;
}

/* --- tests --------------------------------------------------------------- */

static void
test_a_reader_has_the_old_text_or_the_new(void **state)
{
	struct metrics_file *f = file_new();
	char *expected = text_of(1), text[65536];
	struct stat before, after;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	(void)state;
	assert_int_equal(fstat(fd, &before), 0);
	metrics.hosts = 2;
	metrics_file_update(f, &metrics);
	assert_text(path, 2);
	assert_int_equal(stat(path, &after), 0);
	assert_int_not_equal(before.st_ino, after.st_ino);
	/* Who had it open reads what it was. */
	n = read(fd, text, sizeof(text) - 1);
	assert_int_equal(n, strlen(expected));
	assert_memory_equal(text, expected, strlen(expected));
	metrics.hosts = 3;
	assert_int_equal(metrics_file_end(f, &metrics), 0);
	assert_text(path, 3);
	close(fd);
	free(expected);
	metrics_file_free(f);
	assert_int_equal(dir_empty(), 1); /* nothing is left beside it */
}

static void
test_its_mode_is_that_of_a_public_file(void **state)
{
	mode_t old = umask(022);
	struct stat st;

	(void)state;
	metrics_file_free(file_new());
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	umask(027);
	metrics_file_free(file_new());
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	umask(old);
}

static void
test_a_link_is_followed(void **state)
{
	char *target = path_join(dir, "target"), *link = path;
	struct metrics_file *f;
	struct stat st;

	(void)state;
	assert_int_equal(symlink("target", link), 0);
	assert_refused(link, "leads nowhere");
	close(open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	f = file_new();
	assert_text(target, 1);
	metrics.hosts = 7;
	metrics_file_update(f, &metrics);
	assert_text(target, 7);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	metrics_file_free(f);
	free(target);
}

static void
test_what_is_refused(void **state)
{
	char *missing = path_join(dir, "missing/run.prom");
	char *below = path_join(dir, "fifo/run.prom");
	char *fifo = path_join(dir, "fifo");
	int fd, saved = dup(STDOUT_FILENO);
	struct metrics_file *f;
	struct error err = {""};

	(void)state;
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_refused(fifo, "not a regular file");
	assert_refused(dir, "not a regular file");
	assert_refused("/dev/null", "not a regular file");
	assert_refused(missing, "No such file or directory");
	assert_refused(below, "Not a directory");
	assert_refused("", "No such file or directory");
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	f = metrics_file_new(&metrics, &err);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	assert_null(f);
	assert_non_null(strstr(err.text, "other output goes there"));
	close(fd);
	metrics_file_free(file_new()); /* nothing else was wrong with it */
	free(missing);
	free(below);
	free(fifo);
	assert_int_equal(dir_empty(), 2);
}

static off_t
length_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? st.st_size : -1;
}

static void
test_a_failure_is_told_once_and_at_the_end(void **state)
{
	struct metrics_file *f = file_new();
	int saved = dup(STDERR_FILENO), log = fd_temporary(NULL, NULL), i, rc;
	off_t once, often, end;

	(void)state;
	dir_empty();
	assert_int_equal(rmdir(dir), 0);
	dup2(log, STDERR_FILENO);
	metrics_file_update(f, &metrics);
	once = length_of(log);
	for (i = 0; i < 100; i++)
		metrics_file_update(f, &metrics);
	often = length_of(log);
	rc = metrics_file_end(f, &metrics);
	end = length_of(log);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(log);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_true(once > 0);
	assert_int_equal(often, once);
	assert_int_equal(rc, -1);
	assert_true(end > often);
	/* It is tried again, so a directory that comes back has it. */
	metrics_file_update(f, &metrics);
	assert_text(path, 1);
	assert_int_equal(metrics_file_end(f, &metrics), 0);
	metrics_file_free(f);
}

/* As on a full disk: a part can be written, then no more. */
static void
test_what_can_not_be_written_whole_changes_nothing(void **state)
{
	struct metrics_file *f = file_new();
	struct rlimit old, limit;
	int rc;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = 1000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	metrics.hosts = 2;
	rc = metrics_file_end(f, &metrics);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(rc, -1);
	assert_text(path, 1);
	metrics_file_free(f);
	assert_int_equal(dir_empty(), 1);
}

static void
test_it_is_due_ten_seconds_after_each_time(void **state)
{
	struct metrics_file *f = file_new();
	uint64_t before, due;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		before = clock_now_ms();
		metrics_file_update(f, &metrics);
		due = metrics_file_due_ms(f);
		assert_in_range(due, before + 10000, clock_now_ms() + 10000);
	}
	assert_true(metrics_file_due_ms(NULL) == UINT64_MAX);
	metrics_file_free(f);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_a_reader_has_the_old_text_or_the_new),
	    TEST(test_its_mode_is_that_of_a_public_file),
	    TEST(test_a_link_is_followed),
	    TEST(test_what_is_refused),
	    TEST(test_a_failure_is_told_once_and_at_the_end),
	    TEST(test_what_can_not_be_written_whole_changes_nothing),
	    TEST(test_it_is_due_ten_seconds_after_each_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
