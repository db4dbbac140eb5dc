/* SPDX-License-Identifier: GPL-3.0-or-later */
/* human, headway, progress and the summary: how far a run is, and what it was
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "report/headway.h"
#include "report/json.h"
#include "report/progress.h"
#include "report/summary.h"
#include "report/tally.h"
#include "util/human.h"

#define ERASE "\r\033[J"
#define UP    "\033[A\r"
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

struct world {
	struct sink sink;
	struct tally tally;
	struct headway headway;
	struct progress *progress;
};

static struct world *
world_new(size_t hosts, bool is_transfer, uint64_t host_bytes, uint64_t now_ms)
{
	struct world *w = test_calloc(1, sizeof(*w));

	w->sink.fd = -1; /* no terminal: 80 columns */
	buf_init(&w->sink.buf, 65536);
	headway_init(
	    &w->headway, &w->tally, hosts, is_transfer, host_bytes, now_ms);
	w->progress = progress_new(&w->sink, &w->headway, now_ms);
	return w;
}

static void
world_free(struct world *w)
{
	progress_free(w->progress);
	headway_clear(&w->headway);
	buf_clear(&w->sink.buf);
	test_free(w);
}

static void
world_running(struct world *w, uint32_t in_flight, uint32_t queued)
{
	w->headway.running =
	    (struct running){.queued = queued, .in_flight = in_flight};
}

/* A host in flight, younger than those before it. */
static void
world_slow(struct world *w, const char *name, uint64_t began_ms)
{
	struct running *r = &w->headway.running;

	assert_true(r->oldest_count < RUNNING_OLDEST);
	r->oldest[r->oldest_count++] =
	    (struct running_host){name, STAGE_COMMAND, began_ms};
}

static void
world_record(struct world *w, const struct record *record)
{
	tally_add(&w->tally, record);
	headway_ended(&w->headway, record->seq);
}

static void
world_done(struct world *w, size_t count)
{
	const struct record ok = record_of(0, STATUS_OK, 0);

	while (count-- > 0)
		world_record(w, &ok);
}

static void
show(struct world *w, uint64_t now_ms)
{
	headway_look(&w->headway, now_ms);
	progress_show(w->progress, true, now_ms);
}

/* What is queued for stderr is text; it is then out. */
static void
assert_drawn(struct world *w, const char *text)
{
	struct buf *b = &w->sink.buf;

	buf_append(b, "", 1);
	assert_string_equal((const char *)buf_head(b), text);
	buf_consume(b, buf_len(b));
}

static void
test_put_knows_the_total_at_once(void **state)
{
	struct record ok = record_of(0, STATUS_OK, 10 * MB);
	struct record bad = record_of(1, STATUS_TRANSFER, 5 * MB);
	struct world *w = world_new(4, true, 10 * MB, 1000);

	(void)state;
	world_running(w, 4, 0);
	show(w, 1100);
	assert_drawn(w, ""); /* short runs show none */
	headway_bytes(&w->headway, 0, 5 * MB, 0);
	show(w, 2000);
	assert_drawn(w,
	    "[##                 ] 0/4 done, 4 running  5.0 MB/s  ETA 0:08\r\n"
	    "5.0 MB of 40.0 MB (12 %)  " UP);
	world_record(w, &ok);
	world_record(w, &bad);
	world_running(w, 2, 0);
	show(w, 3000);
	/* What the failed one did not take is not to be done any more. */
	assert_drawn(w,
	    ERASE "[########           ] 2/4 done, 1 failed, 2 running  "
		  "7.5 MB/s  ETA 0:03\r\n"
		  "15.0 MB of 35.0 MB (42 %)  " UP);
	world_free(w);
}

static void
test_get_learns_totals_from_hosts(void **state)
{
	struct world *w = world_new(2, true, 0, 0);

	(void)state;
	world_running(w, 2, 0);
	headway_bytes(&w->headway, 0, 1 * MB, 2 * MB);
	headway_bytes(&w->headway, 1, 1 * MB, 0);
	show(w, 1000);
	assert_drawn(w,
	    "[                   ] 0/2 done, 2 running  2.0 MB/s\r\n"
	    "2.0 MB  " UP);
	headway_bytes(&w->headway, 1, 1 * MB, 2 * MB);
	show(w, 2000);
	assert_drawn(w,
	    ERASE "[#########          ] 0/2 done, 2 running  1.0 MB/s  "
		  "ETA 0:03\r\n"
		  "2.0 MB of 4.0 MB (50 %)  " UP);
	world_free(w);
}

