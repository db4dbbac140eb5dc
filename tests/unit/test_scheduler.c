/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scheduler: what may start when, with the time in the test's own hands. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/scheduler.h"
#include "util/prng.h"
#include "util/xalloc.h"

#define NONE   SCHEDULER_NO_JOB
#define FANOUT 10000

/* A run without workers: what starts is at worker 0. */
struct world {
	struct host *hosts;
	uint32_t count;
	char (*addresses)[16];
	struct ledger *ledger;
	struct scheduler *scheduler;
	uint64_t now_ms;
	/* of each job */
	unsigned *starts, *ends;
	enum status *statuses;
	char reason[128]; /* of the last one that was skipped */
};

/* Hosts of different addresses and one user, each host by itself. */
static struct world *
world_hosts(uint32_t count)
{
	struct world *w = xcalloc(1, sizeof(*w));
	static char user[] = "deploy";
	uint32_t i;

	w->count = count;
	w->hosts = xcalloc(count, sizeof(*w->hosts));
	w->addresses = xcalloc(count, sizeof(*w->addresses));
	for (i = 0; i < count; i++) {
		snprintf(w->addresses[i], sizeof(w->addresses[i]), "host%u", i);
		w->hosts[i].address = w->addresses[i];
		w->hosts[i].port = 22;
		w->hosts[i].user = user;
	}
	w->starts = xcalloc(count, sizeof(*w->starts));
	w->ends = xcalloc(count, sizeof(*w->ends));
	w->statuses = xcalloc(count, sizeof(*w->statuses));
	w->now_ms = 1000000;
	return w;
}

static void
world_begin(struct world *w, const struct schedule *schedule, uint32_t fanout)
{
	w->ledger = ledger_new(w->count);
	w->scheduler =
	    scheduler_new(schedule, w->hosts, w->count, fanout, w->ledger);
	scheduler_look(w->scheduler, w->now_ms);
}

static struct world *
world_new(uint32_t count, const struct schedule *schedule)
{
	struct world *w = world_hosts(count);

	world_begin(w, schedule, FANOUT);
	return w;
}

static void
world_free(struct world *w)
{
	scheduler_free(w->scheduler);
	ledger_free(w->ledger);
	free(w->hosts);
	free(w->addresses);
	free(w->starts);
	free(w->ends);
	free(w->statuses);
	free(w);
}

static void
over(struct world *w, uint32_t job, enum status status)
{
	w->ends[job]++;
	w->statuses[job] = status;
}

/* Returns the job, or NONE. */
static uint32_t
start(struct world *w)
{
	uint32_t job = scheduler_next(w->scheduler);

	if (job == NONE)
		return NONE;
	ledger_assign(w->ledger, job, 0);
	w->starts[job]++;
	return job;
}

/* Start all that may start now. Returns how many. */
static unsigned
start_all(struct world *w)
{
	unsigned count = 0;

	while (start(w) != NONE)
		count++;
	return count;
}

/* Returns whether it is tried again. */
static bool
end(struct world *w, uint32_t job, enum status status, enum stage stage)
{
	if (scheduler_ended(
		w->scheduler, job, status, stage, true, w->now_ms)) {
		ledger_wait(w->ledger, job);
		return true;
	}
	ledger_finish(w->ledger, job);
	over(w, job, status);
	return false;
}

static void
end_ok(struct world *w, uint32_t job)
{
	assert_false(end(w, job, STATUS_OK, STAGE_NONE));
}

static void
end_all_ok(struct world *w)
{
	uint32_t job;

	for (job = 0; job < w->count; job++) {
		if (ledger_is_at(w->ledger, job, 0))
			end_ok(w, job);
	}
}

/* What a round does before it starts jobs. Returns how many were skipped. */
static unsigned
look(struct world *w)
{
	const char *reason;
	unsigned skipped = 0;
	uint32_t job;

	while ((job = scheduler_skip(w->scheduler, &reason)) != NONE) {
		snprintf(w->reason, sizeof(w->reason), "%s", reason);
		ledger_drop(w->ledger, job);
		over(w, job, STATUS_SKIPPED);
		skipped++;
	}
	scheduler_look(w->scheduler, w->now_ms);
	return skipped;
}

