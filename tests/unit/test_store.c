/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store, content, capture: what hosts have sent, kept. */
#include "config.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "report/capture.h"
#include "util/xalloc.h"

#define BIG (3u << 20)

/* The n-th byte of a blob that is told from others by seed. */
static uint8_t
byte_of(unsigned seed, uint64_t n)
{
	return (uint8_t)((n * 2654435761u >> 7) + seed);
}

static void
append(struct store *s, struct blob *b, unsigned seed, size_t len)
{
	uint8_t *data = xmalloc(len);
	size_t i;

	for (i = 0; i < len; i++)
		data[i] = byte_of(seed, b->size + i);
	blob_append(s, b, data, len);
	free(data);
}

static void
check_part(struct store *s, const struct blob *b, unsigned seed,
    uint64_t offset, size_t len)
{
	uint8_t *data = xmalloc(len);
	uint64_t left = offset < b->size ? b->size - offset : 0;
	size_t n = blob_read(s, b, offset, data, len), i;

	assert_int_equal(n, left < len ? left : len);
	for (i = 0; i < n; i++)
		assert_int_equal(data[i], byte_of(seed, offset + i));
	free(data);
}

static void
check_blob(struct store *s, const struct blob *b, unsigned seed)
{
	check_part(s, b, seed, 0, b->size + 10);
	check_part(s, b, seed, 1, 5000);
	check_part(s, b, seed, b->size / 2, b->size);
	check_part(s, b, seed, b->size - 1, 2);
	check_part(s, b, seed, b->size, 1);
}

static void
test_blobs_give_back_what_they_took_in_memory_and_beyond(void **state)
{
	static const size_t limits[] = {0, 1000, 100000, 64u << 20};
	static const size_t pieces[] = {
	    1, 100, STORE_PIECE - 1, STORE_PIECE, STORE_PIECE + 1, 300000};
	struct blob blobs[3];
	struct store *s;
	size_t i, round, k;

	(void)state;
	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		memset(blobs, 0, sizeof(blobs));
		s = store_new(limits[i]);
		/* They grow in turns, so their parts of the file mix. */
		for (round = 0; round < 18; round++) {
			for (k = 0; k < 3; k++)
				append(s, &blobs[k], (unsigned)k,
				    pieces[(round + k) % 6]);
		}
		for (k = 0; k < 3; k++)
			check_blob(s, &blobs[k], (unsigned)k);
		blob_seal(s, &blobs[0]);
		check_blob(s, &blobs[0], 0);
		blob_clear(s, &blobs[1]);
		check_blob(s, &blobs[2], 2);
		blob_clear(s, &blobs[0]);
		blob_clear(s, &blobs[2]);
		assert_int_equal(store_memory(s), 0);
		assert_false(store_is_broken(s));
		store_free(s);
	}
}

static void
test_memory_stays_within_its_limit(void **state)
{
	const size_t limit = 1u << 20, count = 40;
	struct blob blobs[40];
	struct store *s = store_new(limit);
	size_t i, round;

	(void)state;
	memset(blobs, 0, sizeof(blobs));
	for (round = 0; round < 100; round++) {
		for (i = 0; i < count; i++) {
			append(s, &blobs[i], (unsigned)i, 1500);
			assert_true(
			    store_memory(s) <= limit + count * STORE_PIECE);
		}
	}
	for (i = 0; i < count; i++) {
		check_blob(s, &blobs[i], (unsigned)i);
		blob_clear(s, &blobs[i]);
	}
	store_free(s);
}

/* The file that the store has open: the newest without a name. */
static uint64_t
file_room(void)
{
	struct stat st;
	uint64_t room = 0;
	int fd;

	for (fd = 3; fd < 256; fd++) {
		if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		    st.st_nlink == 0)
			room = (uint64_t)st.st_blocks * 512;
	}
	return room;
}

static void
test_what_is_cleared_leaves_its_room_on_the_disk(void **state)
{
	struct store *s = store_new(0);
	struct blob keep = {0}, b = {0};
	unsigned round;

	(void)state;
	append(s, &keep, 1, 100000);
	for (round = 0; round < 5; round++) {
		append(s, &b, 2, BIG);
		assert_true(file_room() >= BIG);
		blob_clear(s, &b);
	}
	assert_true(file_room() < BIG);
	check_blob(s, &keep, 1);
	blob_clear(s, &keep);
	store_free(s);
}

