/* SPDX-License-Identifier: GPL-3.0-or-later */
/* histogram: percentiles and counts against sorted values. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/histogram.h"
#include "util/prng.h"

#define VALUES 5000u

static struct histogram histogram;

static int
compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void
check_percentiles(const char *comment, const uint64_t *sorted, size_t count)
{
	uint64_t exact, got;
	unsigned percent;

	for (percent = 1; percent <= 100; percent++) {
		exact = sorted[(count * percent + 99) / 100 - 1];
		got = histogram_percentile(&histogram, percent);
		if (got < exact || got - exact > exact / 100 ||
		    (exact < 1000 && got != exact))
			fail_msg("%s: p%u of %zu is %lu, not %lu", comment,
			    percent, count, (unsigned long)got,
			    (unsigned long)exact);
	}
}

static void
check_counts(const char *comment, const uint64_t *sorted, size_t count)
{
	uint64_t digits, scale, limit, got;
	size_t exact = 0;

	for (scale = 1; scale <= 1000000; scale *= 10) {
		for (digits = 0; digits < 1000; digits++) {
			limit = digits * scale;
			exact = digits == 0 ? 0 : exact;
			while (exact < count && sorted[exact] <= limit)
				exact++;
			got = histogram_up_to(&histogram, limit);
			if (got != exact)
				fail_msg("%s: %lu values up to %lu, not %zu",
				    comment, (unsigned long)got,
				    (unsigned long)limit, exact);
		}
	}
}

static void
test_random_values(void **state)
{
	static const struct {
		const char *comment;
		uint64_t below;
		size_t count;
		unsigned exponent_below; /* 0: evenly distributed */
	} rows[] = {
	    {"one value", 100000, 1, 0},
	    {"two values", 100000, 2, 0},
	    {"few of them", 2000, 21, 0},
	    {"all exact", 1000, VALUES, 0},
	    {"all the same", 1, 100, 0},
	    {"seconds", 60000, VALUES, 0},
	    {"all there is", HISTOGRAM_MAX + 1, VALUES, 0},
	    {"of all sizes", 30, VALUES, 29},
	};
	static uint64_t values[VALUES];
	uint64_t prng = 7, sum;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&histogram, 0, sizeof(histogram));
		for (n = 0, sum = 0; n < rows[i].count; n++) {
			values[n] = prng_below(&prng, rows[i].below);
			if (rows[i].exponent_below > 0)
				values[n] <<= prng_below(
				    &prng, rows[i].exponent_below - 4);
			sum += values[n];
			histogram_add(&histogram, values[n]);
		}
		assert_int_equal(histogram.count, rows[i].count);
		assert_int_equal(histogram.sum, sum);
		qsort(values, n, sizeof(*values), compare);
		check_percentiles(rows[i].comment, values, n);
		check_counts(rows[i].comment, values, n);
	}
}

static void
test_where_digits_are_added(void **state)
{
	static const struct {
		uint64_t value, rounded;
	} rows[] = {
	    {0, 0},
	    {1, 1},
	    {999, 999},
	    {1000, 1000},
	    {1001, 1010},
	    {1010, 1010},
	    {9990, 9990},
	    {9991, 10000},
	    {10000, 10000},
	    {10001, 10100},
	    {99901, 100000},
	    {998000001, HISTOGRAM_MAX},
	    {HISTOGRAM_MAX, HISTOGRAM_MAX},
	    {HISTOGRAM_MAX + 1, HISTOGRAM_MAX},
	    {UINT64_MAX, HISTOGRAM_MAX},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&histogram, 0, sizeof(histogram));
		histogram_add(&histogram, rows[i].value);
		assert_int_equal(
		    histogram_percentile(&histogram, 50), rows[i].rounded);
		assert_int_equal(
		    histogram_up_to(&histogram, rows[i].rounded), 1);
		if (rows[i].rounded > 0)
			assert_int_equal(histogram_up_to(&histogram,
					     rows[i].rounded * 99 / 100),
			    0);
	}
}

static void
test_nothing_has_no_percentiles(void **state)
{
	(void)state;
	memset(&histogram, 0, sizeof(histogram));
	assert_int_equal(histogram_percentile(&histogram, 95), 0);
	assert_int_equal(histogram_up_to(&histogram, HISTOGRAM_MAX), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_random_values),
	    cmocka_unit_test(test_where_digits_are_added),
	    cmocka_unit_test(test_nothing_has_no_percentiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
