/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a host's output goes, all at the same time (what of it there is, the
 * options say: report_new.c):
 *
 *   report_output ──▶ live lines, at once, or when it is its turn (turns.c)
 *                 ──▶ HOST.out, HOST.err (outdir.c)
 *                 ──▶ what it has sent so far (capture.c), and at its end, in
 *                     report_record: ──▶ its line in the report file
 *                                    ──▶ its record on stdout (turns.c)
 *                                    ──▶ its record in the page (html.c)
 *                                    ──▶ the fold (fold.c), after the last one,
 *                                        on stdout and in the page
 *                                    ──▶ the tally, of which the summary, the
 *                                        progress (headway.c) and the metrics
 *                                        (metrics_file.c) are made
 *
 * Files are written at once. stdout and stderr are queues that report_flush()
 * empties as their readers take it; what is ready for them and large, held
 * output, records, the fold, is put there piece by piece as there is room. So
 * the memory that a run takes does not depend on how much hosts send, nor on
 * how slow a reader is: what waits is in a store, which has a file.
 */
#include "config.h"

#include "report/report.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "report/ending.h"
#include "report/json.h"
#include "report/report_impl.h"
#include "util/clock.h"
#include "util/exit_status.h"
#include "util/log.h"

/*
 * No more is made ready for stdout and stderr while they have so much to take.
 * It is more than makes control stop the hosts' output.
 */
#define READY_BYTES (512u << 10)
#define PIECE_BYTES (16u << 10)
/* So long the run may wait for what is made ready. */
#define FILL_MS 50
/* So long a run that was broken off goes on with the page. */
#define PAGE_MS 1000
/* How long a reader that takes nothing is waited for when all is to end. */
#define PATIENCE_MS 200

/* Hosts that are not ok told while the run goes on. */
#define NOTED_MOST 20

void
report_output(struct report *r, uint32_t seq, const char *host, int stream,
    const uint8_t *data, size_t len)
{
	if (r->outdir != NULL)
		outdir_add(r->outdir, seq, host, stream, data, len);
	if (r->capture != NULL)
		capture_add(r->capture, seq, stream, data, len);
	if (!r->options.has_live)
		return;
	if (r->turns != NULL && !turns_is_now(r->turns, seq)) {
		turns_hold(r->turns, seq, host, stream, data, len);
		return;
	}
	screen_make_way(&r->screen, stream);
	live_output(r->live, seq, host, stream, data, len);
}

void
report_progress(struct report *r, uint32_t seq, uint64_t bytes, uint64_t total)
{
	headway_bytes(&r->headway, seq, bytes, total);
}

void
report_hold(struct report *r, bool is_held)
{
	screen_hold(&r->screen, is_held);
}

void
report_clear(struct report *r)
{
	screen_wipe(&r->screen);
}

void
report_running(struct report *r, const struct running *running)
{
	r->headway.running = *running;
}

void
report_state(struct report *r)
{
	screen_make_way(&r->screen, 2);
	if (r->screen.is_held)
		buf_puts(
		    &r->screen.err.buf, "\n"); /* a question stands there */
	headway_print(&r->headway, clock_now_ms(), &r->screen.err.buf);
}

/* --- records ------------------------------------------------------------- */

static void
report_json(struct report *r, const struct record *record,
    const struct outputs *outputs, bool is_ascii, struct buf *out)
{
	const struct json_outputs carried = {
	    outputs, r->contents, r->options.capture_bytes};

	json_record(record, &carried, is_ascii, out);
}

/*
 * While the progress is shown, a host that is not ok has a line of its own, in
 * the summary's words; but not each of hundreds.
 */
static void
note_failure(struct report *r, const struct record *record)
{
	struct buf *notes = &r->screen.notes;

	if (r->screen.progress == NULL || record->status == STATUS_OK ||
	    record->status == STATUS_CANCELLED ||
	    record->status == STATUS_SKIPPED || r->noted > NOTED_MOST)
		return;
	if (r->noted++ < NOTED_MOST)
		ending_note(record, r->screen.err.is_colored, notes);
	else
		buf_puts(notes, "more hosts failed; see the summary\n");
}

/* A host is over, and all that it sent is where it belongs. */
static void
host_end(struct report *r, const struct record *record,
    const struct outputs *outputs)
{
	struct buf line;

	live_end(r->live, record->seq, record->host);
	if (r->file == NULL)
		return;
	buf_init(&line, SIZE_MAX / 2);
	report_json(r, record, outputs, false, &line);
	report_file_write(r->file, &line);
	buf_clear(&line);
}

