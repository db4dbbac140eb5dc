/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A job that is idle in the ledger stands in exactly one place:
 *
 *   order    not tried yet, from `next` on; only those of the present wave
 *            (below wave_end) are taken
 *   ready    may start as soon as the pace allows: its retry is due, its
 *            worker died, or it was parked; these go first
 *   parked   its server has as many handshakes as it takes (startups.c)
 *   waiting  for a retry (waiting.c)
 *
 * What is dropped stays where it stands and is passed over when its turn
 * comes, since the ledger knows that it is done.
 *
 * A wave is over when each of its jobs has ended:
 *
 *   OPEN ─▶ PAUSED ─▶ ASKING ─▶ OPEN (the next one)
 *
 * The steps that are not wanted take no time.
 */
#include "config.h"

#include "control/scheduler.h"

#include <inttypes.h>
#include <stdlib.h>

#include "control/breaker.h"
#include "control/pace.h"
#include "control/retry.h"
#include "control/startups.h"
#include "control/waiting.h"
#include "util/prng.h"
#include "util/log.h"
#include "util/xalloc.h"

enum wave_state { WAVE_OPEN, WAVE_PAUSED, WAVE_ASKING };

struct turn {
	uint32_t place;	     /* in the order */
	uint32_t next_ready; /* in the list of ready jobs */
	unsigned retries;    /* so far */
	bool was_throttled;
};

struct scheduler {
	struct schedule options;
	const struct ledger *ledger;
	uint32_t count;
	struct turn *turns;
	uint64_t prng;
	uint64_t now_ms; /* of the last look */

	uint32_t *order;
	uint32_t next;
	uint32_t first_ready, last_ready;
	struct waiting waiting;
	struct pace pace;
	struct startups *startups;
	struct breaker *breaker;

	enum wave_state wave_state;
	size_t wave;
	uint32_t wave_end;  /* place behind its last job */
	uint32_t wave_left; /* jobs of it that have not ended */
	uint64_t pause_end_ms;

	uint32_t failed;
	uint32_t max_fail;
	char *stop_reason; /* why nothing starts any more; NULL: it does */
	char *reason;	   /* the last one given out */
	bool must_sweep;   /* there may be jobs to skip, from sweep on */
	uint32_t sweep;
};

/* --- order --------------------------------------------------------------- */

static void
order_shuffle(struct scheduler *s)
{
	uint32_t i, other, job;

	for (i = s->count; i > 1; i--) {
		other = (uint32_t)prng_below(&s->prng, i);
		job = s->order[i - 1];
		s->order[i - 1] = s->order[other];
		s->order[other] = job;
	}
}

static void
ready_add(struct scheduler *s, uint32_t job)
{
	s->turns[job].next_ready = SCHEDULER_NO_JOB;
	if (s->first_ready == SCHEDULER_NO_JOB)
		s->first_ready = job;
	else
		s->turns[s->last_ready].next_ready = job;
	s->last_ready = job;
}

/* There may be room for a handshake at the job's server. */
static void
ready_unpark(struct scheduler *s, uint32_t job)
{
	uint32_t parked;

	do {
		parked = startups_unpark(s->startups, job);
		if (parked == SCHEDULER_NO_JOB)
			return;
	} while (!ledger_is_idle(s->ledger, parked));
	ready_add(s, parked);
}

/* The first job whose turn it is; SCHEDULER_NO_JOB if there is none. */
static uint32_t
take(struct scheduler *s)
{
	uint32_t job;

	while ((job = s->first_ready) != SCHEDULER_NO_JOB) {
		s->first_ready = s->turns[job].next_ready;
		if (ledger_is_idle(s->ledger, job))
			return job;
		/* It may have been the one to come in another's place. */
		ready_unpark(s, job);
	}
	while (s->next < s->wave_end) {
		job = s->order[s->next++];
		if (ledger_is_idle(s->ledger, job))
			return job;
	}
	return SCHEDULER_NO_JOB;
}

/* --- waves --------------------------------------------------------------- */

/*
 * The place behind the next wave in which there is something left to do, or
 * behind the last one. *wave: its number plus 1; *left: how many jobs are.
 */
static uint32_t
wave_next(const struct scheduler *s, size_t *wave, uint32_t *left)
{
	uint32_t end = s->wave_end, size;

	for (*left = 0; *left == 0 && end < s->count;) {
		size = waves_size(&s->options.waves, (*wave)++, s->count);
		if (size > s->count - end)
			size = s->count - end;
		for (; size > 0; size--)
			*left += ledger_is_idle(s->ledger, s->order[end++]);
	}
	return end;
}