static void
test_a_file_that_takes_no_more_breaks_the_store(void **state)
{
	struct rlimit old, limit;
	struct blob b = {0};
	struct store *s = store_new(0);
	uint8_t byte;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = 100000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	append(s, &b, 1, 50000);
	assert_false(store_is_broken(s));
	append(s, &b, 1, 200000);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_true(store_is_broken(s));
	assert_int_equal(blob_read(s, &b, 0, &byte, 1), 0);
	blob_clear(s, &b);
	store_free(s);
}

/* --- contents ------------------------------------------------------------ */

static void
add(struct capture *c, size_t host, int stream, const char *text)
{
	capture_add(c, host, stream, (const uint8_t *)text, strlen(text));
}

static void
check_content(struct contents *set, const struct content *c, const char *text)
{
	char data[64];
	size_t n = content_read(set, c, 0, data, sizeof(data));

	assert_int_equal(n, strlen(text));
	assert_int_equal(content_size(c), strlen(text));
	assert_memory_equal(data, text, n);
}

static void
test_equal_outputs_are_kept_once(void **state)
{
	struct store *s = store_new(1u << 20);
	struct contents *set = contents_new(s);
	struct capture *c = capture_new(500, UINT64_MAX, s, set);
	struct outputs *ends = xcalloc(500, sizeof(*ends));
	size_t i, memory = 0;

	(void)state;
	for (i = 0; i < 500; i++) {
		add(c, i, 1, "some ");
		add(c, i, 2, i % 2 == 0 ? "even" : "odd");
		add(c, i, 1, "text\n");
		ends[i] = capture_end(c, i);
		if (i == 1)
			memory = store_memory(s);
	}
	assert_int_equal(store_memory(s), memory);
	for (i = 0; i < 500; i++) {
		assert_ptr_equal(ends[i].contents[0], ends[0].contents[0]);
		assert_ptr_equal(ends[i].contents[1], ends[i % 2].contents[1]);
		assert_int_equal(ends[i].sent[0], 10);
	}
	check_content(set, ends[7].contents[0], "some text\n");
	check_content(set, ends[7].contents[1], "odd");
	for (i = 0; i < 500; i++)
		outputs_drop(set, &ends[i]);
	assert_int_equal(store_memory(s), 0);
	free(ends);
	capture_free(c);
	contents_free(set);
	store_free(s);
}

static void
test_many_different_outputs_are_found_again(void **state)
{
	struct store *s = store_new(10000);
	struct contents *set = contents_new(s);
	struct capture *c = capture_new(4000, UINT64_MAX, s, set);
	struct outputs *ends = xcalloc(4000, sizeof(*ends));
	char *text;
	size_t i;

	(void)state;
	for (i = 0; i < 4000; i++) {
		text = xasprintf("output %zu", i % 2000);
		add(c, i, 1, text);
		free(text);
		ends[i] = capture_end(c, i);
	}
	for (i = 0; i < 2000; i++) {
		assert_ptr_equal(
		    ends[i].contents[0], ends[i + 2000].contents[0]);
		outputs_drop(set, &ends[i]);
		text = xasprintf("output %zu", i);
		check_content(set, ends[i + 2000].contents[0], text);
		free(text);
		outputs_drop(set, &ends[i + 2000]);
	}
	free(ends);
	capture_free(c);
	contents_free(set);
	store_free(s);
}

static void
test_capture_keeps_the_first_bytes_and_counts_all(void **state)
{
	struct store *s = store_new(1000);
	struct contents *set = contents_new(s);
	struct capture *c = capture_new(2, 5, s, set);
	struct outputs o;

	(void)state;
	add(c, 0, 1, "abc");
	add(c, 0, 1, "defg");
	add(c, 0, 1, "h");
	o = capture_end(c, 0);
	check_content(set, o.contents[0], "abcde");
	assert_null(o.contents[1]);
	assert_int_equal(o.sent[0], 8);
	assert_int_equal(o.sent[1], 0);
	outputs_drop(set, &o);
	/* A host that is never over is forgotten in the end. */
	add(c, 1, 2, "abc");
	capture_free(c);
	contents_free(set);
	store_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_blobs_give_back_what_they_took_in_memory_and_beyond),
	    cmocka_unit_test(test_memory_stays_within_its_limit),
	    cmocka_unit_test(test_what_is_cleared_leaves_its_room_on_the_disk),
	    cmocka_unit_test(test_a_file_that_takes_no_more_breaks_the_store),
	    cmocka_unit_test(test_equal_outputs_are_kept_once),
	    cmocka_unit_test(test_many_different_outputs_are_found_again),
	    cmocka_unit_test(test_capture_keeps_the_first_bytes_and_counts_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
