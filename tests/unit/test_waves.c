/* SPDX-License-Identifier: GPL-3.0-or-later */
/* waves: amounts and lists of them, as the command line has them. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/waves.h"

static void
test_sizes(void **state)
{
	static const struct {
		const char *comment;
		const char *list;
		uint32_t total;
		uint32_t sizes[5];
	} rows[] = {
	    {"the last one repeats", "1,10", 100, {1, 10, 10, 10, 10}},
	    {"a canary, a tenth, all", "1,10%,100%", 50, {1, 5, 50, 50, 50}},
	    {"percents are rounded up", "10%,33%", 7, {1, 3, 3, 3, 3}},
	    {"a percent of few hosts is one", "1%", 3, {1, 1, 1, 1, 1}},
	    {"more than there are", "1000", 3, {1000, 1000, 1000}},
	    {"no overflow", "100%", UINT32_MAX, {UINT32_MAX, UINT32_MAX}},
	};
	struct waves waves;
	struct error err;
	size_t i, wave;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (waves_parse(rows[i].list, &waves, &err) == -1)
			fail_msg("%s: %s", rows[i].comment, err.text);
		for (wave = 0; wave < 5 && rows[i].sizes[wave] != 0; wave++)
			assert_int_equal(
			    waves_size(&waves, wave, rows[i].total),
			    rows[i].sizes[wave]);
	}
}

static void
test_without_a_list_there_is_one_wave(void **state)
{
	static const struct waves none = {.count = 0};

	(void)state;
	assert_int_equal(waves_size(&none, 0, 17), 17);
}

static void
test_bad_lists(void **state)
{
	static const struct {
		const char *list, *words;
	} rows[] = {
	    {"", "neither"},
	    {",", "neither"},
	    {"1,", "neither"},
	    {",1", "neither"},
	    {"1,,2", "neither"},
	    {"x", "\"x\" is neither"},
	    {"1x,2", "\"1x\" is neither"},
	    {"1.5", "neither"},
	    {"-1", "neither"},
	    {" 1", "neither"},
	    {"%", "neither"},
	    {"5%%", "neither"},
	    {"0", "no hosts"},
	    {"1,0%", "no hosts"},
	    {"101%", "\"101%\" is too much"},
	    {"4294967296", "too much"},
	    {"99999999999999999999", "too much"},
	};
	struct waves waves;
	struct error err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		err.text[0] = '\0';
		if (waves_parse(rows[i].list, &waves, &err) != -1)
			fail_msg("taken: %s", rows[i].list);
		if (strstr(err.text, rows[i].words) == NULL)
			fail_msg("%s: %s", rows[i].list, err.text);
	}
}

static void
test_a_list_has_an_end(void **state)
{
	char list[2 * (WAVES_MAX + 1) + 1] = "";
	struct waves waves;
	struct error err;
	size_t i;

	(void)state;
	for (i = 0; i < WAVES_MAX; i++)
		memcpy(list + 2 * i, "1,", 3);
	list[2 * WAVES_MAX - 1] = '\0';
	assert_int_equal(waves_parse(list, &waves, &err), 0);
	assert_int_equal(waves.count, WAVES_MAX);
	strcat(list, ",1");
	assert_int_equal(waves_parse(list, &waves, &err), -1);
}

static void
test_amounts(void **state)
{
	struct amount amount;
	struct error err;

	(void)state;
	assert_int_equal(amount_parse("0", &amount, &err), 0);
	assert_int_equal(amount_rounded_down(amount, 10), 0);
	assert_int_equal(amount_parse("25%", &amount, &err), 0);
	assert_int_equal(amount_rounded_down(amount, 7), 1);
	assert_int_equal(amount_rounded_up(amount, 7), 2);
	assert_int_equal(amount_parse("3,4", &amount, &err), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sizes),
	    cmocka_unit_test(test_without_a_list_there_is_one_wave),
	    cmocka_unit_test(test_bad_lists),
	    cmocka_unit_test(test_a_list_has_an_end),
	    cmocka_unit_test(test_amounts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
