/* SPDX-License-Identifier: GPL-3.0-or-later */
/* human, progress and the summary: how far transfers are, and what they were */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "report/json.h"
#include "report/progress.h"
#include "report/summary.h"
#include "util/human.h"

#define ERASE "\r\033[K"
#define MB    UINT64_C(1000000)

static void
test_sizes(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = {
	    {0, "0 B"},
	    {999, "999 B"},
	    {1000, "1.0 kB"},
	    {1234567, "1.2 MB"},
	    {99949, "99.9 kB"},
	    {99950, "100 kB"},
	    {320000000, "320 MB"},
	    {999499, "999 kB"},
	    {999500, "1.0 MB"},
	    {2000000000, "2.0 GB"},
	    {UINT64_MAX, "18.4 EB"},
	};
	char text[HUMAN_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		human_bytes(text, sizeof(text), rows[i].bytes);
		assert_string_equal(text, rows[i].text);
	}
	human_rate(text, sizeof(text), 320 * MB);
	assert_string_equal(text, "320 MB/s");
}

static void
test_times(void **state)
{
	static const struct {
		uint64_t ms;
		const char *text;
	} rows[] = {
	    {0, "0.0 s"},
	    {300, "0.3 s"},
	    {59949, "59.9 s"},
	    {59950, "1:00 min"},
	    {62000, "1:02 min"},
	    {3599499, "59:59 min"},
	    {3599500, "1:00:00 h"},
	    {3723000, "1:02:03 h"},
	};
	char text[HUMAN_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		human_duration(text, sizeof(text), rows[i].ms);
		assert_string_equal(text, rows[i].text);
	}
	human_clock(text, sizeof(text), 3);
	assert_string_equal(text, "0:03");
	human_latency(text, sizeof(text), 0);
	assert_string_equal(text, "0 ms");
	human_latency(text, sizeof(text), 999);
	assert_string_equal(text, "999 ms");
	human_latency(text, sizeof(text), 1000);
	assert_string_equal(text, "1.0 s");
}

/* --- progress ------------------------------------------------------------ */

static struct record
record_of(uint32_t seq, enum status status, uint64_t bytes)
{
	return (struct record){.seq = seq,
	    .host = "web01",
	    .address = "",
	    .groups = "",
	    .status = status,
	    .signal = "",
	    .message = "",
	    .is_transfer = true,
	    .bytes = bytes,
	    .files = 3,
	    .unchanged = 1,
	    .sha256 = ""};
}

/* What is queued for stderr is text; it is then out. */
static void
assert_drawn(struct sink *sink, const char *text)
{
	struct buf *b = &sink->buf;

	buf_append(b, "", 1);
	assert_string_equal((const char *)buf_head(b), text);
	buf_consume(b, buf_len(b));
}

static void
sink_fake(struct sink *sink)
{
	memset(sink, 0, sizeof(*sink));
	sink->fd = -1; /* no terminal: 80 columns */
	buf_init(&sink->buf, 65536);
}

static void
test_put_knows_the_total_at_once(void **state)
{
	struct record ok = record_of(0, STATUS_OK, 10 * MB);
	struct record bad = record_of(1, STATUS_TRANSFER, 5 * MB);
	struct progress *p;
	struct sink sink;

	(void)state;
	sink_fake(&sink);
	p = progress_new(&sink, "put", 4, 10 * MB, 1000);
	progress_running(p, 4);
	progress_show(p, true, 1100);
	assert_drawn(&sink, ""); /* short runs show none */
	progress_bytes(p, 0, 5 * MB, 0);
	progress_show(p, true, 2000);
	assert_drawn(&sink,
	    "put: 0/4 hosts done, 4 running  5.0 MB of 40.0 MB (12 %)  "
	    "5.0 MB/s  ETA 0:08");
	progress_record(p, &ok);
	progress_record(p, &bad);
	progress_running(p, 2);
	progress_show(p, true, 3000);
	/* What the failed one did not take is not to be done any more. */
	assert_drawn(&sink,
	    ERASE "put: 2/4, 1 failed, 2 running  15.0 MB of 35.0 MB (42 %)"
		  "  7.5 MB/s  ETA 0:03");
	progress_free(p);
	buf_clear(&sink.buf);
}