/* Sleep as the loop does; returns how long, or UINT64_MAX for ever. */
static uint64_t
wake(struct world *w)
{
	uint64_t due = scheduler_due_ms(w->scheduler), before = w->now_ms;

	if (due == UINT64_MAX)
		return due;
	assert_true(due > w->now_ms);
	w->now_ms = due;
	look(w);
	return due - before;
}

/* --- order and pace ------------------------------------------------------ */

static void
test_jobs_come_in_order(void **state)
{
	struct world *w = world_new(3, &(struct schedule){0});

	(void)state;
	assert_int_equal(start(w), 0);
	assert_int_equal(start(w), 1);
	assert_int_equal(start(w), 2);
	assert_int_equal(start(w), NONE);
	assert_int_equal(wake(w), UINT64_MAX);
	world_free(w);
}

static void
test_a_seed_makes_an_order(void **state)
{
	enum { COUNT = 100 };
	const uint64_t seeds[] = {1, 1, 2};
	uint32_t orders[3][COUNT], i, k;
	struct world *w;

	(void)state;
	for (k = 0; k < 3; k++) {
		w = world_new(COUNT,
		    &(struct schedule){.is_shuffled = true, .seed = seeds[k]});
		for (i = 0; i < COUNT; i++) {
			w->now_ms += 1000;
			look(w);
			orders[k][i] = start(w);
			assert_in_range(orders[k][i], 0, COUNT - 1);
			assert_int_equal(w->starts[orders[k][i]], 1);
		}
		world_free(w);
	}
	assert_memory_equal(orders[0], orders[1], sizeof(orders[0]));
	assert_memory_not_equal(orders[0], orders[2], sizeof(orders[0]));
	for (i = 0; i < COUNT && orders[0][i] == i; i++)
		;
	assert_true(i < COUNT);
}

static void
test_no_more_than_the_fanout(void **state)
{
	struct world *w = world_hosts(5);

	(void)state;
	world_begin(w, &(struct schedule){0}, 3);
	assert_int_equal(start_all(w), 3);
	/* Time does not help, an end does. */
	assert_int_equal(wake(w), UINT64_MAX);
	end_ok(w, 1);
	assert_int_equal(start(w), 3);
	assert_int_equal(start(w), NONE);
	world_free(w);
}

static void
test_the_start_is_a_ramp(void **state)
{
	struct world *w = world_new(1000, &(struct schedule){0});
	unsigned flying = 32;

	(void)state;
	assert_int_equal(start_all(w), 32);
	while (flying < 1000) {
		assert_int_equal(wake(w), 250);
		assert_int_equal(
		    start_all(w), 2 * flying <= 1000 ? flying : 1000 - flying);
		flying = 2 * flying <= 1000 ? 2 * flying : 1000;
	}
	assert_int_equal(wake(w), UINT64_MAX);
	world_free(w);
}

static void
test_ends_make_room_on_the_ramp(void **state)
{
	struct world *w = world_new(1000, &(struct schedule){0});
	uint32_t job;

	(void)state;
	start_all(w);
	for (job = 0; job < 1000 - 32; job++) {
		end_ok(w, job);
		assert_int_equal(start_all(w), 1);
	}
	world_free(w);
}

static void
test_the_rate_spaces_connections(void **state)
{
	struct world *w = world_new(60, &(struct schedule){.rate = 10});
	uint64_t began;
	int i;

	(void)state;
	began = w->now_ms;
	assert_int_equal(start_all(w), 1);
	for (i = 1; i < 30; i++) {
		assert_int_equal(wake(w), 100);
		assert_int_equal(start_all(w), 1);
		end_all_ok(w);
	}
	assert_int_equal(w->now_ms - began, 2900);
	world_free(w);
}

static void
test_the_rate_makes_up_for_a_late_moment_only(void **state)
{
	struct world *w = world_new(3000, &(struct schedule){.rate = 1000});

	(void)state;
	assert_int_equal(start_all(w), 1);
	w->now_ms += 7;
	look(w);
	assert_int_equal(start_all(w), 7);
	end_all_ok(w);
	/* Ten seconds of sleep are no credit for ten thousand. */
	w->now_ms += 10000;
	look(w);
	assert_in_range(start_all(w), 1, 25);
	world_free(w);
}

