/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * metrics: every text goes through a parser that takes less than Prometheus's
 * text format allows: HELP, TYPE and samples of a family stand together and
 * occur once, all samples have labels, none a timestamp.
 */
#include "config.h"

#include <math.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/metrics.h"
#include "util/prng.h"
#include "util/xalloc.h"

#define SAMPLES_MAX 300u
#define NAME	    "[a-z][a-z0-9_]*"
#define LABEL	    NAME "=\"([^\"\\]|\\\\[\\\"n])*\""
#define NUMBER	    "(0|[1-9][0-9]*)([.][0-9]+)?(e[+-][0-9]+)?"

/* --- the parser ---------------------------------------------------------- */

struct sample {
	char *name, *labels; /* without braces */
	double value;
};

struct parsed {
	struct sample samples[SAMPLES_MAX];
	size_t count, family; /* index of its first sample */
	char *name, *type;    /* of the family; NULL: none */
};

static struct parsed parsed;

/* parts: NULL, or a place for each parenthesis of pattern; to be freed. */
static bool
matches(const char *line, const char *pattern, char **parts, size_t count)
{
	regmatch_t found[10];
	regex_t regex;
	size_t i;
	int rc;

	assert_true(count < 10);
	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED), 0);
	rc = regexec(&regex, line, 10, found, 0);
	regfree(&regex);
	for (i = 0; rc == 0 && i < count; i++)
		parts[i] = xstrndup(line + found[i + 1].rm_so,
		    (size_t)(found[i + 1].rm_eo - found[i + 1].rm_so));
	return rc == 0;
}