static void
test_get_learns_totals_from_hosts(void **state)
{
	struct progress *p;
	struct sink sink;

	(void)state;
	sink_fake(&sink);
	p = progress_new(&sink, "get", 2, 0, 0);
	progress_running(p, 2);
	progress_bytes(p, 0, 1 * MB, 2 * MB);
	progress_bytes(p, 1, 1 * MB, 0);
	progress_show(p, true, 1000);
	assert_drawn(&sink, "get: 0/2 hosts done, 2 running  2.0 MB  2.0 MB/s");
	progress_bytes(p, 1, 1 * MB, 2 * MB);
	progress_show(p, true, 2000);
	assert_drawn(&sink,
	    ERASE "get: 0/2 hosts done, 2 running  2.0 MB of 4.0 MB (50 %)  "
		  "1.0 MB/s  ETA 0:03");
	progress_free(p);
	buf_clear(&sink.buf);
}

static void
test_the_line_makes_room_for_others(void **state)
{
	static const char line[] = "get: 0/1 hosts done, 0 running  0 B  0 B/s";
	struct progress *p;
	struct sink sink;

	(void)state;
	sink_fake(&sink);
	p = progress_new(&sink, "get", 1, 0, 0);
	progress_hide(p);
	assert_drawn(&sink, ""); /* nothing was shown */
	progress_show(p, true, 250);
	assert_drawn(&sink, line);
	progress_show(p, true, 251);
	assert_drawn(&sink, ""); /* at most four times a second */
	progress_hide(p);
	progress_hide(p);
	buf_puts(&sink.buf, "web01: text\n");
	progress_show(p, true, 252); /* not before that is out */
	assert_drawn(&sink, ERASE "web01: text\n");
	progress_show(p, false, 253); /* nor what else is on the terminal */
	assert_drawn(&sink, "");
	progress_show(p, true, 254);
	assert_drawn(&sink, line);
	assert_int_equal(progress_due_ms(p), 500);
	progress_hide(p);
	progress_free(p);
	buf_clear(&sink.buf);
}

/* A terminal that takes nothing must not fill memory. */
static void
test_a_slow_terminal_gets_no_more_than_one_line(void **state)
{
	struct progress *p;
	struct sink sink;
	size_t len;
	uint64_t ms;

	(void)state;
	sink_fake(&sink);
	p = progress_new(&sink, "get", 1, 0, 0);
	progress_show(p, true, 250);
	len = buf_len(&sink.buf);
	assert_true(len > 0);
	for (ms = 500; ms < 100000; ms += 250)
		progress_show(p, true, ms);
	assert_true(buf_len(&sink.buf) <= len + strlen(ERASE));
	progress_free(p);
	buf_clear(&sink.buf);
}

static void
test_hostile_numbers(void **state)
{
	struct record r = record_of(0, STATUS_OK, 7);
	struct progress *p;
	struct sink sink;

	(void)state;
	sink_fake(&sink);
	p = progress_new(&sink, "get", 2, 0, 0);
	progress_bytes(p, 0, UINT64_MAX, 1);
	progress_bytes(p, 1, UINT64_MAX, UINT64_MAX);
	progress_show(p, true, 1);
	progress_show(p, true, 1000);
	buf_consume(&sink.buf, buf_len(&sink.buf));
	progress_bytes(p, 0, 0, 0);
	progress_bytes(p, 1, 0, 0);
	progress_show(p, true, 2000);
	buf_consume(&sink.buf, buf_len(&sink.buf));
	progress_record(p, &r);
	r.seq = 1;
	progress_record(p, &r);
	progress_show(p, true, 100000);
	assert_drawn(&sink,
	    ERASE "get: 2/2 hosts done, 0 running  14 B of 14 B (100 %)  "
		  "0 B/s");
	progress_free(p);
	buf_clear(&sink.buf);
}