static void
test_retries_and_reconnections_count_for_the_rate(void **state)
{
	struct world *w =
	    world_new(3, &(struct schedule){.rate = 1, .retries = 9});

	(void)state;
	assert_int_equal(start(w), 0);
	scheduler_reconnected(w->scheduler);
	assert_true(end(w, 0, STATUS_UNREACHABLE, STAGE_CONNECT));
	look(w);
	assert_int_equal(wake(w), 2000);
	assert_int_equal(start_all(w), 1);
	assert_int_equal(wake(w), 1000);
	assert_int_equal(start_all(w), 1);
	world_free(w);
}

/* --- retries ------------------------------------------------------------- */

static void
test_a_retry_waits_and_holds_no_slot(void **state)
{
	struct world *w = world_hosts(2);
	uint64_t slept;

	(void)state;
	world_begin(w,
	    &(struct schedule){.retries = 2, .retry_delay_ms = 1000, .seed = 3},
	    1);
	assert_int_equal(start(w), 0);
	assert_int_equal(start(w), NONE);
	assert_true(end(w, 0, STATUS_UNREACHABLE, STAGE_CONNECT));
	assert_int_equal(start(w), 1);
	end_ok(w, 1);
	slept = wake(w);
	assert_in_range(slept, 1, 1000);
	assert_int_equal(start(w), 0);
	assert_true(end(w, 0, STATUS_TIMEOUT, STAGE_AUTH));
	slept = wake(w);
	assert_in_range(slept, 1, 2000);
	assert_int_equal(start(w), 0);
	assert_false(end(w, 0, STATUS_UNREACHABLE, STAGE_CONNECT));
	assert_int_equal(ledger_assignments(w->ledger, 0), 3);
	assert_int_equal(w->statuses[0], STATUS_UNREACHABLE);
	assert_int_equal(wake(w), UINT64_MAX);
	world_free(w);
}

static void
test_without_retries_there_are_none(void **state)
{
	struct world *w = world_new(1, &(struct schedule){0});

	(void)state;
	start(w);
	assert_false(end(w, 0, STATUS_UNREACHABLE, STAGE_CONNECT));
	world_free(w);
}

static void
test_what_speaks_against_a_retry(void **state)
{
	struct world *w = world_new(1, &(struct schedule){.retries = 100});

	(void)state;
	start(w);
	assert_false(scheduler_ended(w->scheduler, 0, STATUS_UNREACHABLE,
	    STAGE_CONNECT, false, w->now_ms));
	world_free(w);
}

static void
test_throttled_is_retried_once_after_a_long_pause(void **state)
{
	struct world *w = world_new(
	    1, &(struct schedule){.retries = 9, .retry_delay_ms = 1000});
	uint64_t slept;

	(void)state;
	start(w);
	assert_true(end(w, 0, STATUS_UNREACHABLE, STAGE_THROTTLED));
	slept = wake(w);
	assert_in_range(slept, 30000, 45000);
	assert_int_equal(start(w), 0);
	/* What else happens is not counted with it. */
	assert_true(end(w, 0, STATUS_UNREACHABLE, STAGE_CONNECT));
	wake(w);
	assert_int_equal(start(w), 0);
	assert_false(end(w, 0, STATUS_UNREACHABLE, STAGE_THROTTLED));
	world_free(w);
}

static void
test_a_job_whose_worker_died_goes_first(void **state)
{
	struct world *w = world_hosts(4);
	int lost;

	(void)state;
	world_begin(w, &(struct schedule){0}, 2);
	assert_int_equal(start_all(w), 2);
	while (ledger_worker_died(w->ledger, 0, &lost) != LEDGER_NO_JOB)
		;
	scheduler_requeue(w->scheduler, 0);
	scheduler_requeue(w->scheduler, 1);
	look(w);
	assert_int_equal(start(w), 0);
	assert_int_equal(start(w), 1);
	assert_int_equal(start(w), NONE);
	world_free(w);
}

/* --- waves --------------------------------------------------------------- */

static const struct schedule rolling = {
    .waves = {.sizes = {{1, false}, {30, true}}, .count = 2}};

static void
test_a_wave_ends_before_the_next_one_starts(void **state)
{
	static const unsigned sizes[] = {1, 3, 3, 3};
	struct world *w = world_new(10, &rolling);
	uint32_t job = 0;
	unsigned wave, i;

	(void)state;
	for (wave = 0; wave < 4; wave++) {
		look(w);
		assert_int_equal(start_all(w), sizes[wave]);
		for (i = 0; i < sizes[wave]; i++) {
			look(w);
			assert_int_equal(start_all(w), 0);
			end_ok(w, job++);
		}
	}
	look(w);
	assert_int_equal(ledger_done(w->ledger), 10);
	assert_int_equal(wake(w), UINT64_MAX);
	world_free(w);
}