static bool
ends_in(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* Upper limit of a bucket, which is its last label. */
static double
bucket_limit(const struct sample *s)
{
	const char *le = strstr(s->labels, ",le=\"");

	assert_non_null(le);
	return strcmp(le, ",le=\"+Inf\"") == 0 ? INFINITY
					       : strtod(le + 5, NULL);
}

static void
check_histogram(const struct sample *s, size_t count)
{
	size_t i;

	assert_true(count > 3);
	for (i = 0; i < count - 2; i++) {
		assert_true(ends_in(s[i].name, "_bucket"));
		if (i == 0)
			continue;
		assert_true(bucket_limit(&s[i - 1]) < bucket_limit(&s[i]));
		assert_true(s[i - 1].value <= s[i].value);
	}
	assert_true(isinf(bucket_limit(&s[count - 3])));
	assert_true(ends_in(s[count - 2].name, "_sum"));
	assert_true(ends_in(s[count - 1].name, "_count"));
	assert_true(s[count - 1].value == s[count - 3].value);
}

static void
end_family(struct parsed *p)
{
	const struct sample *first = p->samples + p->family, *s;
	size_t len = p->name != NULL ? strlen(p->name) : 0;
	const struct sample *end = p->samples + p->count;

	if (p->name == NULL)
		return;
	assert_non_null(p->type);
	assert_true(first < end);
	for (s = first; s < end; s++) {
		assert_int_equal(strncmp(s->name, p->name, len), 0);
		if (strcmp(p->type, "histogram") != 0)
			assert_int_equal(s->name[len], '\0');
	}
	assert_int_equal(
	    strcmp(p->type, "counter") == 0, ends_in(p->name, "_total"));
	if (strcmp(p->type, "histogram") == 0)
		check_histogram(first, (size_t)(end - first));
	free(p->name);
	free(p->type);
	p->name = p->type = NULL;
}

static void
parse_sample(struct parsed *p, char **parts)
{
	struct sample *s = &p->samples[p->count], *other;

	assert_non_null(p->type);
	assert_true(p->count < SAMPLES_MAX);
	s->name = parts[0];
	s->labels = parts[1];
	s->value = strtod(parts[2], NULL);
	free(parts[2]);
	for (other = p->samples; other < s; other++) {
		if (strcmp(other->name, s->name) == 0 &&
		    strcmp(other->labels, s->labels) == 0)
			fail_msg("twice: %s{%s}", s->name, s->labels);
		/* A family that comes back would be seen so. */
		if (other < p->samples + p->family &&
		    strcmp(other->name, s->name) == 0)
			fail_msg("%s is in two places", s->name);
	}
	p->count++;
}

static void
parse_line(struct parsed *p, const char *line)
{
	char *parts[9];

	if (matches(line, "^# HELP (" NAME ") [^\\]+$", parts, 1)) {
		end_family(p);
		p->name = parts[0];
		p->family = p->count;
	} else if (matches(line,
		       "^# TYPE (" NAME ") (counter|gauge|histogram)$", parts,
		       2)) {
		assert_non_null(p->name);
		assert_null(p->type);
		assert_string_equal(parts[0], p->name);
		free(parts[0]);
		p->type = parts[1];
	} else if (matches(line,
		       "^(" NAME ")[{](" LABEL "(," LABEL ")*)[}] -?" NUMBER
		       "$",
		       parts, 2)) {
		parts[2] = xstrdup(strrchr(line, ' '));
		parse_sample(p, parts);
	} else {
		fail_msg("neither comment nor sample: %s", line);
	}
}

/* The text of m, parsed. */
static void
parse(const struct metrics *m)
{
	struct buf text;
	char *line, *end;

	memset(&parsed, 0, sizeof(parsed));
	buf_init(&text, 1 << 20);
	metrics_render(m, &text);
	buf_append(&text, "", 1);
	line = (char *)buf_head(&text);
	assert_true(ends_in(line, "\n"));
	for (; *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		*end = '\0';
		parse_line(&parsed, line);
	}
	end_family(&parsed);
	buf_clear(&text);
}

static void
parsed_clear(void)
{
	size_t i;

	for (i = 0; i < parsed.count; i++) {
		free(parsed.samples[i].name);
		free(parsed.samples[i].labels);
	}
}

static size_t
samples_of(const char *name, const char *label, double *value)
{
	size_t i, count = 0;

	for (i = 0; i < parsed.count; i++) {
		if (strcmp(parsed.samples[i].name, name) != 0 ||
		    strstr(parsed.samples[i].labels, label) == NULL)
			continue;
		*value = parsed.samples[i].value;
		count++;
	}
	return count;
}

static void
assert_value(const char *name, const char *label, double expected)
{
	double value = 0;
	size_t count = samples_of(name, label, &value);

	if (count != 1 || fabs(value - expected) > expected * 1e-12)
		fail_msg("%s{%s}: %.15g (%zu samples), not %.15g", name, label,
		    value, count, expected);
}

/* --- runs ---------------------------------------------------------------- */

static struct tally tally;
static const struct running none;

static struct metrics
metrics_of_tally(void)
{
	return (struct metrics){.tool = "batch_run",
	    .path = "/var/lib/node_exporter/nightly.prom",
	    .hosts = 9,
	    .began_at_ms = UINT64_C(1763730000123),
	    .elapsed_ms = 2000,
	    .running = &none,
	    .tally = &tally};
}

static struct record
record_of(enum status status)
{
	return (struct record){.host = "web01",
	    .address = "",
	    .groups = "",
	    .status = status,
	    .signal = "",
	    .message = "",
	    .sha256 = ""};
}

static void
test_a_run_that_goes_on(void **state)
{
	const struct running running = {
	    .queued = 5, .in_flight = 4, .workers = 2, .retries = 3};
	struct metrics m = metrics_of_tally();
	double value;

	(void)state;
	memset(&tally, 0, sizeof(tally));
	m.running = &running;
	parse(&m);
	assert_value("batch_running", "", 1);
	assert_value("batch_start_time_seconds", "", 1763730000.123);
	assert_value("batch_duration_seconds", "", 2);
	assert_value("batch_hosts", "", 9);
	assert_value("batch_queued_hosts", "", 5);
	assert_value("batch_in_flight_hosts", "", 4);
	assert_value("batch_workers", "", 2);
	assert_value("batch_retries_total", "", 3);
	assert_value("batch_error_ratio", "", 0);
	assert_value("batch_timeout_ratio", "", 0);
	assert_value("batch_throughput_bytes_per_second", "", 0);
	assert_int_equal(samples_of("batch_end_time_seconds", "", &value), 0);
	assert_int_equal(samples_of("batch_exit_status", "", &value), 0);
	assert_int_equal(
	    samples_of("batch_results_total", "", &value), STATUS_COUNT);
	parsed_clear();
}

static void
test_a_run_that_has_ended(void **state)
{
	struct metrics m = metrics_of_tally();
	struct record r;
	char label[64];
	int status;

	(void)state;
	memset(&tally, 0, sizeof(tally));
	for (status = 0; status < STATUS_COUNT; status++) {
		r = record_of((enum status)status);
		r.stdout_bytes = 100;
		r.stderr_bytes = 10;
		r.bytes = 1000;
		tally_add(&tally, &r);
		if (status == STATUS_OK || status == STATUS_TIMEOUT)
			tally_add(&tally, &r);
	}
	m.ended_at_ms = UINT64_C(1763730002124);
	m.exit_status = 5;
	parse(&m);
	assert_value("batch_running", "", 0);
	assert_value("batch_end_time_seconds", "", 1763730002.124);
	assert_value("batch_exit_status", "", 5);
	for (status = 0; status < STATUS_COUNT; status++) {
		snprintf(label, sizeof(label), ",status=\"%s\"",
		    status_name((enum status)status));
		assert_value("batch_results_total", label,
		    status == STATUS_OK || status == STATUS_TIMEOUT ? 2 : 1);
	}
	assert_value("batch_output_bytes_total", "stream=\"stdout\"", 1200);
	assert_value("batch_output_bytes_total", "stream=\"stderr\"", 120);
	assert_value("batch_transferred_bytes_total", "", 12000);
	assert_value("batch_throughput_bytes_per_second", "", 6660);
	assert_value("batch_error_ratio", "", 10. / 12);
	assert_value("batch_timeout_ratio", "", 2. / 12);
	parsed_clear();
}

static void
test_latencies_are_of_those_who_came_so_far(void **state)
{
	struct metrics m = metrics_of_tally();
	struct record r = record_of(STATUS_SKIPPED);

	(void)state;
	memset(&tally, 0, sizeof(tally));
	tally_add(&tally, &r); /* never begun */
	r.started_at_ms = 1;
	r.cost_ms = 30000;
	tally_add(&tally, &r); /* no connection */
	r.is_connected = true;
	r.connect_ms = 5;
	tally_add(&tally, &r); /* not logged in */
	r.connect_ms = 6;
	r.is_authenticated = true;
	r.auth_ms = 0; /* in no time, but it was */
	tally_add(&tally, &r);
	parse(&m);
	assert_value("batch_connect_seconds_count", "", 2);
	assert_value("batch_connect_seconds_sum", "", 0.011);
	assert_value("batch_connect_seconds_bucket", "le=\"0.005\"", 1);
	assert_value("batch_connect_seconds_bucket", "le=\"0.01\"", 2);
	assert_value("batch_auth_seconds_count", "", 1);
	assert_value("batch_auth_seconds_bucket", "le=\"0.005\"", 1);
	assert_value("batch_host_seconds_count", "", 3);
	assert_value("batch_host_seconds_sum", "", 90);
	assert_value("batch_host_seconds_bucket", "le=\"10\"", 0);
	assert_value("batch_host_seconds_bucket", "le=\"30\"", 3);
	parsed_clear();
}

/* Each bucket of a run of any size, against the latencies themselves. */
static void
test_buckets_are_exact(void **state)
{
	struct metrics m = metrics_of_tally();
	struct record r = record_of(STATUS_OK);
	uint64_t costs[1000], prng = 3;
	const struct sample *s;
	size_t i, n, expected, buckets = 0;

	(void)state;
	memset(&tally, 0, sizeof(tally));
	r.started_at_ms = 1;
	for (i = 0; i < 1000; i++) {
		costs[i] = prng_below(&prng, 1000)
		    << prng_below(&prng, 16) / 2 * 2;
		r.cost_ms = costs[i];
		tally_add(&tally, &r);
	}
	parse(&m);
	for (s = parsed.samples; s < parsed.samples + parsed.count; s++) {
		if (strcmp(s->name, "batch_host_seconds_bucket") != 0)
			continue;
		buckets++;
		expected = 0;
		for (n = 0; n < 1000; n++)
			expected += (double)costs[n] / 1000 <= bucket_limit(s);
		assert_true(s->value == (double)expected);
	}
	assert_true(buckets > 10);
	parsed_clear();
}

static void
test_large_numbers(void **state)
{
	struct metrics m = metrics_of_tally();
	struct record r = record_of(STATUS_OK);

	(void)state;
	memset(&tally, 0, sizeof(tally));
	r.started_at_ms = 1;
	r.cost_ms = UINT64_MAX;
	r.bytes = UINT64_MAX;
	tally_add(&tally, &r);
	m.elapsed_ms = 0;
	parse(&m);
	assert_value("batch_transferred_bytes_total", "", 0x1p64);
	assert_value("batch_throughput_bytes_per_second", "", 0);
	assert_value("batch_host_seconds_bucket", "le=\"7200\"", 0);
	assert_value("batch_host_seconds_bucket", "le=\"+Inf\"", 1);
	parsed_clear();
}

static void
test_labels(void **state)
{
	static const struct {
		const char *path, *labels;
	} rows[] = {
	    {"nightly.prom", "tool=\"batch_run\",run=\"nightly\""},
	    {"a/b.prom.prom", "tool=\"batch_run\",run=\"b.prom\""},
	    {"/a.prom/b", "tool=\"batch_run\",run=\"b\""},
	    {"b.promo", "tool=\"batch_run\",run=\"b.promo\""},
	    {"q\"u.prom", "tool=\"batch_run\",run=\"q\\\"u\""},
	    {"back\\.prom", "tool=\"batch_run\",run=\"back\\\\\""},
	    {"li\nne.prom", "tool=\"batch_run\",run=\"li\\\\x0ane\""},
	    {"\xc3\xa9.prom", "tool=\"batch_run\",run=\"\xc3\xa9\""},
	    {"\xe9.prom", "tool=\"batch_run\",run=\"\\\\xe9\""},
	};
	struct metrics m = metrics_of_tally();
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		m.path = rows[i].path;
		parse(&m);
		assert_string_equal(parsed.samples[0].labels, rows[i].labels);
		parsed_clear();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_run_that_goes_on),
	    cmocka_unit_test(test_a_run_that_has_ended),
	    cmocka_unit_test(test_latencies_are_of_those_who_came_so_far),
	    cmocka_unit_test(test_buckets_are_exact),
	    cmocka_unit_test(test_large_numbers),
	    cmocka_unit_test(test_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