/* Nothing is foretold from what the first hosts took, or of the last. */
static void
test_eta_of_commands(void **state)
{
	static const struct {
		const char *comment;
		size_t done;
		uint32_t in_flight, queued;
		const char *eta;
	} rows[] = {
	    {"none is done", 0, 10, 90, ""},
	    {"not as many as run", 9, 10, 81, ""},
	    {"as many as run", 10, 10, 80, "  1.0/s  ETA 1:31"},
	    {"half", 50, 10, 40, "  5.0/s  ETA 0:11"},
	    {"none waits", 90, 10, 0, ""},
	};
	char eta[HUMAN_SIZE], rate[HUMAN_SIZE], text[80];
	struct world *w;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		w = world_new(100, false, 0, 0);
		world_done(w, rows[i].done);
		world_running(w, rows[i].in_flight, rows[i].queued);
		headway_eta(&w->headway, 10000, eta);
		headway_rate(&w->headway, 10000, rate);
		snprintf(text, sizeof(text), "  %s  ETA %s", rate, eta);
		if (strcmp(eta[0] != '\0' ? text : "", rows[i].eta) != 0)
			fail_msg("%s: %s", rows[i].comment, text);
		headway_eta(&w->headway, 999, eta);
		assert_string_equal(eta, ""); /* too early */
		world_free(w);
	}
}

static void
test_rates_of_commands(void **state)
{
	struct world *w = world_new(10000, false, 0, 0);
	char rate[HUMAN_SIZE];
	uint64_t ms;

	(void)state;
	headway_rate(&w->headway, 5000, rate);
	assert_string_equal(rate, "");
	world_done(w, 2);
	headway_rate(&w->headway, 60000, rate);
	assert_string_equal(rate, "2/min");
	world_done(w, 3);
	headway_rate(&w->headway, 60000, rate);
	assert_string_equal(rate, "5/min");
	/* One unit for what is near one a second. */
	headway_rate(&w->headway, 50000, rate);
	assert_string_equal(rate, "0.1/s");
	headway_rate(&w->headway, 6000, rate);
	assert_string_equal(rate, "0.8/s");
	headway_rate(&w->headway, 4500, rate);
	assert_string_equal(rate, "1.1/s");
	world_done(w, 4995);
	headway_rate(&w->headway, 20000, rate);
	assert_string_equal(rate, "250/s");
	/* Only the last minute counts. */
	for (ms = 20000; ms <= 120000; ms += 100)
		headway_look(&w->headway, ms);
	world_done(w, 300);
	headway_rate(&w->headway, 120000, rate);
	assert_in_range(strtoul(rate, NULL, 10), 4, 6);
	world_free(w);
}

static void
test_the_slowest_are_named(void **state)
{
	struct world *w = world_new(9, false, 0, 0);

	(void)state;
	world_running(w, 5, 4);
	world_slow(w, "web01", 100);
	world_slow(w, "a-name-of-a-host-that-goes-on-and-on.example", 2000);
	world_slow(w, "db03", 59000);
	world_slow(w, "db04", 59000);
	show(w, 61000);
	assert_drawn(w,
	    "[                   ] 0/9 done, 5 running, 4 waiting\r\n"
	    "slowest: web01 1:00, a-name-of-a-host-that-goes-... 0:59, "
	    "db03 0:02" UP);
	/* Not for less than a second. */
	world_running(w, 1, 8);
	world_slow(w, "web01", 61000);
	show(w, 61999);
	assert_drawn(
	    w, ERASE "[                   ] 0/9 done, 1 running, 8 waiting\r");
	world_free(w);
}

/* At most 79 columns: the bar is half as wide, or not there at all. */
static void
test_no_line_is_as_wide_as_the_terminal(void **state)
{
	struct world *w = world_new(100000, false, 0, 0);

	(void)state;
	world_done(w, 54321);
	world_running(w, 10000, 35679);
	show(w, 60000);
	assert_drawn(w,
	    "[####     ] 54321/100000 done, 10000 running, 35679 waiting  "
	    "905/s  ETA 0:51\r");
	w->tally.counts[STATUS_OK] = w->tally.ended - 12345;
	show(w, 60100);
	assert_drawn(w,
	    ERASE "54321/100000 done, 12345 failed, 10000 running, "
		  "35679 waiting  904/s  ETA 0:51\r");
	w->tally.counts[STATUS_OK] = w->tally.ended - 1234567890;
	show(w, 60200);
	assert_drawn(w,
	    ERASE "54321/100000 done, 1234567890 failed, 10000 running, "
		  "35679 waiting  902/s\r");
	world_free(w);
}

