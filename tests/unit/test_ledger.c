/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ledger: every job ends once, and none that may have started runs again. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "control/ledger.h"
#include "util/xalloc.h"

static void
test_jobs_are_assigned(void **state)
{
	struct ledger *l = ledger_new(3);
	uint32_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		assert_int_equal(ledger_idle(l), 3 - i);
		assert_int_equal(ledger_next_idle(l, 0), i);
		ledger_assign(l, i, 7);
		assert_false(ledger_is_idle(l, i));
		assert_true(ledger_is_at(l, i, 7));
		assert_false(ledger_is_at(l, i, 6));
	}
	assert_int_equal(ledger_next_idle(l, 0), LEDGER_NO_JOB);
	assert_int_equal(ledger_in_flight(l), 3);
	assert_int_equal(ledger_retries(l), 0);
	ledger_free(l);
}

/* job, ...: those in flight, the longest in flight first; ends with NO_JOB. */
static void
assert_flight(const struct ledger *l, const uint32_t *jobs)
{
	uint32_t job = ledger_oldest(l);

	for (; *jobs != LEDGER_NO_JOB; jobs++) {
		assert_int_equal(job, *jobs);
		job = ledger_newer(l, job);
	}
	assert_int_equal(job, LEDGER_NO_JOB);
}

static void
test_jobs_in_flight_are_in_order_of_assignment(void **state)
{
	struct ledger *l = ledger_new(4);
	int lost;

	(void)state;
	assert_flight(l, (uint32_t[]){LEDGER_NO_JOB});
	ledger_assign(l, 2, 0);
	ledger_assign(l, 0, 1);
	ledger_assign(l, 3, 0);
	ledger_assign(l, 1, 1);
	assert_flight(l, (uint32_t[]){2, 0, 3, 1, LEDGER_NO_JOB});
	ledger_wait(l, 0); /* from the middle */
	assert_flight(l, (uint32_t[]){2, 3, 1, LEDGER_NO_JOB});
	ledger_assign(l, 0, 1);
	ledger_finish(l, 2); /* the oldest */
	assert_flight(l, (uint32_t[]){3, 1, 0, LEDGER_NO_JOB});
	ledger_finish(l, 0); /* the newest */
	assert_flight(l, (uint32_t[]){3, 1, LEDGER_NO_JOB});
	assert_int_equal(ledger_worker_died(l, 1, &lost), 1);
	assert_flight(l, (uint32_t[]){3, LEDGER_NO_JOB});
	ledger_finish(l, 3);
	assert_flight(l, (uint32_t[]){LEDGER_NO_JOB});
	ledger_assign(l, 1, 0);
	assert_flight(l, (uint32_t[]){1, LEDGER_NO_JOB});
	ledger_free(l);
}

static void
test_a_job_that_did_not_start_is_queued_again(void **state)
{
	struct ledger *l = ledger_new(2);
	int lost = -1;

	(void)state;
	ledger_assign(l, 0, 0);
	ledger_assign(l, 1, 1);
	assert_int_equal(ledger_worker_died(l, 0, &lost), 0);
	assert_int_equal(lost, 0);
	assert_int_equal(ledger_worker_died(l, 0, &lost), LEDGER_NO_JOB);
	assert_int_equal(ledger_state(l, 0), JOB_QUEUED);
	assert_true(ledger_is_at(l, 1, 1)); /* the other worker's */
	ledger_assign(l, 0, 1);
	assert_int_equal(ledger_assignments(l, 0), 2);
	assert_int_equal(ledger_retries(l), 1);
	ledger_free(l);
}

static void
test_a_job_that_started_is_lost(void **state)
{
	struct ledger *l = ledger_new(1);
	int lost = -1;

	(void)state;
	ledger_assign(l, 0, 0);
	ledger_start(l, 0);
	assert_int_equal(ledger_worker_died(l, 0, &lost), 0);
	assert_int_equal(lost, 1);
	assert_int_equal(ledger_state(l, 0), JOB_DONE);
	assert_int_equal(ledger_done(l), 1);
	assert_int_equal(ledger_next_idle(l, 0), LEDGER_NO_JOB);
	ledger_free(l);
}

static void
test_a_job_that_kills_its_workers_is_given_up(void **state)
{
	struct ledger *l = ledger_new(1);
	int lost = 0, deaths = 0;

	(void)state;
	while (ledger_is_idle(l, 0)) {
		ledger_assign(l, 0, 0);
		assert_int_equal(ledger_worker_died(l, 0, &lost), 0);
		assert_int_equal(
		    ledger_worker_died(l, 0, &(int){0}), LEDGER_NO_JOB);
		deaths++;
	}
	assert_int_equal(deaths, LEDGER_DEATHS_MAX);
	assert_int_equal(lost, 1);
	assert_int_equal(ledger_done(l), 1);
	ledger_free(l);
}