static void
test_a_wave_waits_for_its_retries(void **state)
{
	struct schedule schedule = rolling;
	struct world *w;

	(void)state;
	schedule.retries = 1;
	schedule.retry_delay_ms = 1000;
	w = world_new(10, &schedule);
	start_all(w);
	assert_true(end(w, 0, STATUS_UNREACHABLE, STAGE_DNS));
	look(w);
	assert_int_equal(start_all(w), 0);
	wake(w);
	assert_int_equal(start(w), 0);
	assert_false(end(w, 0, STATUS_UNREACHABLE, STAGE_DNS));
	look(w);
	assert_int_equal(start(w), 1);
	world_free(w);
}

static void
test_a_pause_between_waves(void **state)
{
	struct schedule schedule = rolling;
	struct world *w;

	(void)state;
	schedule.pause_ms = 5000;
	w = world_new(4, &schedule);
	assert_int_equal(start_all(w), 1);
	end_all_ok(w);
	look(w);
	assert_int_equal(start_all(w), 0);
	assert_int_equal(wake(w), 5000);
	assert_int_equal(start_all(w), 2);
	end_all_ok(w);
	look(w);
	assert_int_equal(wake(w), 5000);
	assert_int_equal(start_all(w), 1);
	end_all_ok(w);
	look(w);
	/* None after the last one. */
	assert_int_equal(wake(w), UINT64_MAX);
	world_free(w);
}

static void
test_the_question_counts_those_that_will_start(void **state)
{
	static char other[] = "other";
	struct schedule schedule = {.has_confirm = true,
	    .auth_fail_limit = 1,
	    .waves = {
		.sizes = {{1, false}, {1, false}, {100, true}}, .count = 3}};
	struct scheduler_wave wave;
	struct world *w = world_hosts(6);

	(void)state;
	w->hosts[0].user = w->hosts[1].user = other;
	world_begin(w, &schedule, FANOUT);
	assert_int_equal(start_all(w), 1);
	end(w, 0, STATUS_DENIED, STAGE_AUTH);
	/* All of the second wave is skipped. */
	assert_int_equal(look(w), 1);
	assert_true(scheduler_asks(w->scheduler, &wave));
	assert_int_equal(wave.done, 2);
	assert_int_equal(wave.next, 4);
	scheduler_confirm(w->scheduler, true);
	look(w);
	assert_int_equal(start_all(w), 4);
	end_all_ok(w);
	world_free(w);
}

static void
test_waves_are_confirmed_or_not(void **state)
{
	struct schedule schedule = rolling;
	struct scheduler_wave wave;
	struct world *w;

	(void)state;
	schedule.has_confirm = true;
	w = world_new(10, &schedule);
	assert_false(scheduler_asks(w->scheduler, &wave));
	start_all(w);
	assert_false(end(w, 0, STATUS_FAILED, STAGE_COMMAND));
	look(w);
	assert_true(scheduler_asks(w->scheduler, &wave));
	assert_int_equal(wave.done, 1);
	assert_int_equal(wave.failed, 1);
	assert_int_equal(wave.next, 3);
	assert_int_equal(wave.total, 10);
	assert_int_equal(start_all(w), 0);
	assert_int_equal(wake(w), UINT64_MAX);
	scheduler_confirm(w->scheduler, true);
	assert_false(scheduler_asks(w->scheduler, &wave));
	look(w);
	assert_int_equal(start_all(w), 3);
	end_all_ok(w);
	look(w);
	assert_true(scheduler_asks(w->scheduler, &wave));
	scheduler_confirm(w->scheduler, false);
	assert_int_equal(look(w), 6);
	assert_string_equal(w->reason, "not confirmed");
	assert_false(scheduler_asks(w->scheduler, &wave));
	assert_int_equal(ledger_done(w->ledger), 10);
	world_free(w);
}

