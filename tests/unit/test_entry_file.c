/* SPDX-License-Identifier: GPL-3.0-or-later */
/* entry_file: what was written is read, in memory, on disk, while it grows. */
#include "config.h"

#include <errno.h>
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
#include <unistd.h>

#include <cmocka.h>

#include "util/fdio.h"
#include "util/xalloc.h"
#include "wire/entry_file.h"

#define ENTRIES 20000u

/* The names of entry i; some are longer than others. */
static void
entry_names(uint32_t i, char path[static 512], char link[static 32])
{
	snprintf(path, 512, "path/%u/%.*s", i, (int)(i % 400),
	    "\n\xff ......................................................"
	    "........................................................"
	    "........................................................"
	    "........................................................");
	snprintf(link, 32, i % 3 == 0 ? "%u" : "", i);
}

static void
append(struct entry_file *f, uint32_t i)
{
	struct error err = {""};
	uint8_t sha256[32];
	char path[512], link[32];
	struct msg_entry e = {.type = i % 4,
	    .mode = i & 07777,
	    .size = (uint64_t)i << 33,
	    .mtime_s = (uint64_t) - (int64_t)i,
	    .mtime_ns = i,
	    .ino = i,
	    .path = path,
	    .link = link};

	entry_names(i, path, link);
	memset(sha256, (int)(i & 0xff), sizeof(sha256));
	if (i % 2 == 0)
		e.sha256 = (struct bytes){sha256, sizeof(sha256)};
	if (entry_file_append(f, &e, &err) == -1)
		fail_msg("%u: %s", i, err.text);
}

/* The next entry of c is entry i. */
static void
expect(struct entry_cursor *c, uint32_t i)
{
	struct error err = {""};
	struct msg_entry e;
	char path[512], link[32];

	if (entry_next(c, &e, &err) != 1)
		fail_msg("%u: \"%s\"", i, err.text);
	entry_names(i, path, link);
	assert_string_equal(e.path, path);
	assert_string_equal(e.link, link);
	assert_string_equal(e.source, "");
	assert_int_equal(e.type, i % 4);
	assert_int_equal(e.mode, i & 07777);
	assert_int_equal(e.size, (uint64_t)i << 33);
	assert_int_equal((int64_t)e.mtime_s, -(int64_t)i);
	assert_int_equal(e.ino, i);
	assert_int_equal(e.sha256.len, i % 2 == 0 ? 32 : 0);
	if (i % 2 == 0)
		assert_int_equal(e.sha256.data[31], i & 0xff);
}

static void
expect_end(struct entry_cursor *c)
{
	struct error err = {""};
	struct msg_entry e;

	assert_int_equal(entry_next(c, &e, &err), 0);
	assert_string_equal(err.text, "");
}

static void
expect_error(struct entry_cursor *c, const char *part)
{
	struct error err = {""};
	struct msg_entry e;

	assert_int_equal(entry_next(c, &e, &err), -1);
	if (strstr(err.text, part) == NULL)
		fail_msg("\"%s\", not \"%s\"", err.text, part);
}

static void
test_a_short_list_makes_no_file(void **state)
{
	struct entry_cursor c;
	struct entry_file f;
	uint32_t i;

	(void)state;
	entry_file_init(&f, 1 << 20);
	for (i = 0; i < 100; i++)
		append(&f, i);
	assert_int_equal(f.fd, -1);
	entry_cursor_init(&c, &f);
	for (i = 0; i < 100; i++)
		expect(&c, i);
	expect_end(&c);
	entry_cursor_clear(&c);
	entry_file_clear(&f);
}

static void
test_what_is_appended_after_the_end_is_read(void **state)
{
	struct entry_cursor c;
	struct entry_file f;
	uint32_t i;

	(void)state;
	entry_file_init(&f, 4096);
	entry_cursor_init(&c, &f);
	expect_end(&c);
	for (i = 0; i < 1000; i++) {
		append(&f, i);
		expect(&c, i);
		expect_end(&c);
		expect_end(&c);
	}
	assert_int_not_equal(f.fd, -1);
	entry_cursor_clear(&c);
	entry_file_clear(&f);
}

