/* SPDX-License-Identifier: GPL-3.0-or-later */
/* retry: every pair of status and stage, and how long is waited. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "control/retry.h"

static void
test_what_is_retried(void **state)
{
	/* All others never are. */
	static const struct {
		enum status status;
		enum stage stage;
		enum retry kind;
	} rows[] = {
	    {STATUS_UNREACHABLE, STAGE_DNS, RETRY_SOON},
	    {STATUS_UNREACHABLE, STAGE_CONNECT, RETRY_SOON},
	    {STATUS_UNREACHABLE, STAGE_BANNER, RETRY_SOON},
	    {STATUS_UNREACHABLE, STAGE_KEX, RETRY_SOON},
	    {STATUS_UNREACHABLE, STAGE_CHANNEL, RETRY_SOON},
	    {STATUS_UNREACHABLE, STAGE_THROTTLED, RETRY_LATER},
	    {STATUS_TIMEOUT, STAGE_DNS, RETRY_SOON},
	    {STATUS_TIMEOUT, STAGE_CONNECT, RETRY_SOON},
	    {STATUS_TIMEOUT, STAGE_BANNER, RETRY_SOON},
	    {STATUS_TIMEOUT, STAGE_KEX, RETRY_SOON},
	    {STATUS_TIMEOUT, STAGE_HOSTKEY, RETRY_SOON},
	    {STATUS_TIMEOUT, STAGE_AUTH, RETRY_SOON},
	    {STATUS_TIMEOUT, STAGE_CHANNEL, RETRY_SOON},
	};
	enum retry expected;
	int status, stage;
	size_t i;

	(void)state;
	for (status = 0; status < STATUS_COUNT; status++) {
		for (stage = 0; stage < STAGE_COUNT; stage++) {
			expected = RETRY_NEVER;
			for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
				if ((int)rows[i].status == status &&
				    (int)rows[i].stage == stage)
					expected = rows[i].kind;
			}
			if (retry_kind((enum status)status,
				(enum stage)stage) != expected)
				fail_msg("%s %s",
				    status_name((enum status)status),
				    stage_name((enum stage)stage));
		}
	}
}

static void
test_waits(void **state)
{
	static const struct {
		const char *comment;
		enum retry kind;
		uint32_t delay_ms;
		unsigned nth;
		uint64_t least, most;
	} rows[] = {
	    {"the first retry", RETRY_SOON, 1000, 2, 0, 1000},
	    {"the second", RETRY_SOON, 1000, 3, 0, 2000},
	    {"the fifth", RETRY_SOON, 1000, 6, 0, 16000},
	    {"a minute at most", RETRY_SOON, 1000, 8, 0, 60000},
	    {"and for ever", RETRY_SOON, 1000, 101, 0, 60000},
	    {"but as long as it is told", RETRY_SOON, 90000, 9, 0, 90000},
	    {"the longest there is", RETRY_SOON, UINT32_MAX, 101, 0,
		UINT32_MAX},
	    {"none", RETRY_SOON, 0, 50, 0, 0},
	    {"throttled", RETRY_LATER, 1000, 2, 30000, 45000},
	    {"throttled, the nth does not matter", RETRY_LATER, 1000, 9, 30000,
		45000},
	    {"throttled, 5 minutes at most", RETRY_LATER, 60000, 2, 300000,
		450000},
	    {"throttled, never at once", RETRY_LATER, 0, 2, 1000, 1500},
	    {"throttled, no less than other waits", RETRY_LATER, 600000, 2,
		600000, 900000},
	};
	uint64_t prng, wait, lowest, highest, span;
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		prng = 42;
		lowest = UINT64_MAX;
		highest = 0;
		for (n = 0; n < 1000; n++) {
			wait = retry_wait_ms(
			    rows[i].kind, rows[i].delay_ms, rows[i].nth, &prng);
			lowest = wait < lowest ? wait : lowest;
			highest = wait > highest ? wait : highest;
		}
		/* All of the range is used, and nothing else. */
		span = rows[i].most - rows[i].least;
		if (lowest < rows[i].least || highest > rows[i].most ||
		    lowest > rows[i].least + span / 20 ||
		    highest < rows[i].most - span / 20)
			fail_msg("%s: %lu to %lu", rows[i].comment,
			    (unsigned long)lowest, (unsigned long)highest);
	}
}

static void
test_waits_come_again_with_the_seed(void **state)
{
	uint64_t a = 7, b = 7, c = 8;
	int i, differ = 0;

	(void)state;
	for (i = 0; i < 10; i++) {
		uint64_t wait = retry_wait_ms(RETRY_SOON, 1000, 2, &a);

		assert_int_equal(wait, retry_wait_ms(RETRY_SOON, 1000, 2, &b));
		differ += wait != retry_wait_ms(RETRY_SOON, 1000, 2, &c);
	}
	assert_true(differ > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_what_is_retried),
	    cmocka_unit_test(test_waits),
	    cmocka_unit_test(test_waits_come_again_with_the_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
