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
 * Several hosts that have one advice share its reason, and are told once what
 * to do, with a command for all of them:
 *
 *   denied hostkey (40): web[01-40]
 *       host key unknown: no ED25519 key in FILE; if you trust them, ...:
 *       batch_run -h 'web[01-40]' -list | ssh-keyscan -f - ...
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
#include "report/wrap.h"
#include "util/escape.h"
#include "util/human.h"
#include "util/quote.h"
#include "util/xalloc.h"

#define EXPLAINED_MAX 3
/* A choice of all hosts, quoted; and with the words around it. */
#define QUOTED_MAX     ((size_t)64 << 20)
#define LINE_MAX_BYTES (2 * QUOTED_MAX)

struct group {
	struct ending ending; /* without reason if each host has its own */
	struct hostset *hosts;
	char *explained[EXPLAINED_MAX];
	size_t explained_count;
	/* of an advice; NULL: there is none */
	char *text, *command;
	struct hostset *addresses;
};

/* The lines below that of a group. */
struct notes {
	char *reason; /* of the group itself */
	char *lines[EXPLAINED_MAX + 1];
	size_t count;
	bool has_command; /* the last one is one */
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
	size_t i, k;

	if (s == NULL)
		return;
	for (k = 0; k < s->group_count; k++) {
		g = &s->groups[k];
		ending_clear(&g->ending);
		hostset_free(g->hosts);
		hostset_free(g->addresses);
		free(g->text);
		free(g->command);
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
	size_t i;

	for (i = 0; i < s->group_count; i++) {
		g = &s->groups[i];
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

static void
group_advise(struct group *g, const struct advice *a)
{
	if (g->addresses == NULL) {
		g->text = escape_string(a->text);
		g->command = escape_string(a->command);
		g->addresses = hostset_new();
	}
	hostset_add(g->addresses, a->address, NULL);
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
	if (r->advice != NULL)
		group_advise(g, r->advice);
	else if (g->ending.reason[0] != '\0')
		return;
	if (g->explained_count == EXPLAINED_MAX)
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

/* For all hosts of an advice. The caller frees it. */
static char *
advised_command(const struct group *g)
{
	char *folded = hostset_fold(g->addresses), *command;
	struct buf quoted;

	buf_init(&quoted, QUOTED_MAX);
	quote_shell_line(&quoted, folded);
	command = xasprintf("batch_run -h %.*s -list | %s",
	    (int)buf_len(&quoted), (const char *)buf_head(&quoted), g->command);
	buf_clear(&quoted);
	free(folded);
	return command;
}

static void
notes_init(struct notes *n, const struct group *g)
{
	size_t count = hostset_count(g->hosts), i;

	*n = (struct notes){.reason = g->ending.reason};
	if (g->addresses != NULL && count > 1) {
		n->lines[n->count++] =
		    xasprintf("%s; %s", g->ending.reason, g->text);
		n->lines[n->count++] = advised_command(g);
		n->has_command = true;
	} else {
		for (i = 0; i < g->explained_count; i++)
			n->lines[n->count++] = xstrdup(g->explained[i]);
		if (n->count > 0 && count > n->count) {
			n->lines[n->count] =
			    xasprintf("and %zu more", count - n->count);
			n->count++;
		}
	}
	if (n->count > 0)
		n->reason += strlen(n->reason); /* a line has it */
}

static void
notes_clear(struct notes *n)
{
	while (n->count > 0)
		free(n->lines[--n->count]);
}

/* A line of the summary, which is empty then. */
static void
line_print(struct buf *line, size_t columns, struct buf *out)
{
	buf_append(line, "", 1);
	wrap_line(out, (const char *)buf_head(line), columns);
	buf_consume(line, buf_len(line));
}

static void
group_print(const struct group *g, const struct summary_options *options,
    struct buf *out)
{
	char *folded = hostset_fold(g->hosts);
	struct ending ending = g->ending;
	struct notes notes;
	struct buf line;
	size_t i;

	notes_init(&notes, g);
	buf_init(&line, LINE_MAX_BYTES);
	ending.reason = notes.reason;
	ending_print(&ending, options->is_colored, &line);
	buf_printf(&line, " (%zu): %s", hostset_count(g->hosts), folded);
	line_print(&line, options->columns, out);
	for (i = 0; i < notes.count; i++) {
		buf_printf(&line, "    %s", notes.lines[i]);
		line_print(&line,
		    notes.has_command && i == 0 ? options->columns : 0, out);
	}
	buf_clear(&line);
	notes_clear(&notes);
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
}

void
summary_print(struct summary *s, const struct tally *tally,
    const struct summary_options *options, struct buf *out)
{
	struct buf line;
	size_t i;

	summary_sort(s);
	buf_init(&line, LINE_MAX_BYTES);
	counts_print(tally, options->is_colored, &line);
	if (tally->has_transfers)
		transfers_print(tally, &line);
	buf_printf(&line, " (%.1f s", (double)options->elapsed_ms / 1000);
	if (options->seed != 0)
		buf_printf(&line, ", -shuffle -seed %" PRIu64, options->seed);
	buf_puts(&line, ")");
	line_print(&line, options->columns, out);
	if (options->has_latencies)
		latencies_print(tally, &line);
	if (buf_len(&line) > 0)
		line_print(&line, options->columns, out);
	buf_clear(&line);
	for (i = 0; i < s->group_count; i++)
		group_print(&s->groups[i], options, out);
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
	quote_path_line(out, report);
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
	json_t *lines = json_array(), *object;
	struct notes notes;
	size_t i;

	notes_init(&notes, g);
	for (i = 0; i < notes.count; i++)
		json_array_append_new(lines, json_string(notes.lines[i]));
	object = json_pack("{s:s s:s s:s s:I s:s s:o}", "status",
	    status_name(g->ending.status), "stage",
	    ending_stage(g->ending.status, g->ending.stage), "reason",
	    notes.reason, "count", (json_int_t)hostset_count(g->hosts), "hosts",
	    folded, "notes", lines);
	notes_clear(&notes);
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