static void
wave_open(struct scheduler *s)
{
	s->wave_state = WAVE_OPEN;
	s->wave_end = wave_next(s, &s->wave, &s->wave_left);
	if (s->wave_left > 0)
		log_event(LOG_INSIDE, "scheduler", "wave",
		    "wave %zu: %u host%s, %u of %u in all", s->wave,
		    s->wave_left, s->wave_left == 1 ? "" : "s", s->wave_end,
		    s->count);
}

static void
wave_advance(struct scheduler *s)
{
	if (s->wave_left > 0 || s->stop_reason != NULL ||
	    ledger_idle(s->ledger) == 0)
		return;
	if (s->wave_state == WAVE_OPEN) {
		s->pause_end_ms = s->now_ms + s->options.pause_ms;
		s->wave_state = WAVE_PAUSED;
	}
	if (s->wave_state == WAVE_PAUSED && s->now_ms >= s->pause_end_ms) {
		if (s->options.has_confirm)
			s->wave_state = WAVE_ASKING;
		else
			wave_open(s);
	}
}

bool
scheduler_asks(const struct scheduler *s, struct scheduler_wave *wave)
{
	size_t next = s->wave;

	wave->done = ledger_done(s->ledger);
	wave->failed = s->failed;
	wave->total = s->count;
	wave_next(s, &next, &wave->next);
	return s->wave_state == WAVE_ASKING && ledger_idle(s->ledger) > 0;
}

static void
stop(struct scheduler *s, char *reason)
{
	log_event(LOG_INSIDE, "scheduler", "stop", "%s", reason);
	s->stop_reason = reason;
	s->must_sweep = true;
	s->sweep = 0;
}

void
scheduler_confirm(struct scheduler *s, bool is_confirmed)
{
	if (is_confirmed)
		wave_open(s);
	else
		stop(s, xstrdup("not confirmed"));
}

/* --- beginning and end --------------------------------------------------- */

struct scheduler *
scheduler_new(const struct schedule *schedule, const struct host *hosts,
    uint32_t count, uint32_t fanout, const struct ledger *ledger)
{
	struct scheduler *s = xcalloc(1, sizeof(*s));
	uint32_t i;

	s->options = *schedule;
	s->ledger = ledger;
	s->count = count;
	s->prng = schedule->seed;
	s->turns = xcalloc(count, sizeof(*s->turns));
	s->order = xcalloc(count, sizeof(*s->order));
	s->first_ready = SCHEDULER_NO_JOB;
	for (i = 0; i < count; i++)
		s->order[i] = i;
	if (schedule->is_shuffled)
		order_shuffle(s);
	for (i = 0; i < count; i++)
		s->turns[s->order[i]].place = i;
	s->max_fail = UINT32_MAX;
	if (schedule->has_max_fail)
		s->max_fail = amount_rounded_down(schedule->max_fail, count);
	pace_init(&s->pace, fanout, schedule->rate);
	s->startups = startups_new(hosts, count, schedule->max_startups);
	s->breaker = breaker_new(hosts, count, schedule->auth_fail_limit);
	wave_open(s);
	return s;
}

void
scheduler_free(struct scheduler *s)
{
	if (s == NULL)
		return;
	startups_free(s->startups);
	breaker_free(s->breaker);
	waiting_clear(&s->waiting);
	free(s->turns);
	free(s->order);
	free(s->stop_reason);
	free(s->reason);
	free(s);
}

/* --- a round ------------------------------------------------------------- */

void
scheduler_look(struct scheduler *s, uint64_t now_ms)
{
	uint32_t job;

	s->now_ms = now_ms;
	while ((job = waiting_take(&s->waiting, now_ms)) != SCHEDULER_NO_JOB) {
		if (ledger_is_idle(s->ledger, job))
			ready_add(s, job);
	}
	wave_advance(s);
}

/* The job has ended for good. */
static void
gone(struct scheduler *s, uint32_t job, enum status status)
{
	if (s->turns[job].place < s->wave_end)
		s->wave_left--;
	if (status == STATUS_OK)
		return;
	s->failed++;
	if (s->failed > s->max_fail && s->stop_reason == NULL)
		stop(s,
		    xasprintf("not started: %u host%s had failed "
			      "(-max-fail %u%s)",
			s->failed, s->failed == 1 ? "" : "s",
			s->options.max_fail.value,
			s->options.max_fail.is_percent ? "%" : ""));
}