/* One cursor is close behind the writer, one begins late and catches up. */
static void
check_two_cursors(size_t spill_bytes)
{
	struct entry_cursor near, far;
	struct entry_file f;
	uint32_t i, late = 0;

	entry_file_init(&f, spill_bytes);
	entry_cursor_init(&near, &f);
	entry_cursor_init(&far, &f);
	for (i = 0; i < ENTRIES; i++) {
		append(&f, i);
		if (i >= 7)
			expect(&near, i - 7);
		if (i % 3 == 0)
			expect(&far, late++);
	}
	assert_int_not_equal(f.fd, -1);
	assert_in_range(buf_len(&f.tail), 0, 65536);
	for (i = ENTRIES - 7; i < ENTRIES; i++)
		expect(&near, i);
	while (late < ENTRIES)
		expect(&far, late++);
	expect_end(&near);
	expect_end(&far);
	assert_in_range(near.in.size, 1, 65536);
	entry_cursor_clear(&near);
	entry_cursor_clear(&far);
	entry_file_clear(&f);
}

static void
test_a_long_list_goes_to_disk(void **state)
{
	(void)state;
	check_two_cursors(0);
	check_two_cursors(100000);
}

static void
test_a_reader_sees_the_file_and_cannot_change_it(void **state)
{
	struct error err = {""};
	struct entry_cursor a, b;
	struct entry_file f;
	uint64_t length;
	uint32_t i;
	int fd;

	(void)state;
	entry_file_init(&f, 0);
	fd = entry_file_reader(&f, &err);
	assert_int_not_equal(fd, -1);
	for (i = 0; i < 500; i++)
		append(&f, i);
	assert_int_equal(entry_file_flush(&f, &err), 0);
	length = entry_file_length(&f);
	assert_int_equal(lseek(fd, 0, SEEK_END), length);
	entry_file_clear(&f);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(errno, EBADF);
	entry_cursor_init_fd(&a, fd, length);
	entry_cursor_init_fd(&b, fd, length);
	for (i = 0; i < 500; i++) {
		expect(&a, i);
		expect(&b, i);
	}
	expect_end(&a);
	expect_end(&b);
	entry_cursor_clear(&a);
	entry_cursor_clear(&b);
	close(fd);
}

static void
test_an_empty_list_has_a_file_if_asked_for(void **state)
{
	struct error err = {""};
	struct entry_cursor c;
	struct entry_file f;

	(void)state;
	entry_file_init(&f, 1000);
	assert_int_equal(entry_file_flush(&f, &err), 0);
	assert_int_not_equal(f.fd, -1);
	assert_int_equal(entry_file_length(&f), 0);
	entry_cursor_init_fd(&c, f.fd, 0);
	expect_end(&c);
	entry_cursor_clear(&c);
	entry_file_clear(&f);
}

static void
test_a_large_entry_fits_and_a_too_large_one_is_refused(void **state)
{
	char *path = xcalloc(FRAME_MAX + 1, 1);
	struct msg_entry e = {.path = path}, got;
	struct error err = {""};
	struct entry_cursor c;
	struct entry_file f;

	(void)state;
	memset(path, 'x', FRAME_MAX - 1000);
	entry_file_init(&f, 10);
	append(&f, 1);
	assert_int_equal(entry_file_append(&f, &e, &err), 0);
	append(&f, 2);
	entry_cursor_init(&c, &f);
	expect(&c, 1);
	assert_int_equal(entry_next(&c, &got, &err), 1);
	assert_string_equal(got.path, path);
	expect(&c, 2);
	memset(path, 'x', FRAME_MAX);
	assert_int_equal(entry_file_append(&f, &e, &err), -1);
	expect_end(&c);
	entry_cursor_clear(&c);
	entry_file_clear(&f);
	free(path);
}

/* A cursor over the bytes of b, which is used up, said to be length, gives so
 * many entries. */
static void
check_bytes(struct buf *b, uint64_t length, uint32_t entries, const char *error)
{
	struct error err = {""};
	struct entry_cursor c;
	int fd = fd_temporary(NULL, &err);
	uint32_t i;

	assert_int_not_equal(fd, -1);
	assert_int_equal(fd_flush(fd, b), 0);
	entry_cursor_init_fd(&c, fd, length);
	for (i = 0; i < entries; i++)
		expect(&c, i);
	if (error != NULL)
		expect_error(&c, error);
	else
		expect_end(&c);
	entry_cursor_clear(&c);
	close(fd);
	buf_clear(b);
}