/* --- afterwards ---------------------------------------------------------- */

static struct tally tally;

static void
assert_summary(uint64_t elapsed_ms, bool has_latencies, const char *expected)
{
	const struct summary_options options = {
	    .elapsed_ms = elapsed_ms, .has_latencies = has_latencies};
	struct summary *s = summary_new();
	struct buf out;

	buf_init(&out, 4096);
	summary_print(s, &tally, &options, &out);
	buf_append(&out, "", 1);
	assert_string_equal((const char *)buf_head(&out), expected);
	buf_clear(&out);
	summary_free(s);
}

static void
test_summary_adds_up(void **state)
{
	struct record ok = record_of(0, STATUS_OK, 1500 * MB);

	(void)state;
	memset(&tally, 0, sizeof(tally));
	tally_add(&tally, &ok);
	tally_add(&tally, &ok);
	assert_summary(6400, false,
	    "2 hosts: 2 ok; 3.0 GB in 4 files, 2 unchanged (6.4 s)\n");
}

static void
test_summary_of_commands_has_no_bytes(void **state)
{
	struct record ok = record_of(0, STATUS_OK, 0);

	(void)state;
	ok.is_transfer = false;
	ok.files = ok.unchanged = 0;
	memset(&tally, 0, sizeof(tally));
	tally_add(&tally, &ok);
	assert_summary(100, false, "1 host: 1 ok (0.1 s)\n");
}

static void
test_summary_has_latencies(void **state)
{
	struct record ok = record_of(0, STATUS_OK, 0);
	uint32_t i;

	(void)state;
	ok.is_transfer = false;
	memset(&tally, 0, sizeof(tally));
	assert_summary(400, true, "0 hosts (0.4 s)\n");
	ok.started_at_ms = 1;
	ok.cost_ms = 62000;
	tally_add(&tally, &ok);
	assert_summary(400, true,
	    "1 host: 1 ok (0.4 s)\n"
	    "total p50 1:02 min, p95 1:02 min\n");
	ok.is_connected = ok.is_authenticated = true;
	for (i = 1; i <= 99; i++) {
		ok.connect_ms = i;
		ok.auth_ms = 20 * i;
		ok.cost_ms = 100 * i;
		tally_add(&tally, &ok);
	}
	assert_summary(400, true,
	    "100 hosts: 100 ok (0.4 s)\n"
	    "connect p50 50 ms, p95 95 ms; auth p50 1.0 s, p95 1.9 s; "
	    "total p50 5.0 s, p95 9.5 s\n");
}

static void
test_records_of_transfers_say_what_moved(void **state)
{
	struct record r = record_of(0, STATUS_OK, 12);
	char *line;

	(void)state;
	line = json_record(&r);
	assert_non_null(strstr(line,
	    ",\"bytes\":12,\"files\":3,\"unchanged\":1,\"sha256\":null}"));
	free(line);
	r.sha256 = "e3b0";
	line = json_record(&r);
	assert_non_null(strstr(line, ",\"sha256\":\"e3b0\"}"));
	free(line);
	r.is_transfer = false;
	line = json_record(&r);
	assert_null(strstr(line, "\"sha256\""));
	assert_null(strstr(line, "\"files\""));
	free(line);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sizes),
	    cmocka_unit_test(test_times),
	    cmocka_unit_test(test_put_knows_the_total_at_once),
	    cmocka_unit_test(test_get_learns_totals_from_hosts),
	    cmocka_unit_test(test_the_line_makes_room_for_others),
	    cmocka_unit_test(test_a_slow_terminal_gets_no_more_than_one_line),
	    cmocka_unit_test(test_hostile_numbers),
	    cmocka_unit_test(test_summary_adds_up),
	    cmocka_unit_test(test_summary_of_commands_has_no_bytes),
	    cmocka_unit_test(test_summary_has_latencies),
	    cmocka_unit_test(test_records_of_transfers_say_what_moved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
