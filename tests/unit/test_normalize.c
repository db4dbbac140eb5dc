/* SPDX-License-Identifier: GPL-3.0-or-later */
/* normalize: what of a line makes no difference. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/normalize.h"
#include "util/xalloc.h"

/* Whether line becomes expected, where # stands for what is blanked. */
static void
check(struct normalizer *n, const char *line, const char *expected)
{
	const uint8_t *out;
	size_t len, i;
	char *text;

	normalizer_line(n, (const uint8_t *)line, strlen(line), &out, &len);
	text = xmalloc(len + 1);
	for (i = 0; i < len; i++)
		text[i] = out[i] == '\0' ? '#' : (char)out[i];
	text[len] = '\0';
	assert_string_equal(text, expected);
	free(text);
}

static const struct row {
	const char *line, *expected;
} time_rows[] = {
    {"", ""},
    {"nothing to blank", "nothing to blank"},
    {"2026-11-21", "#"},
    {"on 2026/11/21.", "on #."},
    {"21.11.2026 21/11/2026 11/21/2026", "# # #"},
    {"21 Nov 2026", "#"},
    {"Sat, 21 Nov 2026 13:45:38 +0000", "# # +0000"},
    {"Sat Nov 21 13:45:38 UTC 2026", "# # UTC 2026"},
    {"Nov  1 13:45", "# #"},
    {"November 21, 2026", "#"},
    {"Saturday, 1 June", "#"},
    {"[21/Nov/2026:13:45:38 +0000]", "[# +0000]"},
    {"21-Nov-2026", "#"},
    {"2026-11-21T13:45:38Z", "#"},
    {"2026-11-21 13:45:38.123456: begun", "#: begun"},
    {"13:45:38,123 x", "# x"},
    {"01:45 PM", "#"},
    {"up 13:45", "up #"},
    {"a-2026-11-21.log", "a-#.log"},
    /* what only looks like it */
    {"52:54:00:12:34:56", "52:54:00:12:34:56"},
    {"fe80::10:20:30", "fe80::10:20:30"},
    {"12:34::1", "12:34::1"},
    {"2026-13-01", "2026-13-01"},
    {"2026-11-215", "2026-11-215"},
    {"24:00", "24:00"},
    {"6:56", "6:56"},
    {"13:45 FAIL", "# FAIL"},
    {"Marble 12", "Marble 12"},
    {"Maybe 12 of 13", "Maybe 12 of 13"},
    {"1.2.2026.1", "1.2.2026.1"},
    {"10.11.12.13", "10.11.12.13"},
};

static void
test_dates_and_times_are_blanked(void **state)
{
	struct normalizer *n = normalizer_new(NULL, 0, NULL);
	size_t i;

	(void)state;
	normalizer_set_host(n, "web01");
	for (i = 0; i < sizeof(time_rows) / sizeof(time_rows[0]); i++)
		check(n, time_rows[i].line, time_rows[i].expected);
	normalizer_free(n);
}

static const struct {
	const char *host, *line, *expected;
} name_rows[] = {
    {"web01", "I am web01", "I am #"},
    {"web01", "Web01 WEB01, (web01)", "# #, (#)"},
    {"web01", "web01.example.com", "#.example.com"},
    {"web01", "web011 xweb01 web01x", "web011 xweb01 web01x"},
    {"web01", "web01-eth0 my_web01 web01_1", "web01-eth0 my_web01 web01_1"},
    {"web01.example.com", "web01.example.com web01 example", "# # example"},
    {"root@web01:22", "root@web01:22", "root@#:22"},
    {"10.0.0.5", "10.0.0.5 10.0.0.50 10", "# 10.0.0.50 10"},
    {"[fe80::1]:22", "fe80::1", "#"},
    {"a", "a cat", "# cat"},
    {".a", "a .a", "a #"},
};

static void
test_the_hosts_own_name_is_blanked(void **state)
{
	struct normalizer *n = normalizer_new(NULL, 0, NULL);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(name_rows) / sizeof(name_rows[0]); i++) {
		normalizer_set_host(n, name_rows[i].host);
		check(n, name_rows[i].line, name_rows[i].expected);
	}
	normalizer_free(n);
}