static void
list_bytes(struct buf *b)
{
	struct entry_file f;

	entry_file_init(&f, 1 << 20);
	append(&f, 0);
	append(&f, 1);
	buf_init(b, 1 << 20);
	buf_append(b, buf_head(&f.tail), buf_len(&f.tail));
	entry_file_clear(&f);
}

static void
test_a_file_that_is_no_list(void **state)
{
	const struct msg_credit credit = {1};
	const struct msg_entry odd = {.type = ENTRY_DIR_END + 1};
	const struct msg_entry hash = {.sha256 = {(const uint8_t *)"x", 1}};
	struct buf b;

	(void)state;
	list_bytes(&b);
	check_bytes(&b, buf_len(&b), 2, NULL);
	list_bytes(&b);
	check_bytes(&b, buf_len(&b) - 1, 1, "cut short");
	list_bytes(&b);
	check_bytes(&b, buf_len(&b) + 1, 2, "cut short");
	list_bytes(&b);
	buf_append(&b, "xxxxxxxxxxxx", 12);
	check_bytes(&b, buf_len(&b), 2, "malformed");
	list_bytes(&b);
	frame_write(&b, FRAME_CREDIT, FRAME_NO_JOB, &credit);
	check_bytes(&b, buf_len(&b), 2, "malformed");
	list_bytes(&b);
	frame_write(&b, FRAME_ENTRY, FRAME_NO_JOB, &odd);
	check_bytes(&b, buf_len(&b), 2, "malformed");
	list_bytes(&b);
	frame_write(&b, FRAME_ENTRY, FRAME_NO_JOB, &hash);
	check_bytes(&b, buf_len(&b), 2, "malformed");
}

static void
test_a_disk_that_is_full_is_an_error(void **state)
{
	struct rlimit saved, limit;
	struct msg_entry e = {.path = "p"};
	struct error err = {""};
	struct entry_file f;
	uint32_t i;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &saved), 0);
	limit = saved;
	limit.rlim_cur = 100000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	entry_file_init(&f, 0);
	for (i = 0; i < ENTRIES; i++) {
		if (entry_file_append(&f, &e, &err) == -1)
			break;
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &saved), 0);
	assert_in_range(i, 1, ENTRIES - 1);
	if (strstr(err.text, strerror(EFBIG)) == NULL)
		fail_msg("\"%s\"", err.text);
	assert_int_equal(f.disk_bytes, 100000);
	entry_file_clear(&f);
}

static void
test_tmpdir_is_where_the_file_goes(void **state)
{
	struct error err = {""};
	int read_only = 0;
	int fd;

	(void)state;
	setenv("TMPDIR", "/nonexistent", 1);
	assert_int_equal(fd_temporary(&read_only, &err), -1);
	assert_int_equal(read_only, -1);
	if (strstr(err.text, "/nonexistent/") == NULL)
		fail_msg("\"%s\"", err.text);
	setenv("TMPDIR", "not/absolute", 1);
	fd = fd_temporary(&read_only, &err);
	assert_int_not_equal(fd, -1);
	assert_int_equal(fcntl(read_only, F_GETFL) & O_ACCMODE, O_RDONLY);
	close(fd);
	close(read_only);
	unsetenv("TMPDIR");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_short_list_makes_no_file),
	    cmocka_unit_test(test_what_is_appended_after_the_end_is_read),
	    cmocka_unit_test(test_a_long_list_goes_to_disk),
	    cmocka_unit_test(test_a_reader_sees_the_file_and_cannot_change_it),
	    cmocka_unit_test(test_an_empty_list_has_a_file_if_asked_for),
	    cmocka_unit_test(
		test_a_large_entry_fits_and_a_too_large_one_is_refused),
	    cmocka_unit_test(test_a_file_that_is_no_list),
	    cmocka_unit_test(test_a_disk_that_is_full_is_an_error),
	    cmocka_unit_test(test_tmpdir_is_where_the_file_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
