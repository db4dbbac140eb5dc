/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/headway.h"
#include "report/html.h"
#include "report/json.h"
#include "report/live.h"
#include "report/metrics_file.h"
#include "report/progress.h"
#include "report/sink.h"
#include "report/summary.h"
#include "report/tally.h"
#include "util/clock.h"
#include "util/fdio.h"
#include "util/log.h"
#include "util/xalloc.h"

/* Memory for lines that hosts have begun, over all of them. */
#define UNFINISHED_BYTES (16u << 20)
#define LINE_LEAST	 (64u << 10)
#define LINE_MOST	 (2u << 20)

/* More lines than that don't wait to be shown together with the progress. */
#define GATHERED_MAX (16u << 10)

#define EXIT_LOCAL   5
#define EXIT_BROKEN  141 /* 128 + SIGPIPE */

struct report {
	struct report_options options;
	struct sink out, err;
	struct live *live;
	struct tally tally;
	struct headway headway;
	struct summary *summary;
	struct progress *progress; /* NULL: none */
	int fd;			   /* of the report file, or -1 */
	struct html *html;	   /* NULL: none */
	struct metrics metrics;
	struct metrics_file *metrics_file; /* NULL: none */
	unsigned records, records_lost;	   /* lost: not in the report file */
	bool is_page_broken, is_metrics_broken, is_stdout_broken;
	bool is_abandoned; /* nobody is waited for */
	bool is_held;	   /* the terminal is being asked on */
	int exit_class;
	uint32_t largest_exit;
};

static bool
has_progress(const struct report_options *options, const struct sink *err)
{
	if (options->progress != PROGRESS_AUTO)
		return options->progress == PROGRESS_ALWAYS;
	return sink_has_escapes(err) && !options->is_quiet;
}

static bool
has_color(enum color_mode mode, const struct sink *sink)
{
	const char *no_color = getenv("NO_COLOR");

	if (mode != COLOR_AUTO)
		return mode == COLOR_ALWAYS;
	return sink_has_escapes(sink) &&
	    (no_color == NULL || no_color[0] == '\0');
}

static size_t
line_limit(size_t fanout)
{
	size_t limit = UNFINISHED_BYTES / (fanout > 0 ? fanout : 1);

	if (limit < LINE_LEAST)
		return LINE_LEAST;
	return limit > LINE_MOST ? LINE_MOST : limit;
}