static void
test_an_order_by_chance_has_waves_too(void **state)
{
	struct schedule schedule = rolling;
	struct world *w;
	unsigned started = 0, waves = 0, n;

	(void)state;
	schedule.is_shuffled = true;
	schedule.seed = 99;
	w = world_new(10, &schedule);
	while ((n = start_all(w)) > 0) {
		started += n;
		waves++;
		end_all_ok(w);
		look(w);
	}
	assert_int_equal(started, 10);
	assert_int_equal(waves, 4);
	world_free(w);
}

/* --- max-fail ------------------------------------------------------------ */

static void
test_more_failures_than_allowed_stop_the_run(void **state)
{
	static const struct {
		const char *comment;
		struct amount max_fail;
		uint32_t allowed; /* of 40 hosts */
		const char *reason;
	} rows[] = {
	    {"none", {0, false}, 0,
		"not started: 1 host had failed (-max-fail 0)"},
	    {"two", {2, false}, 2,
		"not started: 3 hosts had failed (-max-fail 2)"},
	    {"a twentieth", {5, true}, 2,
		"not started: 3 hosts had failed (-max-fail 5%)"},
	    {"a bit less", {7, true}, 2,
		"not started: 3 hosts had failed (-max-fail 7%)"},
	};
	struct world *w;
	uint32_t i, k;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		w = world_hosts(40);
		world_begin(w,
		    &(struct schedule){.has_max_fail = true,
			.max_fail = rows[i].max_fail,
			.retries = 1},
		    10);
		start_all(w);
		for (k = 0; k < rows[i].allowed; k++) {
			end(w, k, STATUS_FAILED, STAGE_COMMAND);
			assert_int_equal(look(w), 0);
			assert_int_equal(start_all(w), 1);
		}
		end(w, k, STATUS_LOST, STAGE_COMMAND);
		assert_int_equal(look(w), 40 - 10 - rows[i].allowed);
		assert_string_equal(w->reason, rows[i].reason);
		assert_int_equal(start_all(w), 0);
		/* Those in flight end as they end, and are not retried. */
		assert_false(end(w, k + 1, STATUS_UNREACHABLE, STAGE_CONNECT));
		assert_int_equal(w->statuses[k + 1], STATUS_UNREACHABLE);
		world_free(w);
	}
}

static void
test_who_waits_for_a_retry_is_skipped_too(void **state)
{
	struct world *w = world_new(2,
	    &(struct schedule){
		.retries = 1, .retry_delay_ms = 1000, .has_max_fail = true});

	(void)state;
	start_all(w);
	assert_true(end(w, 0, STATUS_UNREACHABLE, STAGE_CONNECT));
	assert_int_equal(look(w), 0);
	end(w, 1, STATUS_FAILED, STAGE_COMMAND);
	assert_int_equal(look(w), 1);
	assert_int_equal(w->statuses[0], STATUS_SKIPPED);
	while (wake(w) != UINT64_MAX)
		assert_int_equal(start(w), NONE);
	world_free(w);
}

/* --- startups ------------------------------------------------------------ */

static void
test_one_address_gets_so_many_handshakes(void **state)
{
	struct world *w = world_hosts(12);
	uint32_t i;

	(void)state;
	/* 0 to 9 are one server, however it is spelled; 10 and 11 are not. */
	for (i = 0; i < 10; i++)
		snprintf(w->addresses[i], sizeof(w->addresses[i]), "%s",
		    i % 2 == 0 ? "gate" : "GATE");
	snprintf(w->addresses[10], sizeof(w->addresses[10]), "gate");
	w->hosts[10].port = 2222;
	world_begin(w, &(struct schedule){.max_startups = 3}, FANOUT);
	assert_int_equal(start(w), 0);
	assert_int_equal(start(w), 1);
	assert_int_equal(start(w), 2);
	/* Others are not held up. */
	assert_int_equal(start(w), 10);
	assert_int_equal(start(w), 11);
	assert_int_equal(start(w), NONE);
	/* Logged in: the next one, once. */
	scheduler_authenticated(w->scheduler, 1);
	look(w);
	assert_int_equal(start(w), 3);
	assert_int_equal(start(w), NONE);
	end_ok(w, 1);
	assert_int_equal(start(w), NONE);
	/* Over before a login. */
	end(w, 0, STATUS_DENIED, STAGE_AUTH);
	assert_int_equal(start(w), 4);
	assert_int_equal(start(w), NONE);
	for (i = 2; i < 10; i++) {
		end_ok(w, i);
		look(w);
		start_all(w);
	}
	assert_int_equal(ledger_in_flight(w->ledger), 2);
	assert_int_equal(ledger_done(w->ledger), 10);
	world_free(w);
}

