/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fdio: files are read whole, or refused. */
#include "config.h"

#include "util/fdio.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/xalloc.h"

#define LARGEST 300000u

/* A file of so many bytes; path leads to it. */
static int
make_file(size_t size, char path[32], uint8_t *bytes)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	size_t i;

	for (i = 0; i < size; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, bytes, size), size);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	return fd;
}

static void
test_whole_files(void **state)
{
	static const size_t sizes[] = {
	    0, 1, 4095, 4096, 4097, 8192, 65535, 65536, 65537, 131072, LARGEST};
	uint8_t *bytes = xmalloc(LARGEST);
	struct error err;
	size_t i, len;
	struct buf b;
	char path[32], *text;
	int fd;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		fd = make_file(sizes[i], path, bytes);
		buf_init(&b, sizes[i] + FD_READ_BYTES);
		assert_int_equal(fd_read_all(fd, &b), 0);
		assert_int_equal(buf_len(&b), sizes[i]);
		if (sizes[i] > 0)
			assert_memory_equal(buf_head(&b), bytes, sizes[i]);
		text = file_read(path, sizes[i], &len, &err);
		assert_non_null(text);
		assert_int_equal(len, sizes[i]);
		assert_memory_equal(text, bytes, len);
		assert_int_equal(text[len], '\0');
		free(text);
		buf_clear(&b);
		close(fd);
	}
	free(bytes);
}

static void
test_too_large(void **state)
{
	static const size_t sizes[] = {1, 4097, 65537, LARGEST};
	uint8_t *bytes = xmalloc(LARGEST);
	struct error err;
	char path[32];
	size_t i, len;
	struct buf b;
	int fd;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		fd = make_file(sizes[i], path, bytes);
		assert_null(file_read(path, sizes[i] - 1, &len, &err));
		assert_non_null(strstr(err.text, "larger than"));
		close(fd);
	}
	fd = make_file(LARGEST, path, bytes);
	buf_init(&b, LARGEST / 2);
	assert_int_equal(fd_read_all(fd, &b), -1);
	assert_int_equal(errno, ENOBUFS);
	buf_clear(&b);
	close(fd);
	free(bytes);
}

static void
test_no_file(void **state)
{
	struct error err;
	struct buf b;
	size_t len;

	(void)state;
	buf_init(&b, FD_READ_BYTES);
	assert_int_equal(fd_read_all(-1, &b), -1);
	assert_int_equal(errno, EBADF);
	assert_null(file_read("/nonexistent/file", 10, &len, &err));
	assert_non_null(strstr(err.text, "/nonexistent/file: No such file"));
	buf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_whole_files),
	    cmocka_unit_test(test_too_large),
	    cmocka_unit_test(test_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
