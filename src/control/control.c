/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Theory of operation.
 *
 * Control is one poll(2) loop around the workers' pipes, the agents' sockets,
 * stdout and stderr, and a signalfd. It reads frames (dispatch.c), keeps the
 * ledger, and writes lines; it never waits for anything but in poll(2).
 *
 * Flow control: a worker may send as many output bytes as it has credit for.
 * Credit is given back only when what was received has been printed, so a
 * slow reader of stdout stops the output of all hosts, and nothing else:
 * verdicts and signatures go on.
 *
 * Workers may die, hang or go bad at any time (workers.c). Which job may start
 * when is for the scheduler to say (scheduler.c); the loop wakes up when it may
 * know more.
 *
 * Stopping (a signal, a stdout that is gone): the queue is emptied, workers
 * are told to cut short what runs, and killed if they take too long over it,
 * or at once by a second signal.
 */
#include "config.h"

#include "control/control.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "control/confirm.h"
#include "control/limits.h"
#include "control/rate.h"
#include "control/run.h"
#include "control/signals.h"
#include "control/workers.h"
#include "util/clock.h"
#include "util/exit_status.h"
#include "util/fdio.h"
#include "util/log.h"
#include "util/xalloc.h"

#define STOP_GRACE_MS 5000u
#define SIGNER_FDS    4

struct loop {
	struct run run;
	int signal_fd;
	sigset_t old_mask;
	struct pollfd *fds;
	struct pollfd report_fds[2];
	struct confirm confirm;
	bool is_aborted; /* by a second signal: leave at once */
};

/* --- stopping ------------------------------------------------------------ */

static void
loop_stop(struct loop *loop, int status, const char *message)
{
	struct run *run = &loop->run;
	struct msg_cancel msg = {message};
	uint32_t i;

	if (run->stop_status != 0)
		return;
	run->stop_status = status;
	confirm_clear(&loop->confirm);
	report_hold(run->plan->report, false);
	run->stop_deadline_ms = clock_now_ms() + STOP_GRACE_MS;
	jobs_drop_queued(run, STATUS_CANCELLED, message);
	for (i = 0; i < run->pool.count; i++) {
		if (run->pool.workers[i].pid != 0)
			pool_send(
			    &run->pool, i, FRAME_CANCEL, FRAME_NO_JOB, &msg);
	}
}

/*
 * Don't wait for the workers any longer. What they have sent still counts.
 */
static void
loop_abort(struct loop *loop, const char *message)
{
	struct run *run = &loop->run;

	workers_abort(run);
	jobs_drop_in_flight(run, STATUS_CANCELLED, message);
}

static void
loop_signal(struct loop *loop)
{
	struct signalfd_siginfo info;
	char message[64];
	int number;

	while (read(loop->signal_fd, &info, sizeof(info)) ==
	    (ssize_t)sizeof(info)) {
		number = (int)info.ssi_signo;
		if (signals_is_default(number)) {
			report_clear(loop->run.plan->report);
			signals_let(number);
			continue;
		}
		if (signals_ask(number)) {
			report_state(loop->run.plan->report);
			continue;
		}
		snprintf(message, sizeof(message), "interrupted by SIG%s",
		    sigabbrev_np(number));
		if (loop->run.stop_status != 0) {
			report_cut(loop->run.plan->report);
			loop_abort(loop, message);
			loop->is_aborted = true;
			return;
		}
		loop_stop(loop, EXIT_SIGNAL + number, message);
	}
}

static void
loop_check_report(struct loop *loop)
{
	const char *why;
	int status =
	    report_broken(loop->run.plan->report, loop->report_fds, &why);

	if (status != 0)
		loop_stop(loop, status, why);
}

/* --- between waves ------------------------------------------------------- */

