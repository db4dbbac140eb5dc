/* SPDX-License-Identifier: GPL-3.0-or-later */
/* diff: unified diffs. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/diff.h"
#include "util/xalloc.h"

/* Each word of text is a line. */
static void
text_of(struct diff_text *t, const char *text)
{
	size_t len;

	diff_text_init(t);
	for (; *text != '\0'; text += len + (text[len] == ' ')) {
		len = strcspn(text, " ");
		diff_text_add(
		    t, (const uint8_t *)text, len, (const uint8_t *)text, len);
	}
}

static void
print_line(void *ctx, char sign, const uint8_t *data, size_t len)
{
	struct buf *out = ctx;

	if (sign != '@')
		buf_append(out, &sign, 1);
	buf_append(out, data, len);
	buf_puts(out, "\n");
}

static const struct row {
	const char *comment, *a, *b, *diff;
} rows[] = {
    {"equal texts have none", "a b c", "a b c", ""},
    {"two empty ones, too", "", "", ""},
    {"a line changed", "a b c", "a x c", "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n"},
    {"all new", "", "a b", "@@ -0,0 +1,2 @@\n+a\n+b\n"},
    {"all gone", "a", "", "@@ -1 +0,0 @@\n-a\n"},
    {"a line added at the end", "a b", "a b c",
	"@@ -1,2 +1,3 @@\n a\n b\n+c\n"},
    {"a line gone at the start", "a b", "b", "@@ -1,2 +1 @@\n-a\n b\n"},
    {"nothing in common", "a", "b", "@@ -1 +1 @@\n-a\n+b\n"},
    {"three lines of context", "1 2 3 4 5 6 7 8 9", "1 2 3 4 x 6 7 8 9",
	"@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n"},
    {"changes that are near share a hunk", "1 2 3 4 5 6 7 8", "x 2 3 4 5 6 7 y",
	"@@ -1,8 +1,8 @@\n-1\n+x\n 2\n 3\n 4\n 5\n 6\n 7\n-8\n+y\n"},
    {"others do not", "1 2 3 4 5 6 7 8 9", "x 2 3 4 5 6 7 8 y",
	"@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n 4\n"
	"@@ -6,4 +6,4 @@\n 6\n 7\n 8\n-9\n+y\n"},
};

static void
test_unified_diffs(void **state)
{
	struct diff_text a, b;
	struct buf out;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_init(&out, 65536);
		text_of(&a, rows[i].a);
		text_of(&b, rows[i].b);
		diff_print(&a, &b, print_line, &out);
		buf_append(&out, "", 1);
		if (strcmp((const char *)buf_head(&out), rows[i].diff) != 0)
			fail_msg("%s: got\n%s", rows[i].comment,
			    (const char *)buf_head(&out));
		buf_clear(&out);
		diff_text_clear(&a);
		diff_text_clear(&b);
	}
}

/* The length of the longest common subsequence, the plain way. */
static size_t
lcs(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t table[2][32] = {{0}}, i, k;

	for (i = 1; i <= a_len; i++) {
		for (k = 1; k <= b_len; k++) {
			size_t up = table[(i - 1) & 1][k];
			size_t left = table[i & 1][k - 1];

			table[i & 1][k] = a[i - 1] == b[k - 1]
			    ? table[(i - 1) & 1][k - 1] + 1
			    : up > left ? up
					: left;
		}
	}
	return table[a_len & 1][b_len];
}

static size_t
random_text(struct diff_text *t, char *letters)
{
	size_t len = (size_t)rand() % 30, i;

	diff_text_init(t);
	for (i = 0; i < len; i++) {
		letters[i] = (char)('a' + rand() % 4);
		diff_text_add(
		    t, (uint8_t *)&letters[i], 1, (uint8_t *)&letters[i], 1);
	}
	return len;
}