static void
test_a_dead_worker_leaves_the_servers(void **state)
{
	struct world *w = world_hosts(3);
	int lost;

	(void)state;
	w->hosts[1].address = w->hosts[2].address = w->hosts[0].address;
	world_begin(w, &(struct schedule){.max_startups = 1}, FANOUT);
	assert_int_equal(start_all(w), 1);
	assert_int_equal(ledger_worker_died(w->ledger, 0, &lost), 0);
	scheduler_requeue(w->scheduler, 0);
	look(w);
	assert_int_equal(start_all(w), 1);
	end_all_ok(w);
	assert_int_equal(start_all(w), 1);
	end_all_ok(w);
	assert_int_equal(start_all(w), 1);
	end_all_ok(w);
	assert_int_equal(ledger_done(w->ledger), 3);
	world_free(w);
}

/* --- breaker ------------------------------------------------------------- */

static void
test_a_credential_that_is_refused_is_given_up(void **state)
{
	static char key[] = "/home/x/.ssh/id_rsa", secret[] = "secret";
	struct world *w = world_hosts(40);
	uint32_t i;

	(void)state;
	/* Every second one has another key, every fourth a password, too. */
	for (i = 1; i < 40; i += 2)
		w->hosts[i].identity_file = key;
	for (i = 3; i < 40; i += 4)
		w->hosts[i].password = secret;
	world_begin(w, &(struct schedule){.auth_fail_limit = 3}, 12);
	assert_int_equal(start_all(w), 12);
	/* Two of one, three of the other, none of the third. */
	end(w, 1, STATUS_DENIED, STAGE_AUTH);
	end(w, 0, STATUS_DENIED, STAGE_AUTH);
	end(w, 5, STATUS_DENIED, STAGE_AUTH);
	end(w, 2, STATUS_DENIED, STAGE_AUTH);
	/* Neither of these counts. */
	end(w, 6, STATUS_DENIED, STAGE_HOSTKEY);
	end(w, 8, STATUS_TIMEOUT, STAGE_AUTH);
	assert_int_equal(look(w), 0);
	/* Closed during the login: as good as refused. */
	end(w, 4, STATUS_UNREACHABLE, STAGE_AUTH);
	assert_int_equal(look(w), 14); /* 12, 14, ... 38 */
	assert_string_equal(w->reason,
	    "login as deploy with default keys failed 3 times in a row");
	/* 10 was in flight and may go on; no other one starts. */
	while ((i = start(w)) != NONE) {
		assert_int_equal(i % 2, 1);
		scheduler_authenticated(w->scheduler, i);
		end_ok(w, i);
	}
	scheduler_authenticated(w->scheduler, 10);
	end_ok(w, 10);
	end(w, 3, STATUS_DENIED, STAGE_AUTH);
	end(w, 7, STATUS_DENIED, STAGE_AUTH);
	end(w, 11, STATUS_DENIED, STAGE_AUTH);
	end(w, 9, STATUS_DENIED, STAGE_AUTH);
	look(w);
	assert_int_equal(ledger_done(w->ledger), 40);
	world_free(w);
}

static void
test_the_reason_names_the_credential(void **state)
{
	static char key[] = "/home/x/.ssh/id_rsa", secret[] = "secret";
	struct world *w = world_hosts(3);

	(void)state;
	w->hosts[0].identity_file = w->hosts[1].identity_file =
	    w->hosts[2].identity_file = key;
	w->hosts[0].password = w->hosts[1].password = w->hosts[2].password =
	    secret;
	world_begin(w, &(struct schedule){.auth_fail_limit = 2}, 2);
	start_all(w);
	end(w, 0, STATUS_DENIED, STAGE_AUTH);
	end(w, 1, STATUS_DENIED, STAGE_AUTH);
	assert_int_equal(look(w), 1);
	assert_string_equal(w->reason,
	    "login as deploy with key id_rsa and password failed 2 times in a "
	    "row");
	world_free(w);
}