/* Ask the user whether to go on, and hear the answer. */
static void
loop_confirm(struct loop *loop)
{
	struct run *run = &loop->run;
	struct scheduler_wave wave;
	enum answer answer;
	char *question;

	if (run->stop_status != 0 || !scheduler_asks(run->scheduler, &wave))
		return;
	if (loop->confirm.question == NULL) {
		/* The output of the wave is to be read first. */
		report_hold(run->plan->report, true);
		report_flush(run->plan->report);
		if (report_backlog(run->plan->report) > 0)
			return;
		question = xasprintf("%u of %u hosts done, %u failed. Go on "
				     "with the next %u (yes/no)? ",
		    wave.done, wave.total, wave.failed, wave.next);
		confirm_ask(&loop->confirm, question);
		free(question);
	}
	answer = confirm_read(&loop->confirm);
	if (answer == ANSWER_NONE)
		return;
	report_hold(run->plan->report, false);
	scheduler_confirm(run->scheduler, answer == ANSWER_YES);
	jobs_give(run);
}

/* --- the loop ------------------------------------------------------------ */

/* Until the next thing that has its time. */
static int
loop_timeout_ms(const struct loop *loop)
{
	const struct run *run = &loop->run;
	uint64_t now = clock_now_ms(), next = workers_due_ms(run);

	if (run->stop_status != 0 && run->stop_deadline_ms < next)
		next = run->stop_deadline_ms;
	if (run->stop_status == 0 && scheduler_due_ms(run->scheduler) < next)
		next = scheduler_due_ms(run->scheduler);
	if (rate_due_ms(run) < next)
		next = rate_due_ms(run);
	if (report_due_ms(run->plan->report) < next)
		next = report_due_ms(run->plan->report);
	return next > now ? (int)(next - now) : 0;
}

static void
loop_check_workers(struct loop *loop)
{
	struct run *run = &loop->run;

	workers_look(run);
	if (ledger_idle(run->ledger) > 0 && pool_workers(&run->pool) == 0)
		loop_stop(loop, EXIT_LOCAL, "no worker can be started");
}

/* Without waiting there is no going on, but each host gets its result. */
static void
loop_fail(struct loop *loop)
{
	char message[64];

	snprintf(message, sizeof(message), "poll: %s", strerror(errno));
	log_error("%s", message);
	loop_stop(loop, EXIT_LOCAL, message);
	loop_abort(loop, message);
	loop->is_aborted = true;
}

static bool
is_ready(const struct pollfd *fd)
{
	return fd->fd != -1 && fd->revents != 0;
}

/* One round: wait, then move everything that can be moved. */
static void
loop_round(struct loop *loop)
{
	struct run *run = &loop->run;
	struct pollfd *fds = loop->fds, *signer_fds, *pool_fds, *worker_fds;
	size_t count = 0, signers;
	uint32_t i;

	fds[count].fd = loop->signal_fd;
	fds[count++].events = POLLIN;
	count += report_poll(run->plan->report, fds + count);
	signer_fds = fds + count;
	signers = signer_poll(run->signer, signer_fds, SIGNER_FDS);
	count += signers;
	pool_fds = fds + count;
	count += pool_poll(&run->pool, pool_fds);
	fds[count].fd = loop->confirm.fd;
	fds[count++].events = POLLIN;
	if (poll(fds, count, loop_timeout_ms(loop)) == -1 && errno != EINTR) {
		loop_fail(loop);
		return;
	}
	memcpy(loop->report_fds, fds + 1, sizeof(loop->report_fds));
	signer_handle(run->signer, signer_fds, signers);
	for (i = 0; i < run->pool.count; i++) {
		worker_fds = pool_fds + POOL_FDS * (size_t)i;
		if (is_ready(&worker_fds[POOL_LOG]))
			pool_read_log(&run->pool, i);
		if (is_ready(&worker_fds[POOL_RESULTS]))
			workers_read(run, i);
	}
	jobs_tell_running(run);
	report_flush(run->plan->report);
	loop_check_report(loop);
	if (fds[0].revents != 0)
		loop_signal(loop);
	loop_check_workers(loop);
	dispatch_credit(run);
	jobs_give(run);
	loop_confirm(loop);
	rate_tell(run);
	for (i = 0; i < run->pool.count; i++)
		pool_write(&run->pool, i);
}

static bool
loop_is_over(const struct loop *loop)
{
	const struct run *run = &loop->run;

	return loop->is_aborted ||
	    (ledger_done(run->ledger) == run->plan->host_count &&
		report_backlog(run->plan->report) == 0);
}