/* Without what is marked both are the same, and no shorter way is there. */
static void
test_diffs_are_right_and_the_shortest(void **state)
{
	char a[32], b[32], a_rest[32], b_rest[32];
	bool a_marks[32], b_marks[32];
	size_t a_len, b_len, na, nb, i;
	struct diff_text ta, tb;
	unsigned round;

	(void)state;
	srand(7);
	for (round = 0; round < 20000; round++) {
		a_len = random_text(&ta, a);
		b_len = random_text(&tb, b);
		diff_mark(&ta, &tb, a_marks, b_marks);
		for (na = i = 0; i < a_len; i++) {
			if (!a_marks[i])
				a_rest[na++] = a[i];
		}
		for (nb = i = 0; i < b_len; i++) {
			if (!b_marks[i])
				b_rest[nb++] = b[i];
		}
		assert_int_equal(na, nb);
		assert_memory_equal(a_rest, b_rest, na);
		assert_int_equal(na, lcs(a, a_len, b, b_len));
		diff_text_clear(&ta);
		diff_text_clear(&tb);
	}
}

static void
test_lines_are_compared_by_their_keys_and_shown_as_they_are(void **state)
{
	struct diff_text a, b;
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	diff_text_init(&a);
	diff_text_init(&b);
	diff_text_add(
	    &a, (const uint8_t *)"k", 1, (const uint8_t *)"ten o'clock", 11);
	diff_text_add(&a, (const uint8_t *)"x", 1, (const uint8_t *)"X", 1);
	diff_text_add(
	    &b, (const uint8_t *)"k", 1, (const uint8_t *)"eleven", 6);
	diff_text_add(&b, NULL, 0, NULL, 0);
	diff_print(&a, &b, print_line, &out);
	buf_append(&out, "", 1);
	assert_string_equal((const char *)buf_head(&out),
	    "@@ -1,2 +1,2 @@\n ten o'clock\n-X\n+\n");
	buf_clear(&out);
	diff_text_clear(&a);
	diff_text_clear(&b);
}

static void
test_a_text_takes_so_many_lines_and_bytes(void **state)
{
	uint8_t *line = xcalloc(1, DIFF_BYTES_MAX);
	struct diff_text t;
	size_t i;

	(void)state;
	diff_text_init(&t);
	for (i = 0; i < DIFF_LINES_MAX; i++)
		diff_text_add(&t, line, 2, line, 2);
	assert_false(t.is_too_large);
	diff_text_add(&t, line, 2, line, 2);
	assert_true(t.is_too_large);
	diff_text_clear(&t);
	diff_text_add(&t, line, DIFF_BYTES_MAX, line, 1);
	assert_false(t.is_too_large);
	diff_text_add(&t, line, 1, line, 1);
	assert_true(t.is_too_large);
	assert_int_equal(t.count, 1);
	diff_text_clear(&t);
	free(line);
}

/* Texts without a line in common are the most work there is. */
static void
test_the_work_is_bounded(void **state)
{
	struct diff_text a, b;
	bool *marks = xcalloc(2 * DIFF_LINES_MAX, sizeof(*marks));
	uint8_t key[4];
	uint32_t i;

	(void)state;
	diff_text_init(&a);
	diff_text_init(&b);
	for (i = 0; i < DIFF_LINES_MAX; i++) {
		memcpy(key, &i, sizeof(key));
		diff_text_add(&a, key, sizeof(key), key, 1);
		key[3] = 'b';
		diff_text_add(&b, key, sizeof(key), key, 1);
	}
	diff_mark(&a, &b, marks, marks + DIFF_LINES_MAX);
	for (i = 0; i < 2 * DIFF_LINES_MAX; i++)
		assert_true(marks[i]);
	free(marks);
	diff_text_clear(&a);
	diff_text_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_unified_diffs),
	    cmocka_unit_test(test_diffs_are_right_and_the_shortest),
	    cmocka_unit_test(
		test_lines_are_compared_by_their_keys_and_shown_as_they_are),
	    cmocka_unit_test(test_a_text_takes_so_many_lines_and_bytes),
	    cmocka_unit_test(test_the_work_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
