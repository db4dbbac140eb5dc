/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Failed hosts gather in groups of the same status, stage and reason. A short
 * reason is part of what makes a group; long ones (host keys, with their
 * fingerprints) differ from host to host, so those hosts share a group and
 * the first few are explained one by one.
 *
 *   5 hosts: 3 ok, 2 failed (0.4 s)
 *   failed, exit 3 (2): web[01-02]
 *
 * Transfers add up: "5 hosts: 5 ok; 2.0 GB in 10 files (6.4 s)". A random
 * order can be had again: "5 hosts: 5 ok (0.4 s, -shuffle -seed 4711)". With
 * latencies a line follows:
 *
 *   connect p50 3 ms, p95 12 ms; auth p50 8 ms, p95 20 ms; total p50 ...
 */
#include "config.h"

#include "report/summary.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inventory/hostset.h"
#include "report/color.h"
#include "report/ending.h"
#include "util/escape.h"
#include "util/human.h"
#include "util/quote.h"
#include "util/xalloc.h"

#define EXPLAINED_MAX 3

struct group {
	struct ending ending; /* without reason if each host has its own */
	struct hostset *hosts;
	char *explained[EXPLAINED_MAX];
	size_t explained_count;
};

struct summary {
	struct group *groups;
	size_t group_count;
};

struct summary *
summary_new(void)
{
	return xcalloc(1, sizeof(struct summary));
}

void
summary_free(struct summary *s)
{
	struct group *g;
	size_t i;

	if (s == NULL)
		return;
	for (g = s->groups; g < s->groups + s->group_count; g++) {
		ending_clear(&g->ending);
		hostset_free(g->hosts);
		for (i = 0; i < g->explained_count; i++)
			free(g->explained[i]);
	}
	free(s->groups);
	free(s);
}

/* The group of that ending, which is taken over. */
static struct group *
summary_group(struct summary *s, struct ending *ending)
{
	struct group *g;

	for (g = s->groups; g < s->groups + s->group_count; g++) {
		if (ending_compare(&g->ending, ending) != 0)
			continue;
		ending_clear(ending);
		return g;
	}
	s->groups =
	    xreallocarray(s->groups, s->group_count + 1, sizeof(*s->groups));
	g = &s->groups[s->group_count++];
	memset(g, 0, sizeof(*g));
	g->ending = *ending;
	g->hosts = hostset_new();
	return g;
}

void
summary_add(struct summary *s, const struct record *r)
{
	struct ending ending;
	struct group *g;
	char *reason;

	/* Of those that are ok only what is not as usual. */
	if (r->status == STATUS_OK && r->message[0] == '\0')
		return;
	ending_init(&ending, r);
	g = summary_group(s, &ending);
	/* The selection is within the limit of a set. */
	hostset_add(g->hosts, r->host, NULL);
	if (g->ending.reason[0] != '\0' || g->explained_count == EXPLAINED_MAX)
		return;
	reason = escape_string(r->message);
	g->explained[g->explained_count++] =
	    xasprintf("%s: %s", r->host, reason);
	free(reason);
}

static int
group_compare(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	size_t nx = hostset_count(x->hosts), ny = hostset_count(y->hosts);

	if (x->ending.status == y->ending.status && nx != ny)
		return nx > ny ? -1 : 1;
	return ending_compare(&x->ending, &y->ending);
}

static void
summary_sort(struct summary *s)
{
	if (s->group_count > 0)
		qsort(s->groups, s->group_count, sizeof(*s->groups),
		    group_compare);
}

static void
group_print(const struct group *g, bool is_colored, struct buf *out)
{
	char *folded = hostset_fold(g->hosts);
	size_t count = hostset_count(g->hosts), i;

	ending_print(&g->ending, is_colored, out);
	buf_printf(out, " (%zu): %s\n", count, folded);
	for (i = 0; i < g->explained_count; i++)
		buf_printf(out, "    %s\n", g->explained[i]);
	if (g->ending.reason[0] == '\0' && count > g->explained_count)
		buf_printf(
		    out, "    and %zu more\n", count - g->explained_count);
	free(folded);
}

/* "; 2.0 GB in 400 files, 12 unchanged" */
static void
transfers_print(const struct tally *t, struct buf *out)
{
	uint64_t moved = t->files - t->unchanged;
	char bytes[HUMAN_SIZE];

	human_bytes(bytes, sizeof(bytes), t->bytes);
	buf_printf(out, "; %s in %" PRIu64 " file%s", bytes, moved,
	    moved == 1 ? "" : "s");
	if (t->unchanged > 0)
		buf_printf(out, ", %" PRIu64 " unchanged", t->unchanged);
}