static void
test_the_state_in_words(void **state)
{
	struct record bad = record_of(1, STATUS_FAILED, 0);
	struct world *w = world_new(100, false, 0, 0);

	(void)state;
	world_done(w, 40);
	world_record(w, &bad);
	world_running(w, 5, 54);
	world_slow(w, "web07", 100);
	world_slow(w, "db03", 61000);
	headway_print(&w->headway, 61200, &w->sink.buf);
	assert_drawn(w,
	    "100 hosts: 41 done, 1 failed, 5 running, 54 waiting "
	    "(1:01 min, 0.7/s, ETA 1:29)\n"
	    "slowest: web07 command 1:01 min, db03 command 0.2 s\n");
	world_free(w);
	w = world_new(1, true, 2 * MB, 0);
	headway_print(&w->headway, 0, &w->sink.buf);
	assert_drawn(w,
	    "1 host: 0 done, 0 running, 1 waiting; 0 B of 2.0 MB (0 %) "
	    "(0.0 s, 0 B/s)\n");
	world_free(w);
}

static void
test_the_lines_make_room_for_others(void **state)
{
	static const char line[] =
	    "[                   ] 0/1 done, 1 running\r";
	struct world *w = world_new(1, false, 0, 0);

	(void)state;
	world_running(w, 1, 0);
	progress_hide(w->progress);
	assert_drawn(w, ""); /* nothing was shown */
	show(w, 250);
	assert_drawn(w, line);
	show(w, 349);
	assert_drawn(w, ""); /* at most ten times a second */
	assert_true(progress_gathers(w->progress, 349));
	assert_false(progress_gathers(w->progress, 350));
	progress_hide(w->progress);
	progress_hide(w->progress);
	buf_puts(&w->sink.buf, "web01: text\n");
	show(w, 350); /* not before that is out */
	assert_drawn(w, ERASE "web01: text\n");
	assert_false(progress_gathers(w->progress, 351));
	progress_show(w->progress, false, 450); /* nor what else is */
	assert_drawn(w, "");
	show(w, 550);
	assert_drawn(w, line);
	assert_int_equal(progress_due_ms(w->progress), 650);
	world_free(w);
}

/* A terminal that takes nothing must not fill memory. */
static void
test_a_slow_terminal_gets_it_once(void **state)
{
	struct world *w = world_new(1, false, 0, 0);
	size_t len;
	uint64_t ms;

	(void)state;
	show(w, 250);
	len = buf_len(&w->sink.buf);
	assert_true(len > 0);
	for (ms = 350; ms < 100000; ms += 100)
		show(w, ms);
	assert_int_equal(buf_len(&w->sink.buf), len);
	world_free(w);
}

static void
test_hostile_numbers(void **state)
{
	struct record r = record_of(0, STATUS_OK, 7);
	struct world *w = world_new(2, true, 0, 0);

	(void)state;
	headway_bytes(&w->headway, 0, UINT64_MAX, 1);
	headway_bytes(&w->headway, 1, UINT64_MAX, UINT64_MAX);
	show(w, 1);
	show(w, 1000);
	buf_consume(&w->sink.buf, buf_len(&w->sink.buf));
	headway_bytes(&w->headway, 0, 0, 0);
	headway_bytes(&w->headway, 1, 0, 0);
	show(w, 2000);
	buf_consume(&w->sink.buf, buf_len(&w->sink.buf));
	world_record(w, &r);
	r.seq = 1;
	world_record(w, &r);
	world_running(w, 0, 0);
	show(w, 100000);
	assert_drawn(w,
	    ERASE "[###################] 2/2 done, 0 running  0 B/s\r\n"
		  "14 B of 14 B (100 %)  " UP);
	world_free(w);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sizes),
	    cmocka_unit_test(test_times),
	    cmocka_unit_test(test_put_knows_the_total_at_once),
	    cmocka_unit_test(test_get_learns_totals_from_hosts),
	    cmocka_unit_test(test_eta_of_commands),
	    cmocka_unit_test(test_rates_of_commands),
	    cmocka_unit_test(test_the_slowest_are_named),
	    cmocka_unit_test(test_no_line_is_as_wide_as_the_terminal),
	    cmocka_unit_test(test_the_state_in_words),
	    cmocka_unit_test(test_the_lines_make_room_for_others),
	    cmocka_unit_test(test_a_slow_terminal_gets_it_once),
	    cmocka_unit_test(test_hostile_numbers),
	    cmocka_unit_test(test_summary_adds_up),
	    cmocka_unit_test(test_summary_of_commands_has_no_bytes),
	    cmocka_unit_test(test_summary_has_latencies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