static void
test_patterns_are_added_to_that(void **state)
{
	static const char *const patterns[] = {
	    "pid [0-9]+ at [0-9:]+", "^x+", "[aeiou]*z"};
	struct normalizer *n = normalizer_new(patterns, 3, NULL);

	(void)state;
	normalizer_set_host(n, "web01");
	check(n, "pid 17 at 13:45, 13:46, web01", "#, #, #");
	check(n, "xx xx", "# xx");
	/* Matches of nothing blank nothing. */
	check(n, "aez e z", "# e #");
	normalizer_free(n);
}

static void
test_an_empty_pattern_takes_the_defaults_away(void **state)
{
	static const char *const patterns[] = {"b+", ""};
	struct normalizer *n = normalizer_new(patterns, 2, NULL);

	(void)state;
	normalizer_set_host(n, "web01");
	check(n, "web01 13:45 bbb", "we#01 13:45 #");
	normalizer_free(n);
}

static void
test_a_pattern_that_is_none_is_refused(void **state)
{
	static const char *const patterns[] = {"ok", "a(b"};
	struct error err;

	(void)state;
	assert_null(normalizer_new(patterns, 2, &err));
	assert_non_null(strstr(err.text, "\"a(b\": "));
}

static void
test_a_pattern_that_takes_all_memory_is_refused(void **state)
{
	static const struct {
		const char *pattern;
		bool is_taken;
	} rows[] = {{"[0-9]+(\\.[0-9]+){3} +[[:alpha:]]{1,20}", true},
	    {"(a{100}){18}", true}, {"(a{100}){100}", false},
	    {"(x?){80}", true}, {"(x?){600}", false}, {"(x|){600}", false},
	    {"x{0,90}", true}, {"x{0,600}", false}, {"x{600}", true},
	    {"o?+++++++++", false}, {"(((a{9}){9,}){9,9}){,99}", false},
	    {"a+++++", true}, {"a++++++++++++++++++++++++++++++++", false},
	    {"((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+", false},
	    {"[]+{9999}][^]+]\\+\\{9999}[[.+.][:digit:]]", true},
	    {"a*?*?", true}};
	struct normalizer *n;
	struct error err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		n = normalizer_new(&rows[i].pattern, 1, &err);
		if ((n != NULL) != rows[i].is_taken)
			fail_msg("%s", rows[i].pattern);
		assert_true(n != NULL || strstr(err.text, "memory") != NULL);
		normalizer_free(n);
	}
}

static void
test_bytes_of_any_kind_pass(void **state)
{
	static const char *const patterns[] = {"x"};
	struct normalizer *n = normalizer_new(patterns, 1, NULL);
	static const uint8_t line[] = "a\0\377x\0 13:45\n";
	const uint8_t *out;
	size_t len;

	(void)state;
	normalizer_set_host(n, "web01");
	normalizer_line(n, line, sizeof(line) - 1, &out, &len);
	assert_int_equal(len, 8);
	assert_memory_equal(out, "a\0\377\0\0 \0\n", 8);
	normalizer_free(n);
}

static void
test_a_very_long_line_stays_as_it_is(void **state)
{
	struct normalizer *n = normalizer_new(NULL, 0, NULL);
	uint8_t *line = xmalloc(NORMALIZE_LINE_MAX + 1);
	const uint8_t *out;
	size_t len;

	(void)state;
	memset(line, ' ', NORMALIZE_LINE_MAX + 1);
	memcpy(line, "web01", 5);
	normalizer_set_host(n, "web01");
	normalizer_line(n, line, NORMALIZE_LINE_MAX, &out, &len);
	assert_int_equal(len, NORMALIZE_LINE_MAX - 4);
	normalizer_line(n, line, NORMALIZE_LINE_MAX + 1, &out, &len);
	assert_int_equal(len, NORMALIZE_LINE_MAX + 1);
	assert_memory_equal(out, "web01", 5);
	free(line);
	normalizer_free(n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_dates_and_times_are_blanked),
	    cmocka_unit_test(test_the_hosts_own_name_is_blanked),
	    cmocka_unit_test(test_patterns_are_added_to_that),
	    cmocka_unit_test(test_an_empty_pattern_takes_the_defaults_away),
	    cmocka_unit_test(test_a_pattern_that_is_none_is_refused),
	    cmocka_unit_test(test_a_pattern_that_takes_all_memory_is_refused),
	    cmocka_unit_test(test_bytes_of_any_kind_pass),
	    cmocka_unit_test(test_a_very_long_line_stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
