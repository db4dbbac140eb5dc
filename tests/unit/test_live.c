/* SPDX-License-Identifier: GPL-3.0-or-later */
/* live and escape: what a host's bytes look like to the user. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/color.h"
#include "report/live.h"
#include "util/escape.h"

#define LINE_MAX_BYTES 16

static const struct row {
	const char *comment;
	const char *sent;
	const char *plain; /* to a file or pipe */
	const char *shown; /* to a terminal; NULL: the same */
} rows[] = {
    {"one line", "one\n", "h: one\n", NULL},
    {"two lines at once", "one\ntwo\n", "h: one\nh: two\n", NULL},
    {"a last line without newline gets one", "one\ntwo", "h: one\nh: two\n",
	NULL},
    {"empty lines are lines", "\n\n", "h: \nh: \n", NULL},
    {"nothing is nothing", "", "", NULL},
    {"carriage returns end lines", "10%\r20%\rdone\n",
	"h: 10%\nh: 20%\nh: done\n", NULL},
    {"CRLF is one end, kept as it came", "dos\r\nline\r\n",
	"h: dos\r\nh: line\r\n", "h: dos\nh: line\n"},
    {"a final carriage return ends the line", "50%\r", "h: 50%\n", NULL},
    {"CR CR LF", "a\r\r\n", "h: a\nh: \r\n", "h: a\nh: \n"},
    {"a line of the limit", "0123456789abcdef\n", "h: 0123456789abcdef\n",
	NULL},
    {"a line of the limit before CRLF", "0123456789abcdef\r\n",
	"h: 0123456789abcdef\r\n", "h: 0123456789abcdef\n"},
    {"a line of the limit before a carriage return", "0123456789abcdef\r\rX\n",
	"h: 0123456789abcdef\nh: \nh: X\n", NULL},
    {"a longer line comes in tagged pieces", "0123456789abcdefXYZ\n",
	"h: 0123456789abcdef\nh: XYZ\n", NULL},
    {"no piece ends within a character", "0123456789abcd\342\202\254XYZ\n",
	"h: 0123456789abcd\nh: \342\202\254XYZ\n", NULL},
    {"much longer, without end", "0123456789abcdef0123456789abcdef0",
	"h: 0123456789abcdef\nh: 0123456789abcdef\nh: 0\n", NULL},
    {"escape sequences are shown", "\033[2J\a\n", "h: \033[2J\a\n",
	"h: \\x1b[2J\\x07\n"},
    {"tabs stay", "a\tb\n", "h: a\tb\n", NULL},
    {"DEL and C1 controls", "\177\302\233\n", "h: \177\302\233\n",
	"h: \\x7f\\u{9b}\n"},
    {"bidi overrides", "a\342\200\256b\n", "h: a\342\200\256b\n",
	"h: a\\u{202e}b\n"},
    {"characters without width", "a\342\200\213\342\201\240b\n",
	"h: a\342\200\213\342\201\240b\n", "h: a\\u{200b}\\u{2060}b\n"},
    {"a joiner and a soft hyphen", "a\342\200\215\302\255b\n",
	"h: a\342\200\215\302\255b\n", "h: a\\u{200d}\\u{ad}b\n"},
    {"letters beyond ASCII stay", "\303\244\342\202\254\n",
	"h: \303\244\342\202\254\n", NULL},
    {"invalid UTF-8", "\377\300\200\355\240\200\n",
	"h: \377\300\200\355\240\200\n", "h: \\xff\\xc0\\x80\\xed\\xa0\\x80\n"},
    {"a character cut at the end", "\342\202\n", "h: \342\202\n",
	"h: \\xe2\\x82\n"},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* Send text in pieces of that size; what came out must be expected. */
static void
check(const struct row *row, size_t piece, bool is_tty, const char *expected)
{
	const struct live_options options = {
	    .has_prefix = true, .line_max = LINE_MAX_BYTES};
	const uint8_t *text = (const uint8_t *)row->sent;
	size_t len = strlen(row->sent), at, n;
	struct sink out = {.fd = -1, .is_tty = is_tty};
	struct sink err = {.fd = -1, .is_tty = is_tty};
	struct live *l;

	buf_init(&out.buf, 65536);
	buf_init(&err.buf, 65536);
	/* Two hosts, or pieces of a line would not be lines. */
	l = live_new(2, &out, &err, &options);
	for (at = 0; at < len; at += n) {
		n = len - at < piece ? len - at : piece;
		live_output(l, 0, "h", 1, text + at, n);
	}
	live_end(l, 0, "h");
	if (buf_len(&out.buf) != strlen(expected) ||
	    (buf_len(&out.buf) > 0 &&
		memcmp(buf_head(&out.buf), expected, strlen(expected)) != 0))
		fail_msg("%s, in pieces of %zu: got \"%.*s\"", row->comment,
		    piece, (int)buf_len(&out.buf), (char *)out.buf.data);
	assert_int_equal(buf_len(&err.buf), 0);
	live_free(l);
	buf_clear(&out.buf);
	buf_clear(&err.buf);
}

static void
test_rows_in_pieces_of_every_size(void **state)
{
	size_t i, piece;

	(void)state;
	for (i = 0; i < ROWS; i++) {
		for (piece = 1; piece <= strlen(rows[i].sent) + 1; piece++) {
			check(&rows[i], piece, false, rows[i].plain);
			check(&rows[i], piece, true,
			    rows[i].shown != NULL ? rows[i].shown
						  : rows[i].plain);
		}
	}
}

static void
test_two_hosts_and_streams_never_share_a_line(void **state)
{
	const struct live_options options = {
	    .has_prefix = true, .line_max = 64};
	struct sink out = {.fd = -1}, err = {.fd = -1};
	struct live *l;

	(void)state;
	buf_init(&out.buf, 65536);
	buf_init(&err.buf, 65536);
	l = live_new(2, &out, &err, &options);
	live_output(l, 0, "a", 1, (const uint8_t *)"one ", 4);
	live_output(l, 1, "b", 1, (const uint8_t *)"other\n", 6);
	live_output(l, 0, "a", 2, (const uint8_t *)"wrong\n", 6);
	live_output(l, 0, "a", 1, (const uint8_t *)"line\n", 5);
	live_end(l, 0, "a");
	live_end(l, 1, "b");
	assert_int_equal(buf_len(&out.buf), 9 + 12);
	assert_memory_equal(
	    buf_head(&out.buf), "b: other\na: one line\n", 9 + 12);
	assert_memory_equal(buf_head(&err.buf), "a: wrong\n", 9);
	live_free(l);
	buf_clear(&out.buf);
	buf_clear(&err.buf);
}

static void
test_one_host_alone_has_lines_of_any_length(void **state)
{
	const struct live_options options = {
	    .has_prefix = true, .line_max = LINE_MAX_BYTES};
	static const char text[] = "0123456789abcdef0123456789abcdef01\nx\n";
	struct sink out = {.fd = -1}, err = {.fd = -1};
	struct live *l;
	size_t piece, at;

	(void)state;
	for (piece = 1; piece < sizeof(text) - 1; piece++) {
		buf_init(&out.buf, 65536);
		l = live_new(1, &out, &err, &options);
		for (at = 0; at < sizeof(text) - 1; at += piece)
			live_output(l, 0, "h", 1, (const uint8_t *)text + at,
			    sizeof(text) - 1 - at < piece
				? sizeof(text) - 1 - at
				: piece);
		live_end(l, 0, "h");
		assert_int_equal(buf_len(&out.buf), 3 + 35 + 3 + 2);
		assert_memory_equal(buf_head(&out.buf),
		    "h: 0123456789abcdef0123456789abcdef01\nh: x\n", 43);
		live_free(l);
		buf_clear(&out.buf);
	}
}

/* There a message may come while it pauses, and must be on a line of its own.*/
static void
test_on_a_terminal_its_long_lines_come_in_lines(void **state)
{
	const struct live_options options = {
	    .has_prefix = true, .line_max = LINE_MAX_BYTES};
	static const char text[] = "0123456789abcdef0123456789abcdef01\nx\n";
	struct sink out = {.fd = -1, .is_tty = true}, err = {.fd = -1};
	struct live *l = live_new(1, &out, &err, &options);
	size_t at;

	(void)state;
	buf_init(&out.buf, 65536);
	for (at = 0; at < sizeof(text) - 1; at++) {
		live_output(l, 0, "h", 1, (const uint8_t *)text + at, 1);
		if (buf_len(&out.buf) > 0)
			assert_int_equal(out.buf.data[out.buf.tail - 1], '\n');
	}
	live_end(l, 0, "h");
	buf_append(&out.buf, "", 1);
	assert_string_equal((const char *)buf_head(&out.buf),
	    "h: 0123456789abcdef\nh: 0123456789abcdef\nh: 01\nh: x\n");
	live_free(l);
	buf_clear(&out.buf);
}

static void
test_neighbours_have_tags_of_different_colours(void **state)
{
	size_t i, k;

	(void)state;
	for (i = 0; i < 100; i++) {
		for (k = 1; k <= 4; k++)
			assert_string_not_equal(
			    color_of_host(i), color_of_host(i + k));
		assert_string_not_equal(color_of_host(i), COLOR_FAILED);
	}
}

/* Whatever comes in, only printable bytes, tabs and UTF-8 come out. */
static void
test_random_bytes_never_reach_a_terminal(void **state)
{
	uint8_t bytes[32];
	struct buf out;
	unsigned round;
	size_t i;

	(void)state;
	srand(1);
	for (round = 0; round < 10000; round++) {
		for (i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)rand();
		buf_init(&out, 65536);
		escape_append(&out, bytes, sizeof(bytes));
		for (i = 0; i < buf_len(&out); i++) {
			uint8_t c = buf_head(&out)[i];

			assert_true(c == '\t' || (c >= 0x20 && c != 0x7f));
			/* No C1 control, as UTF-8. */
			if (c == 0xc2 && i + 1 < buf_len(&out))
				assert_true(buf_head(&out)[i + 1] >= 0xa0);
		}
		buf_clear(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows_in_pieces_of_every_size),
	    cmocka_unit_test(test_two_hosts_and_streams_never_share_a_line),
	    cmocka_unit_test(test_one_host_alone_has_lines_of_any_length),
	    cmocka_unit_test(test_on_a_terminal_its_long_lines_come_in_lines),
	    cmocka_unit_test(test_neighbours_have_tags_of_different_colours),
	    cmocka_unit_test(test_random_bytes_never_reach_a_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