void
report_record(struct report *r, const struct record *record)
{
	int exit_class = status_exit_class(record->status);
	struct outputs outputs = {{NULL, NULL}, {0, 0}};

	progress_hide(r->screen.progress);
	if (exit_class > r->exit_class)
		r->exit_class = exit_class;
	if (record->has_exit_code && record->exit_code > r->largest_exit)
		r->largest_exit = record->exit_code;
	tally_add(&r->tally, record);
	headway_ended(&r->headway, record->seq);
	summary_add(r->summary, record);
	note_failure(r, record);
	if (r->outdir != NULL)
		outdir_end(r->outdir, record->seq, record->host);
	if (r->capture != NULL)
		outputs = capture_end(r->capture, record->seq);
	if (r->fold != NULL)
		fold_add(r->fold, record, &outputs);
	if (r->html != NULL)
		html_record(r->html, record);
	if (!r->options.is_ordered)
		host_end(r, record, &outputs);
	if (r->turns != NULL)
		turns_end(r->turns, record, &outputs);
	else
		outputs_drop(r->contents, &outputs);
}

int
report_can_print(const struct report *r, struct error *err)
{
	const struct report_options *o = &r->options;
	int flags = fcntl(STDOUT_FILENO, F_GETFL);

	if ((o->has_live || o->has_fold || o->has_json) &&
	    (flags == -1 || (flags & O_ACCMODE) == O_RDONLY))
		return error_set(
		    err, "stdout is closed; -output none does without it");
	return 0;
}

int
report_begin(struct report *r, struct error *err)
{
	struct error why;

	if (r->file != NULL && report_file_empty(r->file, &why) == -1)
		return error_option(err, "report", why.text);
	return 0;
}

/* --- what waits ---------------------------------------------------------- */

static bool
has_room(const struct report *r)
{
	return screen_backlog(&r->screen) < READY_BYTES;
}

static bool
are_all_ended(const struct report *r)
{
	return r->tally.ended == r->headway.count;
}

/* Whether the fold is to be printed now. A stdout that is gone gets none. */
static bool
is_fold_due(const struct report *r)
{
	return r->options.has_fold && are_all_ended(r) &&
	    r->screen.out.error == 0 && !fold_is_done(r->fold);
}

static bool
is_page_due(const struct report *r)
{
	return r->html != NULL && are_all_ended(r) && !r->is_page_done;
}

/* Whether there is something to make ready for stdout. */
static bool
has_more_to_print(const struct report *r)
{
	return (r->turns != NULL && turns_has_more(r->turns)) || is_fold_due(r);
}

/* Whether there is something to be done even if no host sends anything. */
static bool
has_more(const struct report *r)
{
	return has_more_to_print(r) || is_page_due(r);
}

/* Some held output, or else a host that is over. */
static bool
turn_step(struct report *r)
{
	uint8_t piece[PIECE_BYTES];
	struct ended *e;
	const char *name;
	size_t host, n;
	int stream;

	n = turns_held(r->turns, &host, &name, &stream, piece, sizeof(piece));
	if (n > 0) {
		screen_make_way(&r->screen, stream);
		live_output(r->live, host, name, stream, piece, n);
		return true;
	}
	e = turns_next(r->turns);
	if (e == NULL)
		return false;
	progress_hide(r->screen.progress);
	if (r->options.is_ordered)
		host_end(r, &e->record, &e->outputs);
	if (r->options.has_json)
		report_json(r, &e->record, &e->outputs, r->screen.out.is_tty,
		    &r->screen.out.buf);
	ended_free(r->contents, e);
	return true;
}

/* Put the page in its place as it is. */
static void
page_end(struct report *r)
{
	const struct html_end end = {.began_at_ms = r->metrics.began_at_ms,
	    .elapsed_ms = clock_now_ms() - r->headway.began_ms,
	    .summary = r->summary,
	    .are_outputs_cut = !fold_page_is_done(&r->page),
	    .words = &r->options.words};
	struct error err;

	if (html_finish(r->html, &end, &err) == -1) {
		log_error("%s", err.text);
		r->is_page_broken = true;
	}
}

/* The page goes on while stdout, whose reader may be slow, can't. */
static bool
page_step(struct report *r)
{
	if (!is_page_due(r))
		return false;
	r->is_page_done = !fold_page_step(&r->page);
	return true;
}

void
report_page(struct report *r)
{
	uint64_t until_ms = clock_now_ms() + PAGE_MS;

	while (clock_now_ms() < until_ms && page_step(r))
		;
	r->is_page_done = true;
	if (r->html != NULL)
		page_end(r);
}

static bool
print_step(struct report *r)
{
	if (!has_room(r))
		return false;
	if (r->turns != NULL && turn_step(r))
		return true;
	if (!is_fold_due(r))
		return false;
	if (!r->is_folding)
		screen_end_progress(&r->screen);
	r->is_folding = true;
	return fold_step(r->fold);
}

/* Make ready what there is room for, and what time allows. */
static void
report_fill(struct report *r)
{
	uint64_t until_ms = clock_now_ms() + FILL_MS;

	while ((print_step(r) || page_step(r)) && clock_now_ms() < until_ms)
		;
}