static void
loop_run(struct loop *loop)
{
	struct run *run = &loop->run;

	workers_begin(run);
	while (!loop_is_over(loop)) {
		loop_round(loop);
		if (run->stop_status == 0 || loop->is_aborted ||
		    clock_now_ms() < run->stop_deadline_ms)
			continue;
		/* Workers, or the readers of our output, are too slow. */
		loop_abort(loop, "stopped; its worker was too slow");
		loop->is_aborted = true;
	}
}

/* --- set-up -------------------------------------------------------------- */

/* Every key that a host may need, each once, before anything starts. */
static int
run_load_keys(struct run *run, struct error *err)
{
	const struct plan *plan = run->plan;
	const char *path;
	bool has_default = false;
	struct error why;
	uint32_t i;

	run->signer = signer_new(dispatch_signed, run);
	for (i = 0; i < plan->host_count; i++) {
		path = plan->hosts[i].identity_file;
		if (path == NULL)
			has_default = true;
		else if (signer_add_file(
			     run->signer, path, plan->can_prompt, &why) == -1)
			return plan->has_identity
			    ? error_option(err, "k", why.text)
			    : error_set(err, "identity_file of %s: %s",
				  plan->hosts[i].name, why.text);
	}
	if (has_default)
		signer_add_defaults(run->signer, plan->can_prompt);
	signer_seal(run->signer);
	return 0;
}

static int
loop_begin(struct loop *loop, uint32_t workers, struct error *err)
{
	struct run *run = &loop->run;
	uint32_t i;

	loop->fds = xcalloc(1 + 2 + SIGNER_FDS + POOL_FDS * (size_t)workers + 1,
	    sizeof(*loop->fds));
	for (i = 0; i < workers; i++) {
		if (pool_start(&run->pool, i, &run->config, err) == 0)
			continue;
		if (i == 0)
			return -1;
		log_warn("only %u of %u workers: %s", i, workers, err->text);
		err->text[0] = '\0';
		break;
	}
	return 0;
}

static int
loop_end(struct loop *loop)
{
	struct run *run = &loop->run;
	int status;

	pool_close(&run->pool);
	jobs_tell_running(run);
	report_page(run->plan->report);
	status = report_end(run->plan->report, run->stop_status);
	/* From here on a signal simply ends us. */
	sigprocmask(SIG_SETMASK, &loop->old_mask, NULL);
	if (loop->is_aborted)
		report_abandon(run->plan->report);
	report_finish(run->plan->report, run->stop_status != EXIT_BROKEN_PIPE);
	return status;
}

int
control_run(const struct plan *plan, struct error *err)
{
	struct loop loop = {.run = {.plan = plan}, .signal_fd = -1};
	struct run *run = &loop.run;
	uint32_t workers, i;
	int status = -1;

	confirm_init(&loop.confirm);
	run->ledger = ledger_new(plan->host_count);
	run->scheduler = scheduler_new(&plan->schedule, plan->hosts,
	    plan->host_count, plan->fanout, run->ledger);
	run->notes = xcalloc(plan->host_count, sizeof(*run->notes));
	run->config = plan->config;
	if (limits_configure(plan, &run->config, &workers, err) == -1 ||
	    report_can_print(plan->report, err) == -1 ||
	    run_load_keys(run, err) == -1)
		goto out;
	loop.signal_fd = signals_open(&loop.old_mask, err);
	if (loop.signal_fd == -1 ||
	    pool_init(&run->pool, workers, plan->input_fd, plan->has_temporary,
		err) == -1 ||
	    loop_begin(&loop, workers, err) == -1 ||
	    report_begin(plan->report, err) == -1)
		goto out;
	loop_run(&loop);
	status = loop_end(&loop);
out:
	confirm_clear(&loop.confirm);
	pool_clear(&run->pool);
	if (loop.signal_fd != -1)
		sigprocmask(SIG_SETMASK, &loop.old_mask, NULL);
	signer_free(run->signer);
	scheduler_free(run->scheduler);
	ledger_free(run->ledger);
	for (i = 0; i < plan->host_count; i++) {
		job_note_reset(&run->notes[i]);
		free(run->notes[i].last_message);
		advice_free(run->notes[i].advice);
	}
	free(run->notes);
	free(loop.fds);
	fd_close(&loop.signal_fd);
	return status;
}