uint32_t
scheduler_skip(struct scheduler *s, const char **reason)
{
	uint32_t job;

	for (; s->must_sweep && s->sweep < s->count; s->sweep++) {
		job = s->order[s->sweep];
		if (!ledger_is_idle(s->ledger, job))
			continue;
		if (s->stop_reason == NULL &&
		    !breaker_is_broken(s->breaker, job))
			continue;
		s->sweep++;
		free(s->reason);
		s->reason = s->stop_reason != NULL
		    ? xstrdup(s->stop_reason)
		    : breaker_reason(s->breaker, job);
		*reason = s->reason;
		gone(s, job, STATUS_SKIPPED);
		return job;
	}
	s->must_sweep = false;
	return SCHEDULER_NO_JOB;
}

uint32_t
scheduler_next(struct scheduler *s)
{
	uint32_t job;

	if (!pace_allows(&s->pace, ledger_in_flight(s->ledger), s->now_ms))
		return SCHEDULER_NO_JOB;
	while ((job = take(s)) != SCHEDULER_NO_JOB) {
		if (!startups_enter(s->startups, job))
			continue;
		pace_spend(&s->pace, s->now_ms);
		return job;
	}
	return SCHEDULER_NO_JOB;
}

static uint64_t
earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t
scheduler_due_ms(const struct scheduler *s)
{
	uint64_t due = waiting_due_ms(&s->waiting);

	if (s->wave_state == WAVE_PAUSED && ledger_idle(s->ledger) > 0)
		due = earlier(due, s->pause_end_ms);
	if (s->first_ready != SCHEDULER_NO_JOB || s->next < s->wave_end)
		due = earlier(due,
		    pace_due_ms(
			&s->pace, ledger_in_flight(s->ledger), s->now_ms));
	return due;
}

/* --- what becomes of jobs ------------------------------------------------ */

void
scheduler_reconnected(struct scheduler *s)
{
	pace_spend(&s->pace, s->now_ms);
}

static void
leave(struct scheduler *s, uint32_t job)
{
	startups_leave(s->startups, job);
	ready_unpark(s, job);
}

void
scheduler_authenticated(struct scheduler *s, uint32_t job)
{
	leave(s, job);
	breaker_accepted(s->breaker, job);
}

/* Whether the job may be tried again; notes that it will be. */
static bool
retry(struct scheduler *s, uint32_t job, enum status status, enum stage stage,
    uint64_t now_ms)
{
	struct turn *turn = &s->turns[job];
	enum retry kind = retry_kind(status, stage);
	uint64_t wait_ms;

	if (kind == RETRY_NEVER || turn->retries >= s->options.retries ||
	    (kind == RETRY_LATER && turn->was_throttled) ||
	    s->stop_reason != NULL || breaker_is_broken(s->breaker, job))
		return false;
	turn->retries++;
	turn->was_throttled = turn->was_throttled || kind == RETRY_LATER;
	wait_ms = retry_wait_ms(
	    kind, s->options.retry_delay_ms, turn->retries + 1, &s->prng);
	waiting_add(&s->waiting, job, now_ms + wait_ms);
	log_event(LOG_INSIDE, "scheduler", "retry", "job %u in %" PRIu64 " ms",
	    job, wait_ms);
	return true;
}

bool
scheduler_ended(struct scheduler *s, uint32_t job, enum status status,
    enum stage stage, bool may_retry, uint64_t now_ms)
{
	leave(s, job);
	/* Some servers refuse a login by closing the connection. */
	if ((status == STATUS_DENIED || status == STATUS_UNREACHABLE) &&
	    stage == STAGE_AUTH && breaker_denied(s->breaker, job)) {
		s->must_sweep = true;
		s->sweep = 0;
	}
	if (may_retry && retry(s, job, status, stage, now_ms))
		return true;
	gone(s, job, status);
	return false;
}

void
scheduler_requeue(struct scheduler *s, uint32_t job)
{
	leave(s, job);
	ready_add(s, job);
	if (s->stop_reason != NULL || breaker_is_broken(s->breaker, job)) {
		s->must_sweep = true;
		s->sweep = 0;
	}
}