static void
test_a_login_makes_refusals_count_anew(void **state)
{
	struct world *w = world_hosts(20);
	uint32_t i;

	(void)state;
	world_begin(w, &(struct schedule){.auth_fail_limit = 3}, 1);
	for (i = 0; i < 18; i++) {
		assert_int_equal(start(w), i);
		if (i % 3 == 2) {
			scheduler_authenticated(w->scheduler, i);
			end(w, i, STATUS_FAILED, STAGE_COMMAND);
		} else {
			end(w, i, STATUS_DENIED, STAGE_AUTH);
		}
		assert_int_equal(look(w), 0);
	}
	world_free(w);
}

static void
test_no_limit_breaks_nothing(void **state)
{
	struct world *w = world_new(30, &(struct schedule){0});
	uint32_t i;

	(void)state;
	assert_int_equal(start_all(w), 30);
	for (i = 0; i < 30; i++)
		end(w, i, STATUS_DENIED, STAGE_AUTH);
	assert_int_equal(look(w), 0);
	world_free(w);
}

static void
test_a_broken_credential_is_not_retried(void **state)
{
	struct world *w = world_new(3,
	    &(struct schedule){
		.auth_fail_limit = 1, .retries = 5, .retry_delay_ms = 1000});
	int lost;

	(void)state;
	assert_int_equal(start_all(w), 3);
	assert_true(end(w, 2, STATUS_TIMEOUT, STAGE_AUTH));
	end(w, 0, STATUS_DENIED, STAGE_AUTH);
	assert_int_equal(look(w), 1); /* 2, which was waiting */
	/* Not after the death of its worker either. */
	assert_int_equal(ledger_worker_died(w->ledger, 0, &lost), 1);
	scheduler_requeue(w->scheduler, 1);
	assert_int_equal(look(w), 1);
	assert_int_equal(ledger_done(w->ledger), 3);
	world_free(w);
}

static void
test_parked_jobs_of_a_broken_credential_hold_up_nobody(void **state)
{
	static char other[] = "other";
	struct world *w = world_hosts(6);
	uint32_t i;

	(void)state;
	for (i = 0; i < 6; i++)
		w->hosts[i].address = w->addresses[0];
	w->hosts[4].user = w->hosts[5].user = other;
	world_begin(w,
	    &(struct schedule){.auth_fail_limit = 1, .max_startups = 1},
	    FANOUT);
	assert_int_equal(start_all(w), 1);
	end(w, 0, STATUS_DENIED, STAGE_AUTH);
	/* 1 was called back in its place, and is among the skipped. */
	assert_int_equal(look(w), 3);
	assert_int_equal(start(w), 4);
	end_ok(w, 4);
	assert_int_equal(start(w), 5);
	end_ok(w, 5);
	assert_int_equal(ledger_done(w->ledger), 6);
	world_free(w);
}

/* --- all together -------------------------------------------------------- */

/* What may end a job in these lives. */
static const struct {
	enum status status;
	enum stage stage;
} fates[] = {
    {STATUS_OK, STAGE_NONE},
    {STATUS_OK, STAGE_NONE},
    {STATUS_OK, STAGE_NONE},
    {STATUS_FAILED, STAGE_COMMAND},
    {STATUS_UNREACHABLE, STAGE_CONNECT},
    {STATUS_UNREACHABLE, STAGE_THROTTLED},
    {STATUS_TIMEOUT, STAGE_BANNER},
    {STATUS_DENIED, STAGE_AUTH},
};

static void
random_event(struct world *w, uint64_t *prng)
{
	uint32_t job = (uint32_t)prng_below(prng, w->count);
	uint64_t fate = prng_below(prng, sizeof(fates) / sizeof(fates[0]));
	int lost;

	while (!ledger_is_at(w->ledger, job, 0))
		job = (job + 1) % w->count;
	switch (prng_below(prng, 20)) {
	case 0:
		while ((job = ledger_worker_died(w->ledger, 0, &lost)) !=
		    LEDGER_NO_JOB) {
			if (!lost) {
				scheduler_requeue(w->scheduler, job);
				continue;
			}
			scheduler_ended(w->scheduler, job, STATUS_LOST,
			    STAGE_COMMAND, false, w->now_ms);
			over(w, job, STATUS_LOST);
		}
		break;
	case 1:
	case 2:
	case 3:
		scheduler_authenticated(w->scheduler, job);
		break;
	default:
		end(w, job, fates[fate].status, fates[fate].stage);
	}
}

