/* SPDX-License-Identifier: GPL-3.0-or-later */
/* secret: memory that is locked, wiped when freed, and not inherited. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/sanitizer.h"
#include "util/secret.h"

#define BLOCKS	  5000
#define LARGE	  ((size_t)1 << 20)
#define FULL_SIZE 50000
#define FULL	  1100 /* of that size fill it */

static uint8_t
pattern(size_t i, size_t at)
{
	return (uint8_t)(i * 7 + at);
}

static void
fill(uint8_t *p, size_t i, size_t size)
{
	size_t at;

	for (at = 0; at < size; at++)
		p[at] = pattern(i, at);
}

static void
check(const uint8_t *p, size_t i, size_t size)
{
	size_t at;

	for (at = 0; at < size; at++)
		assert_int_equal(p[at], pattern(i, at));
}

static void
test_blocks_keep_what_is_written(void **state)
{
	static uint8_t *block[BLOCKS];
	size_t i;

	(void)state;
	for (i = 0; i < BLOCKS; i++) {
		block[i] = secret_alloc(i);
		assert_int_equal(
		    (uintptr_t)block[i] % _Alignof(max_align_t), 0);
		fill(block[i], i, i);
	}
	for (i = 0; i < BLOCKS; i += 2) {
		check(block[i], i, i);
		secret_release(block[i]);
		block[i] = secret_alloc(BLOCKS - i);
		fill(block[i], i, BLOCKS - i);
	}
	for (i = 0; i < BLOCKS; i++) {
		check(block[i], i, i % 2 == 0 ? BLOCKS - i : i);
		secret_release(block[i]);
	}
}

static void
test_a_block_that_grows_keeps_its_bytes(void **state)
{
	uint8_t *p = secret_realloc(NULL, 1);
	size_t size, had = 1;

	(void)state;
	fill(p, 3, had);
	for (size = 1; size <= LARGE; size *= 3) {
		p = secret_realloc(p, size);
		check(p, 3, had);
		fill(p, 3, size);
		had = size;
	}
	p = secret_realloc(p, 10);
	check(p, 3, 10);
	secret_release(p);
}

static void
test_a_full_region_is_no_failure(void **state)
{
	static uint8_t *block[FULL];
	bool is_all;
	size_t i;

	(void)state;
	for (i = 0; i < FULL; i++) {
		block[i] = secret_alloc(FULL_SIZE);
		fill(block[i], i, FULL_SIZE);
	}
	secret_locked_bytes(&is_all);
	assert_false(is_all);
	for (i = 0; i < FULL; i++) {
		check(block[i], i, FULL_SIZE);
		secret_release(block[i]);
	}
}

static void
test_what_is_freed_is_wiped(void **state)
{
	char *old, *new;

	(void)state;
	if (HAS_SANITIZER)
		skip(); /* it is ordinary memory */
	old = secret_strdup("the secret");
	assert_string_equal(old, "the secret");
	secret_free(old);
	/* The next one of that size is the same. */
	new = secret_alloc(11);
	assert_ptr_equal(new, old);
	assert_memory_equal(new, "\0\0\0\0\0\0\0\0\0\0", 11);
	secret_release(new);
	secret_free(NULL);
	secret_free(strdup("ordinary memory"));
}

static void
test_a_child_has_nothing_of_it(void **state)
{
	int status;
	char *text;
	pid_t pid;

	(void)state;
	if (HAS_SANITIZER)
		skip();
	text = secret_strdup("the secret");
	pid = fork();
	if (pid == 0)
		_exit(text[0] == '\0' && text[9] == '\0' ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_string_equal(text, "the secret");
	secret_free(text);
}

static int
setup(void **state)
{
	(void)state;
	secret_init();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_blocks_keep_what_is_written),
	    cmocka_unit_test(test_a_block_that_grows_keeps_its_bytes),
	    cmocka_unit_test(test_a_full_region_is_no_failure),
	    cmocka_unit_test(test_what_is_freed_is_wiped),
	    cmocka_unit_test(test_a_child_has_nothing_of_it),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