size_t
report_backlog(const struct report *r)
{
	return screen_backlog(&r->screen) + has_more(r);
}

static void
report_metrics(struct report *r, uint64_t now_ms)
{
	if (now_ms < metrics_file_due_ms(r->metrics_file))
		return;
	r->metrics.elapsed_ms = now_ms - r->headway.began_ms;
	metrics_file_update(r->metrics_file, &r->metrics);
}

void
report_flush(struct report *r)
{
	uint64_t now_ms = clock_now_ms();

	headway_look(&r->headway, now_ms);
	report_metrics(r, now_ms);
	report_fill(r);
	screen_flush(&r->screen, now_ms);
}

uint64_t
report_due_ms(const struct report *r)
{
	uint64_t line = screen_due_ms(&r->screen);
	uint64_t metrics = metrics_file_due_ms(r->metrics_file);

	/* What stdout has not taken, report_poll() waits for. */
	if (is_page_due(r) ||
	    (has_more_to_print(r) && has_room(r) &&
		buf_len(&r->screen.out.buf) == 0))
		return 0;
	return line < metrics ? line : metrics;
}

size_t
report_poll(const struct report *r, struct pollfd *fds)
{
	return screen_poll(&r->screen, fds);
}

/* What output is neither shown nor kept that should be; NULL: none. */
static const char *
what_is_lost(const struct report *r)
{
	if (r->screen.out.error != 0)
		return "stdout can't be written";
	if (store_is_broken(r->store))
		return "output can't be kept in a temporary file";
	if (outdir_is_broken(r->outdir))
		return "a file of -outdir can't be written";
	return NULL;
}

int
report_broken(struct report *r, const struct pollfd *fds, const char **why)
{
	if (screen_broken(&r->screen, fds) == EPIPE) {
		*why = "the reader of stdout is gone";
		return EXIT_BROKEN_PIPE;
	}
	*why = what_is_lost(r);
	return *why != NULL ? EXIT_LOCAL : 0;
}

void
report_cut(struct report *r)
{
	r->is_page_done = r->html != NULL && are_all_ended(r);
	if (!r->options.has_fold || fold_is_done(r->fold))
		return;
	fold_cut(r->fold);
	if (r->is_folding)
		screen_forget(&r->screen);
}

void
report_abandon(struct report *r)
{
	r->is_abandoned = true;
}

/* The exit status that the records and the files amount to. */
static int
exit_status(const struct report *r)
{
	int status = r->exit_class;

	if ((report_file_lacks(r->file) || r->is_page_broken ||
		r->is_metrics_broken || what_is_lost(r) != NULL) &&
	    status < EXIT_LOCAL)
		status = EXIT_LOCAL;
	/* With -S a remote exit status takes the place of EXIT_FAILED. */
	if (r->options.is_largest_exit && r->largest_exit > 0 &&
	    status <= EXIT_FAILED)
		status = r->largest_exit > 255 ? 255 : (int)r->largest_exit;
	return status;
}

int
report_end(struct report *r, int stop_status)
{
	if (r->metrics_file != NULL) {
		r->metrics.elapsed_ms = clock_now_ms() - r->headway.began_ms;
		r->metrics.ended_at_ms = clock_wall_ms();
		r->metrics.exit_status =
		    stop_status != 0 ? stop_status : exit_status(r);
		r->is_metrics_broken =
		    metrics_file_end(r->metrics_file, &r->metrics) == -1;
	}
	return stop_status != 0 ? stop_status : exit_status(r);
}

/* The command for those that failed is of use. */
static bool
has_again(const struct report *r)
{
	return r->options.again != NULL && !r->options.is_quiet &&
	    r->exit_class != 0 && report_file_is_whole(r->file);
}

void
report_finish(struct report *r, bool has_summary)
{
	struct summary_options options = {.seed = r->options.seed,
	    .has_latencies = r->options.is_verbose,
	    .is_colored = r->screen.err.is_colored};
	int patience_ms = r->is_abandoned || !has_summary ? PATIENCE_MS : -1;
	size_t rows;

	screen_end_progress(&r->screen);
	do {
		report_fill(r);
		screen_drain(&r->screen, patience_ms);
	} while (has_more(r));
	report_file_tell(r->file);
	if (!has_summary || (r->options.is_quiet && r->exit_class == 0))
		return;
	options.elapsed_ms = clock_now_ms() - r->headway.began_ms;
	if (r->screen.err.is_tty)
		sink_size(&r->screen.err, &options.columns, &rows);
	summary_print(r->summary, &r->tally, &options, &r->screen.err.buf);
	if (has_again(r))
		summary_again(&r->tally, &r->options, &r->screen.err.buf);
	screen_drain(&r->screen, patience_ms);
}