/*
 * Random runs come to their end, whatever they are told to do: each job ends
 * once, and nothing is waited for that does not come.
 */
static void
random_life(uint64_t seed)
{
	uint64_t prng = seed;
	struct schedule schedule = {.retries = (uint32_t)(seed % 4),
	    .retry_delay_ms = 500,
	    .pause_ms = seed % 3 == 0 ? 700 : 0,
	    .has_confirm = seed % 5 == 0,
	    .has_max_fail = seed % 7 == 0,
	    .max_fail = {20, true},
	    .is_shuffled = seed % 2 == 0,
	    .seed = seed,
	    .rate = seed % 4 == 0 ? 100 : 0,
	    .max_startups = (uint32_t)(seed % 6),
	    .auth_fail_limit = (uint32_t)(seed % 9)};
	struct world *w = world_hosts(150);
	struct scheduler_wave wave;
	uint32_t i, rounds = 0;

	if (seed % 3 != 1)
		schedule.waves = (struct waves){
		    .sizes = {{2, false}, {15, true}}, .count = 2};
	for (i = 0; i < w->count; i++)
		w->hosts[i].address = w->addresses[prng_below(&prng, 20)];
	world_begin(w, &schedule, 40);
	while (ledger_done(w->ledger) < w->count) {
		look(w);
		start_all(w);
		if (scheduler_asks(w->scheduler, &wave)) {
			assert_int_equal(ledger_in_flight(w->ledger), 0);
			scheduler_confirm(
			    w->scheduler, prng_below(&prng, 9) > 0);
		} else if (ledger_in_flight(w->ledger) > 0 &&
		    prng_below(&prng, 4) > 0) {
			random_event(w, &prng);
		} else if (wake(w) == UINT64_MAX &&
		    ledger_done(w->ledger) < w->count) {
			assert_true(ledger_in_flight(w->ledger) > 0);
		}
		assert_true(++rounds < 100000);
	}
	for (i = 0; i < w->count; i++)
		assert_int_equal(w->ends[i], 1);
	world_free(w);
}

static void
test_random_lives(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= 300; seed++)
		random_life(seed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_jobs_come_in_order),
	    cmocka_unit_test(test_a_seed_makes_an_order),
	    cmocka_unit_test(test_no_more_than_the_fanout),
	    cmocka_unit_test(test_the_start_is_a_ramp),
	    cmocka_unit_test(test_ends_make_room_on_the_ramp),
	    cmocka_unit_test(test_the_rate_spaces_connections),
	    cmocka_unit_test(test_the_rate_makes_up_for_a_late_moment_only),
	    cmocka_unit_test(test_retries_and_reconnections_count_for_the_rate),
	    cmocka_unit_test(test_a_retry_waits_and_holds_no_slot),
	    cmocka_unit_test(test_without_retries_there_are_none),
	    cmocka_unit_test(test_what_speaks_against_a_retry),
	    cmocka_unit_test(test_throttled_is_retried_once_after_a_long_pause),
	    cmocka_unit_test(test_a_job_whose_worker_died_goes_first),
	    cmocka_unit_test(test_a_wave_ends_before_the_next_one_starts),
	    cmocka_unit_test(test_a_wave_waits_for_its_retries),
	    cmocka_unit_test(test_a_pause_between_waves),
	    cmocka_unit_test(test_the_question_counts_those_that_will_start),
	    cmocka_unit_test(test_waves_are_confirmed_or_not),
	    cmocka_unit_test(test_an_order_by_chance_has_waves_too),
	    cmocka_unit_test(test_more_failures_than_allowed_stop_the_run),
	    cmocka_unit_test(test_who_waits_for_a_retry_is_skipped_too),
	    cmocka_unit_test(test_one_address_gets_so_many_handshakes),
	    cmocka_unit_test(test_a_dead_worker_leaves_the_servers),
	    cmocka_unit_test(test_a_credential_that_is_refused_is_given_up),
	    cmocka_unit_test(test_the_reason_names_the_credential),
	    cmocka_unit_test(test_a_login_makes_refusals_count_anew),
	    cmocka_unit_test(test_no_limit_breaks_nothing),
	    cmocka_unit_test(test_a_broken_credential_is_not_retried),
	    cmocka_unit_test(
		test_parked_jobs_of_a_broken_credential_hold_up_nobody),
	    cmocka_unit_test(test_random_lives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