static void
test_waiting_is_no_death(void **state)
{
	struct ledger *l = ledger_new(1);
	int lost = -1, i;

	(void)state;
	for (i = 0; i < 3 * LEDGER_DEATHS_MAX; i++) {
		ledger_assign(l, 0, 0);
		if (i % 2 == 1) /* the verdict was sent, the command not */
			ledger_start(l, 0);
		ledger_wait(l, 0);
		assert_int_equal(ledger_state(l, 0), JOB_WAITING);
		assert_true(ledger_is_idle(l, 0));
		assert_false(ledger_is_at(l, 0, 0));
		assert_int_equal(ledger_idle(l), 1);
		assert_int_equal(ledger_in_flight(l), 0);
		assert_int_equal(ledger_assignments(l, 0), i + 1);
	}
	assert_int_equal(ledger_worker_died(l, 0, &lost), LEDGER_NO_JOB);
	ledger_assign(l, 0, 0);
	assert_int_equal(ledger_worker_died(l, 0, &lost), 0);
	assert_int_equal(lost, 0);
	ledger_free(l);
}

static void
test_idle_jobs_can_be_dropped(void **state)
{
	struct ledger *l = ledger_new(4);
	uint32_t job = 0;
	int lost;

	(void)state;
	ledger_assign(l, 0, 0);
	ledger_worker_died(l, 0, &lost);
	assert_int_equal(ledger_worker_died(l, 0, &lost), LEDGER_NO_JOB);
	ledger_assign(l, 1, 0);
	ledger_wait(l, 1);
	ledger_assign(l, 2, 0);
	while ((job = ledger_next_idle(l, job)) != LEDGER_NO_JOB) {
		assert_int_not_equal(job, 2);
		ledger_drop(l, job);
	}
	assert_int_equal(ledger_done(l), 3);
	assert_int_equal(ledger_idle(l), 0);
	assert_int_equal(ledger_in_flight(l), 1);
	ledger_free(l);
}

/* What a job has been through, kept apart from the ledger. */
struct seen {
	int starts, ends;
};

/*
 * Random lives: whatever happens, each job ends once, is never assigned after
 * it may have started, and the counts agree.
 */
static void
random_life(unsigned seed)
{
	enum { JOBS = 200, WORKERS = 4 };
	struct ledger *l = ledger_new(JOBS);
	struct seen *seen = xcalloc(JOBS, sizeof(*seen));
	uint32_t job, worker;
	int lost, i;

	srand(seed);
	while (ledger_done(l) < JOBS) {
		worker = (uint32_t)rand() % WORKERS;
		job = (uint32_t)rand() % JOBS;
		switch (rand() % 10) {
		case 0:
			while ((job = ledger_worker_died(l, worker, &lost)) !=
			    LEDGER_NO_JOB) {
				seen[job].ends += lost;
				assert_true(lost || seen[job].starts == 0);
			}
			break;
		case 1:
		case 2:
		case 3:
			job = ledger_next_idle(l, job);
			if (job == LEDGER_NO_JOB)
				break;
			assert_int_equal(seen[job].starts + seen[job].ends, 0);
			ledger_assign(l, job, worker);
			break;
		case 4:
		case 5:
		case 6:
			if (ledger_state(l, job) == JOB_ASSIGNED) {
				ledger_start(l, job);
				seen[job].starts++;
			}
			break;
		case 7:
			if (ledger_state(l, job) == JOB_STARTED) {
				ledger_wait(l, job);
				seen[job].starts--;
			}
			break;
		default:
			if (ledger_state(l, job) == JOB_STARTED) {
				ledger_finish(l, job);
				seen[job].ends++;
			}
		}
		assert_int_equal(
		    ledger_idle(l) + ledger_in_flight(l) + ledger_done(l),
		    JOBS);
	}
	for (i = 0; i < JOBS; i++) {
		assert_int_equal(seen[i].ends, 1);
		assert_in_range(seen[i].starts, 0, 1);
	}
	free(seen);
	ledger_free(l);
}

static void
test_random_lives(void **state)
{
	unsigned seed;

	(void)state;
	for (seed = 1; seed <= 50; seed++)
		random_life(seed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_jobs_are_assigned),
	    cmocka_unit_test(test_jobs_in_flight_are_in_order_of_assignment),
	    cmocka_unit_test(test_a_job_that_did_not_start_is_queued_again),
	    cmocka_unit_test(test_a_job_that_started_is_lost),
	    cmocka_unit_test(test_a_job_that_kills_its_workers_is_given_up),
	    cmocka_unit_test(test_waiting_is_no_death),
	    cmocka_unit_test(test_idle_jobs_can_be_dropped),
	    cmocka_unit_test(test_random_lives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