/* "5 hosts: 3 ok, 2 failed" */
static void
counts_print(const struct tally *t, bool is_colored, struct buf *out)
{
	const char *separator = ": ";
	char count[64];
	size_t i;

	buf_printf(
	    out, "%" PRIu64 " host%s", t->ended, t->ended == 1 ? "" : "s");
	for (i = 0; i < STATUS_COUNT; i++) {
		if (t->counts[i] == 0)
			continue;
		snprintf(count, sizeof(count), "%" PRIu64 " %s", t->counts[i],
		    status_name((enum status)i));
		buf_puts(out, separator);
		color_failed(out, is_colored && i != STATUS_OK, count);
		separator = ", ";
	}
}

/* What no host came to is left out. */
static void
latencies_print(const struct tally *t, struct buf *out)
{
	static const char *const names[LATENCY_COUNT] = {
	    [LATENCY_CONNECT] = "connect",
	    [LATENCY_AUTH] = "auth",
	    [LATENCY_TOTAL] = "total"};
	char p50[HUMAN_SIZE], p95[HUMAN_SIZE];
	const char *separator = "";
	const struct histogram *h;
	size_t i;

	for (i = 0; i < LATENCY_COUNT; i++) {
		h = &t->latencies[i];
		if (h->count == 0)
			continue;
		human_latency(p50, sizeof(p50), histogram_percentile(h, 50));
		human_latency(p95, sizeof(p95), histogram_percentile(h, 95));
		buf_printf(
		    out, "%s%s p50 %s, p95 %s", separator, names[i], p50, p95);
		separator = "; ";
	}
	if (separator[0] != '\0')
		buf_puts(out, "\n");
}

void
summary_print(struct summary *s, const struct tally *tally,
    const struct summary_options *options, struct buf *out)
{
	size_t i;

	summary_sort(s);
	counts_print(tally, options->is_colored, out);
	if (tally->has_transfers)
		transfers_print(tally, out);
	buf_printf(out, " (%.1f s", (double)options->elapsed_ms / 1000);
	if (options->seed != 0)
		buf_printf(out, ", -shuffle -seed %" PRIu64, options->seed);
	buf_printf(out, ")\n");
	if (options->has_latencies)
		latencies_print(tally, out);
	for (i = 0; i < s->group_count; i++)
		group_print(&s->groups[i], options->is_colored, out);
}

/* "; -rerun unreachable,denied run.jsonl leaves them out" */
static void
again_without_begun(const struct tally *t, const char *report, struct buf *out)
{
	const char *separator = "; -rerun ";
	size_t i;

	for (i = STATUS_OK + 1; i < STATUS_COUNT; i++) {
		if (t->counts[i] == 0 || t->begun[i] > 0)
			continue;
		buf_printf(out, "%s%s", separator, status_name((enum status)i));
		separator = ",";
	}
	if (separator[0] != ',')
		return;
	buf_puts(out, " ");
	quote_shell_line(out, report);
	buf_puts(out, " leaves them out");
}

void
summary_again(
    const struct tally *t, const struct report_options *o, struct buf *out)
{
	uint64_t failed = tally_failed(t), begun = 0;
	size_t i;

	buf_printf(out, "Again%s: %s\n",
	    o->again_needs_input ? " (give it the same input)" : "", o->again);
	for (i = STATUS_OK + 1; i < STATUS_COUNT; i++)
		begun += t->begun[i];
	if (o->is_transfer || begun == 0 || t->counts[STATUS_FAILED] == failed)
		return;
	if (begun == failed)
		buf_puts(out, "each of these hosts");
	else
		buf_printf(out, "%" PRIu64 " of these %" PRIu64 " hosts", begun,
		    failed);
	buf_puts(out, " may have run the command already");
	again_without_begun(t, o->report_path, out);
	buf_puts(out, "\n");
}

static json_t *
group_json(const struct group *g)
{
	char *folded = hostset_fold(g->hosts);
	json_t *explained = json_array(), *object;
	size_t i;

	for (i = 0; i < g->explained_count; i++)
		json_array_append_new(explained, json_string(g->explained[i]));
	object = json_pack("{s:s s:s s:s s:I s:s s:o}", "status",
	    status_name(g->ending.status), "stage",
	    ending_stage(g->ending.status, g->ending.stage), "reason",
	    g->ending.reason, "count", (json_int_t)hostset_count(g->hosts),
	    "hosts", folded, "explained", explained);
	free(folded);
	return object;
}

json_t *
summary_failures(struct summary *s)
{
	json_t *list = json_array();
	size_t i;

	summary_sort(s);
	for (i = 0; i < s->group_count; i++)
		json_array_append_new(list, group_json(&s->groups[i]));
	return list;
}