/* Open the files that the user wants. Returns 0, or -1 with err. */
static int
report_open(struct report *r, struct error *err)
{
	const struct report_options *options = &r->options;
	struct error why;
	struct stat st;

	if (options->html_path != NULL) {
		r->html = html_new(options->html_path, err);
		if (r->html == NULL)
			return -1;
	}
	if (options->report_path != NULL) {
		r->fd = open(options->report_path,
		    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
		if (r->fd == -1)
			return error_set(err, "%s: %s", options->report_path,
			    strerror(errno));
	}
	if (r->html != NULL && html_replaces(r->html, r->fd))
		return error_set(err, "%s: the report goes there, not the page",
		    options->report_path);
	if (options->metrics_path != NULL) {
		r->metrics_file = metrics_file_new(&r->metrics, r->fd, &why);
		if (r->metrics_file == NULL)
			return error_set(err, "option -metrics: %s", why.text);
	}
	/* Only now: a run that is refused leaves the old one. */
	if (r->fd != -1 && fstat(r->fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    ftruncate(r->fd, 0) == -1)
		return error_set(
		    err, "%s: %s", options->report_path, strerror(errno));
	return 0;
}

struct report *
report_new(
    size_t hosts, const struct report_options *options, struct error *err)
{
	struct report *r = xcalloc(1, sizeof(*r));
	struct live_options live = {.has_prefix = options->has_prefix,
	    .line_max =
		line_limit(options->fanout < hosts ? options->fanout : hosts)};

	r->options = *options;
	r->fd = -1;
	sink_init(&r->out, STDOUT_FILENO);
	sink_init(&r->err, STDERR_FILENO);
	r->out.is_colored = has_color(options->color, &r->out);
	r->err.is_colored = has_color(options->color, &r->err);
	r->live = live_new(hosts, &r->out, &r->err, &live);
	r->summary = summary_new();
	headway_init(&r->headway, &r->tally, hosts, options->is_transfer,
	    options->host_bytes, clock_now_ms());
	if (has_progress(options, &r->err))
		r->progress =
		    progress_new(&r->err, &r->headway, r->headway.began_ms);
	r->metrics = (struct metrics){.tool = options->tool,
	    .path = options->metrics_path,
	    .hosts = hosts,
	    .began_at_ms = clock_wall_ms(),
	    .running = &r->headway.running,
	    .tally = &r->tally};
	if (report_open(r, err) == -1) {
		report_free(r);
		return NULL;
	}
	return r;
}

void
report_free(struct report *r)
{
	if (r == NULL)
		return;
	/* A run that could not be finished leaves no progress either. */
	report_clear(r);
	progress_free(r->progress);
	headway_clear(&r->headway);
	if (r->fd != -1)
		close(r->fd);
	html_free(r->html);
	metrics_file_free(r->metrics_file);
	live_free(r->live);
	summary_free(r->summary);
	sink_clear(&r->out);
	sink_clear(&r->err);
	free(r);
}

void
report_output(struct report *r, uint32_t seq, const char *host, int stream,
    const uint8_t *data, size_t len)
{
	if (!r->options.has_live)
		return;
	if (stream == 2 || r->out.is_tty)
		progress_hide(r->progress);
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
	r->is_held = is_held;
	if (is_held)
		progress_hide(r->progress);
}

void
report_clear(struct report *r)
{
	if (r->progress == NULL)
		return;
	progress_hide(r->progress);
	sink_flush(&r->err);
}

void
report_running(struct report *r, const struct running *running)
{
	r->headway.running = *running;
}

void
report_state(struct report *r)
{
	progress_hide(r->progress);
	if (r->is_held)
		buf_puts(&r->err.buf, "\n"); /* a question stands there */
	headway_print(&r->headway, clock_now_ms(), &r->err.buf);
}

/* One could not be written: tell it once, and leave whole lines only. */
static void
line_lost(struct report *r, size_t written)
{
	const char *why = strerror(errno);
	struct stat st;

	if (written > 0 && fstat(r->fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    ftruncate(r->fd, st.st_size - (off_t)written) == -1)
		why = strerror(errno);
	if (r->records_lost++ == 0)
		log_error("%s: %s", r->options.report_path, why);
}

/* One write a line, so that a crash leaves whole lines. */
static void
report_line(struct report *r, const struct record *record)
{
	char *line = json_record(record);
	size_t len;
	struct buf b;

	buf_init(&b, strlen(line) + 2);
	buf_puts(&b, line);
	buf_append(&b, "\n", 1);
	len = buf_len(&b);
	r->records++;
	if (fd_flush(r->fd, &b) == -1)
		line_lost(r, len - buf_len(&b));
	buf_clear(&b);
	free(line);
}

void
report_record(struct report *r, const struct record *record)
{
	int exit_class = status_exit_class(record->status);

	progress_hide(r->progress);
	live_end(r->live, record->seq, record->host);
	if (exit_class > r->exit_class)
		r->exit_class = exit_class;
	if (record->has_exit_code && record->exit_code > r->largest_exit)
		r->largest_exit = record->exit_code;
	tally_add(&r->tally, record);
	headway_ended(&r->headway, record->seq);
	summary_add(r->summary, record);
	if (r->fd != -1)
		report_line(r, record);
	if (r->html != NULL)
		html_record(r->html, record);
}

int
report_can_print(const struct report *r, struct error *err)
{
	int flags = fcntl(STDOUT_FILENO, F_GETFL);

	if (r->options.has_live &&
	    (flags == -1 || (flags & O_ACCMODE) == O_RDONLY))
		return error_set(
		    err, "stdout is closed; -output none does without it");
	return 0;
}

size_t
report_backlog(const struct report *r)
{
	return buf_len(&r->out.buf) + buf_len(&r->err.buf);
}

/*
 * Lines for the terminal wait for the next drawing of the progress, if they
 * are few and some host is yet to come.
 */
static bool
is_gathering(const struct report *r, uint64_t now_ms)
{
	return !r->is_held && r->tally.ended < r->headway.count &&
	    report_backlog(r) < GATHERED_MAX &&
	    progress_gathers(r->progress, now_ms);
}

/* On a terminal, stdout waits until stderr's progress is erased. */
static bool
out_is_held(const struct report *r)
{
	return r->progress != NULL && r->out.is_tty && r->err.is_tty &&
	    buf_len(&r->err.buf) > 0;
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
	if (is_gathering(r, now_ms)) {
		if (!r->out.is_tty)
			sink_flush(&r->out);
		return;
	}
	if (r->progress != NULL)
		sink_flush(&r->err);
	if (!out_is_held(r))
		sink_flush(&r->out);
	if (!r->is_held)
		progress_show(r->progress,
		    !r->out.is_tty || buf_len(&r->out.buf) == 0, now_ms);
	sink_flush(&r->err);
}

uint64_t
report_due_ms(const struct report *r)
{
	uint64_t line = r->is_held ? UINT64_MAX : progress_due_ms(r->progress);
	uint64_t metrics = metrics_file_due_ms(r->metrics_file);

	return line < metrics ? line : metrics;
}

size_t
report_poll(const struct report *r, struct pollfd *fds)
{
	const struct sink *sinks[2] = {&r->out, &r->err};
	bool gathers = is_gathering(r, clock_now_ms());
	size_t i;

	for (i = 0; i < 2; i++) {
		/* Without events poll still tells of a reader that left. */
		fds[i].fd = sinks[i]->error == 0 ? sinks[i]->fd : -1;
		fds[i].events = buf_len(&sinks[i]->buf) > 0 ? POLLOUT : 0;
		fds[i].revents = 0;
	}
	if (out_is_held(r) || (gathers && r->out.is_tty))
		fds[0].events = 0;
	if (gathers)
		fds[1].events = 0;
	return 2;
}

int
report_broken(struct report *r, const struct pollfd *fds)
{
	int error = r->out.error;

	/* A pipe's reader may leave while nothing is there to print. */
	if (error == 0 && !r->out.is_tty && (fds[0].revents & POLLERR) != 0)
		error = r->out.error = EPIPE;
	/* Without stderr the run goes on; poll must not tell for ever. */
	if (!r->err.is_tty && (fds[1].revents & POLLERR) != 0)
		r->err.error = EPIPE;
	if (error == 0)
		return 0;
	if (error == EPIPE)
		return EXIT_BROKEN;
	if (!r->is_stdout_broken)
		log_error("stdout: %s", strerror(error));
	r->is_stdout_broken = true;
	return EXIT_LOCAL;
}

void
report_abandon(struct report *r)
{
	buf_consume(&r->out.buf, buf_len(&r->out.buf));
	buf_consume(&r->err.buf, buf_len(&r->err.buf));
	r->is_abandoned = true;
}

/* The exit status that the records and the files amount to. */
static int
exit_status(const struct report *r)
{
	int status = r->exit_class;

	if ((r->records_lost > 0 || r->is_page_broken ||
		r->is_metrics_broken) &&
	    status < EXIT_LOCAL)
		status = EXIT_LOCAL;
	/* With -S a remote exit status takes the place of class 1. */
	if (r->options.is_largest_exit && r->largest_exit > 0 && status <= 1)
		status = r->largest_exit > 255 ? 255 : (int)r->largest_exit;
	return status;
}

void
report_page(struct report *r)
{
	const struct html_end end = {.began_at_ms = r->metrics.began_at_ms,
	    .elapsed_ms = clock_now_ms() - r->headway.began_ms,
	    .summary = r->summary};
	struct error err;

	if (r->html == NULL || html_finish(r->html, &end, &err) == 0)
		return;
	log_error("%s", err.text);
	r->is_page_broken = true;
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

static void
end_progress(struct report *r)
{
	progress_hide(r->progress);
	progress_free(r->progress);
	r->progress = NULL;
}

/* The records can be read again: they are in a file, not in a pipe. */
static bool
has_again(const struct report *r)
{
	struct stat st;

	return r->options.again != NULL && !r->options.is_quiet &&
	    r->exit_class != 0 && r->fd != -1 && r->records_lost == 0 &&
	    fstat(r->fd, &st) == 0 && S_ISREG(st.st_mode);
}

void
report_finish(struct report *r)
{
	struct summary_options options = {.seed = r->options.seed,
	    .has_latencies = r->options.is_verbose,
	    .is_colored = r->err.is_colored};

	end_progress(r);
	if (r->records_lost > 0)
		log_error("%s: lacks %u of %u records", r->options.report_path,
		    r->records_lost, r->records);
	/* What was abandoned is dropped already. */
	if (!r->is_abandoned) {
		sink_drain(&r->err);
		sink_drain(&r->out);
	}
	if (r->options.is_quiet && r->exit_class == 0)
		return;
	options.elapsed_ms = clock_now_ms() - r->headway.began_ms;
	summary_print(r->summary, &r->tally, &options, &r->err.buf);
	if (has_again(r))
		buf_printf(&r->err.buf, "Again: %s\n", r->options.again);
	if (r->is_abandoned)
		sink_flush(&r->err);
	else
		sink_drain(&r->err);
}
