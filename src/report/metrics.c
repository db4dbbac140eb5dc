/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/escape.h"
#include "util/path.h"
#include "util/xalloc.h"

/* Of a name as long as PATH_MAX, all of it escaped. */
#define LABELS_MAX (64u << 10)

/* What the samples of one text have in common. */
struct text {
	struct buf *out;
	struct buf labels; /* tool="...",run="...", NUL-terminated */
};

/* --- samples ------------------------------------------------------------- */

/* A value may be any UTF-8; what is not is shown escaped. */
static void
label_append(struct buf *labels, const char *name, const char *value)
{
	char *shown = escape_string(value);
	const char *p;

	buf_printf(labels, "%s=\"", name);
	for (p = shown; *p != '\0'; p++) {
		if (*p == '\\' || *p == '"')
			buf_puts(labels, "\\");
		buf_append(labels, p, 1);
	}
	buf_puts(labels, "\"");
	free(shown);
}

static void
labels_init(struct buf *labels, const struct metrics *m)
{
	char *run = xstrdup(path_base(m->path)), *suffix = strrchr(run, '.');

	if (suffix != NULL && strcmp(suffix, ".prom") == 0)
		*suffix = '\0';
	buf_init(labels, LABELS_MAX);
	label_append(labels, "tool", m->tool);
	buf_puts(labels, ",");
	label_append(labels, "run", run);
	buf_append(labels, "", 1);
	free(run);
}

/* What the samples that follow are about. */
static void
put_head(struct text *t, const char *name, const char *type, const char *help)
{
	buf_printf(t->out, "# HELP batch_%s %s\n# TYPE batch_%s %s\n", name,
	    help, name, type);
}

/* more: further labels, each with a comma in front. */
static void
put_sample(struct text *t, const char *name, const char *more, double value)
{
	buf_printf(t->out, "batch_%s{%s%s} %.15g\n", name,
	    (const char *)buf_head(&t->labels), more, value);
}

static void
put_gauge(struct text *t, const char *name, double value, const char *help)
{
	put_head(t, name, "gauge", help);
	put_sample(t, name, "", value);
}

static void
put_counter(struct text *t, const char *name, uint64_t value, const char *help)
{
	put_head(t, name, "counter", help);
	put_sample(t, name, "", (double)value);
}

/* --- latencies ----------------------------------------------------------- */

/* Upper limits of buckets, ms; three digits at most, so counts are exact. */
static const uint64_t limits[] = {5, 10, 25, 50, 100, 250, 500, 1000, 2500,
    5000, 10000, 30000, 60000, 300000, 1800000, 7200000};

static void
put_histogram(struct text *t, const char *name, const struct histogram *h,
    const char *help)
{
	char series[64], le[32];
	size_t i;

	put_head(t, name, "histogram", help);
	snprintf(series, sizeof(series), "%s_bucket", name);
	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		snprintf(
		    le, sizeof(le), ",le=\"%g\"", (double)limits[i] / 1000);
		put_sample(
		    t, series, le, (double)histogram_up_to(h, limits[i]));
	}
	put_sample(t, series, ",le=\"+Inf\"", (double)h->count);
	snprintf(series, sizeof(series), "%s_sum", name);
	put_sample(t, series, "", (double)h->sum / 1000);
	snprintf(series, sizeof(series), "%s_count", name);
	put_sample(t, series, "", (double)h->count);
}

static void
put_latencies(struct text *t, const struct tally *tally)
{
	put_histogram(t, "connect_seconds", &tally->latencies[LATENCY_CONNECT],
	    "Time until a host presented its key, of hosts that have ended.");
	put_histogram(t, "auth_seconds", &tally->latencies[LATENCY_AUTH],
	    "Time that the login took, of hosts that have ended.");
	put_histogram(t, "host_seconds", &tally->latencies[LATENCY_TOTAL],
	    "Time from a host's first attempt to its end.");
}

/* --- the run ------------------------------------------------------------- */

static void
put_run(struct text *t, const struct metrics *m)
{
	put_gauge(t, "start_time_seconds", (double)m->began_at_ms / 1000,
	    "Unix time at which the run began.");
	put_gauge(t, "duration_seconds", (double)m->elapsed_ms / 1000,
	    "How long the run has taken.");
	put_gauge(t, "running", m->ended_at_ms == 0,
	    "1 while the run goes on, 0 once it has ended.");
	if (m->ended_at_ms == 0)
		return;
	put_gauge(t, "end_time_seconds", (double)m->ended_at_ms / 1000,
	    "Unix time at which the run ended.");
	put_gauge(t, "exit_status", m->exit_status,
	    "Exit status of the run; 0 if every host is ok.");
}

static void
put_hosts(struct text *t, const struct metrics *m)
{
	char more[64];
	int i;

	put_gauge(t, "hosts", (double)m->hosts, "Hosts of the run.");
	put_gauge(t, "queued_hosts", m->running->queued,
	    "Hosts that are neither in flight nor have ended; those that wait "
	    "for a retry are among them.");
	put_gauge(t, "in_flight_hosts", m->running->in_flight,
	    "Hosts that are being worked on.");
	put_gauge(t, "workers", m->running->workers, "Worker processes.");
	put_counter(t, "retries_total", m->running->retries,
	    "Attempts beyond the first one of a host.");
	put_head(t, "results_total", "counter", "Hosts that have ended.");
	for (i = 0; i < STATUS_COUNT; i++) {
		snprintf(more, sizeof(more), ",status=\"%s\"",
		    status_name((enum status)i));
		put_sample(
		    t, "results_total", more, (double)m->tally->counts[i]);
	}
}

static double
ratio(uint64_t part, uint64_t whole)
{
	return whole > 0 ? (double)part / (double)whole : 0;
}

static void
put_rates(struct text *t, const struct metrics *m)
{
	const struct tally *tally = m->tally;

	put_gauge(t, "error_ratio", ratio(tally_failed(tally), tally->ended),
	    "Share of the hosts that have ended that are not ok.");
	put_gauge(t, "timeout_ratio",
	    ratio(tally->counts[STATUS_TIMEOUT], tally->ended),
	    "Share of the hosts that have ended in a timeout.");
	put_gauge(t, "throughput_bytes_per_second",
	    1000 *
		ratio(tally->stdout_bytes + tally->stderr_bytes + tally->bytes,
		    m->elapsed_ms),
	    "Bytes of output and of files a second, over the whole run.");
}

static void
put_bytes(struct text *t, const struct tally *tally)
{
	put_head(t, "output_bytes_total", "counter",
	    "Bytes that commands have written, of hosts that have ended.");
	put_sample(t, "output_bytes_total", ",stream=\"stdout\"",
	    (double)tally->stdout_bytes);
	put_sample(t, "output_bytes_total", ",stream=\"stderr\"",
	    (double)tally->stderr_bytes);
	put_counter(t, "transferred_bytes_total", tally->bytes,
	    "Bytes of files that were transferred, of hosts that have ended.");
}

void
metrics_render(const struct metrics *m, struct buf *out)
{
	struct text t = {.out = out};

	labels_init(&t.labels, m);
	put_run(&t, m);
	put_hosts(&t, m);
	put_bytes(&t, m->tally);
	put_rates(&t, m);
	put_latencies(&t, m->tally);
	buf_clear(&t.labels);
}
