/* SPDX-License-Identifier: GPL-3.0-or-later */
/* turns, lines: what is kept, on its way to be shown. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/lines.h"
#include "report/turns.h"
#include "util/xalloc.h"

/* --- turns --------------------------------------------------------------- */

static struct record
record_of(uint32_t seq)
{
	static const char *const names[] = {"a", "b", "c"};
	struct record r = {.seq = seq,
	    .host = names[seq],
	    .groups = "",
	    .address = "1.2.3.4",
	    .signal = "",
	    .message = names[seq],
	    .sha256 = ""};

	return r;
}

static void
end(struct turns *t, uint32_t seq)
{
	struct record r = record_of(seq);
	struct outputs none = {{NULL, NULL}, {0, 0}};
	char message[2] = {r.message[0], '\0'};

	/* The caller's string does not last. */
	r.message = message;
	turns_end(t, &r, &none);
	message[0] = '?';
}

/* The host whose turn it is, as "a"; "" if nobody's. */
static void
check_next(struct turns *t, const char *host)
{
	struct ended *e;

	assert_true(turns_has_more(t) == (host[0] != '\0'));
	e = turns_next(t);
	if (e == NULL) {
		assert_string_equal(host, "");
		return;
	}
	assert_string_equal(e->record.host, host);
	assert_string_equal(e->record.message, host);
	ended_free(NULL, e);
}

static void
hold(struct turns *t, size_t host, int stream, const char *text)
{
	assert_false(turns_is_now(t, host));
	turns_hold(t, host, record_of((uint32_t)host).host, stream,
	    (const uint8_t *)text, strlen(text));
}

/* What is held next: "b1:text"; at most size bytes are taken. */
static void
check_held(struct turns *t, size_t size, const char *expected)
{
	uint8_t data[16];
	const char *name;
	char text[32];
	size_t host, n;
	int stream;

	assert_true(turns_has_more(t));
	n = turns_held(t, &host, &name, &stream, data, size);
	snprintf(text, sizeof(text), "%s%d:%.*s", name, stream, (int)n,
	    (const char *)data);
	assert_string_equal(text, expected);
}

static void
test_without_order_turns_are_that_of_ends(void **state)
{
	struct store *s = store_new(1000);
	struct turns *t = turns_new(3, false, s, NULL);

	(void)state;
	assert_true(turns_is_now(t, 2));
	check_next(t, "");
	end(t, 2);
	end(t, 0);
	check_next(t, "c");
	check_next(t, "a");
	check_next(t, "");
	end(t, 1);
	turns_free(t);
	store_free(s);
}

static void
test_with_order_output_waits_for_all_hosts_before(void **state)
{
	struct store *s = store_new(0);
	struct turns *t = turns_new(3, true, s, NULL);
	uint8_t data[16];
	const char *name;
	size_t host;
	int stream;

	(void)state;
	assert_true(turns_is_now(t, 0));
	hold(t, 1, 1, "one");
	hold(t, 1, 2, "two");
	hold(t, 1, 1, "three");
	hold(t, 2, 1, "last");
	end(t, 1);
	assert_false(turns_has_more(t));
	assert_int_equal(
	    turns_held(t, &host, &name, &stream, data, sizeof(data)), 0);
	check_next(t, "");
	end(t, 0);
	check_next(t, "a");
	/* Held before it is over, and in its order. */
	check_held(t, 16, "b1:one");
	check_held(t, 1, "b2:t");
	check_held(t, 16, "b2:wo");
	check_held(t, 4, "b1:thre");
	assert_null(turns_next(t));
	check_held(t, 16, "b1:e");
	check_next(t, "b");
	/* Its turn, but what is held comes first. */
	hold(t, 2, 1, "!");
	check_held(t, 16, "c1:last");
	check_held(t, 16, "c1:!");
	assert_true(turns_is_now(t, 2));
	assert_false(turns_has_more(t));
	end(t, 2);
	check_next(t, "c");
	assert_false(turns_has_more(t));
	turns_free(t);
	store_free(s);
}

static void
test_what_is_held_of_a_host_that_is_over_has_no_room_to_grow(void **state)
{
	struct store *s = store_new(1000);
	struct turns *t = turns_new(3, true, s, NULL);
	size_t running;

	(void)state;
	hold(t, 1, 1, "one");
	running = store_memory(s);
	end(t, 1);
	assert_in_range(store_memory(s), 3, running - 1);
	end(t, 0);
	check_next(t, "a");
	check_held(t, 16, "b1:one");
	check_next(t, "b");
	turns_free(t);
	store_free(s);
}

/* --- lines --------------------------------------------------------------- */

/* All lines of a text, each in <>, "+" where a line is in pieces. */
static char *
lines_of(const char *text, size_t len)
{
	struct store *s = store_new(0);
	struct contents *set = contents_new(s);
	struct capture *c = capture_new(1, UINT64_MAX, s, set);
	struct outputs o;
	struct lines lines;
	struct line line;
	struct buf b;
	char *all;

	capture_add(c, 0, 1, (const uint8_t *)text, len);
	o = capture_end(c, 0);
	buf_init(&b, 10u << 20);
	lines_init(&lines, set, o.contents[0]);
	while (lines_next(&lines, &line)) {
		buf_puts(&b, line.is_first ? "<" : "+");
		buf_append(&b, line.data, line.len);
		buf_puts(&b, line.is_last ? ">" : "");
	}
	lines_clear(&lines);
	buf_append(&b, "", 1);
	all = xstrdup((const char *)buf_head(&b));
	buf_clear(&b);
	outputs_drop(set, &o);
	capture_free(c);
	contents_free(set);
	store_free(s);
	return all;
}

static void
test_lines_are_found(void **state)
{
	static const struct {
		const char *text, *lines;
	} rows[] = {
	    {"", ""},
	    {"\n", "<>"},
	    {"one", "<one>"},
	    {"one\n", "<one>"},
	    {"one\n\ntwo", "<one><><two>"},
	    {"one\r\n", "<one\r>"},
	};
	char *lines;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		lines = lines_of(rows[i].text, strlen(rows[i].text));
		assert_string_equal(lines, rows[i].lines);
		free(lines);
	}
}

static void
test_lines_beyond_a_piece_come_in_pieces(void **state)
{
	char *text = xmalloc(2 * LINES_PIECE + 10), *lines;
	size_t tail;

	(void)state;
	memset(text, 'x', 2 * LINES_PIECE);
	for (tail = 0; tail < 2; tail++) {
		text[LINES_PIECE + tail] = '\n';
		strcpy(text + LINES_PIECE + tail + 1, "end");
		lines = lines_of(text, LINES_PIECE + tail + 4);
		assert_int_equal(
		    strlen(lines), 1 + LINES_PIECE + 1 + tail + 1 + 5);
		assert_string_equal(lines + 1 + LINES_PIECE,
		    tail == 0 ? "+><end>" : "+x><end>");
		free(lines);
		text[LINES_PIECE + tail] = 'x';
	}
	lines = lines_of(text, LINES_PIECE);
	assert_int_equal(strlen(lines), LINES_PIECE + 2);
	free(lines);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_without_order_turns_are_that_of_ends),
	    cmocka_unit_test(test_with_order_output_waits_for_all_hosts_before),
	    cmocka_unit_test(
		test_what_is_held_of_a_host_that_is_over_has_no_room_to_grow),
	    cmocka_unit_test(test_lines_are_found),
	    cmocka_unit_test(test_lines_beyond_a_piece_come_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
