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
 * order can be had again: "5 hosts: 5 ok (0.4 s, -shuffle -seed 4711)".
 */
#include "config.h"

#include "report/summary.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "inventory/hostset.h"
#include "util/escape.h"
#include "util/human.h"
#include "util/xalloc.h"

#define REASON_SHORT_MAX 120
#define EXPLAINED_MAX	 3

struct group {
	enum status status;
	enum stage stage;
	char *reason; /* escaped; "" if each host has its own */
	struct hostset *hosts;
	char *explained[EXPLAINED_MAX];
	size_t explained_count;
};

struct summary {
	size_t counts[STATUS_COUNT];
	size_t total;
	bool has_transfers;
	uint64_t bytes, files, unchanged;
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
		free(g->reason);
		hostset_free(g->hosts);
		for (i = 0; i < g->explained_count; i++)
			free(g->explained[i]);
	}
	free(s->groups);
	free(s);
}

static struct group *
summary_group(struct summary *s, const struct record *r, const char *reason)
{
	struct group *g;

	for (g = s->groups; g < s->groups + s->group_count; g++) {
		if (g->status == r->status && g->stage == r->stage &&
		    strcmp(g->reason, reason) == 0)
			return g;
	}
	s->groups =
	    xreallocarray(s->groups, s->group_count + 1, sizeof(*s->groups));
	g = &s->groups[s->group_count++];
	memset(g, 0, sizeof(*g));
	g->status = r->status;
	g->stage = r->stage;
	g->reason = xstrdup(reason);
	g->hosts = hostset_new();
	return g;
}

void
summary_add(struct summary *s, const struct record *r)
{
	struct group *g;
	char *reason;

	s->counts[r->status]++;
	s->total++;
	s->has_transfers = s->has_transfers || r->is_transfer;
	s->bytes += r->bytes;
	s->files += r->files;
	s->unchanged += r->unchanged;
	if (r->status == STATUS_OK)
		return;
	reason = escape_string(r->message);
	g = summary_group(
	    s, r, strlen(reason) <= REASON_SHORT_MAX ? reason : "");
	/* The selection is within the limit of a set. */
	hostset_add(g->hosts, r->host, NULL);
	if (g->reason[0] == '\0' && g->explained_count < EXPLAINED_MAX)
		g->explained[g->explained_count++] =
		    xasprintf("%s: %s", r->host, reason);
	free(reason);
}

static int
group_compare(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	size_t nx = hostset_count(x->hosts), ny = hostset_count(y->hosts);

	if (x->status != y->status)
		return x->status < y->status ? -1 : 1;
	if (nx != ny)
		return nx > ny ? -1 : 1;
	return strcmp(x->reason, y->reason);
}

/* "exit 3", or the stage and the reason. */
static void
group_print(const struct group *g, bool is_colored, struct buf *out)
{
	const char *stage = stage_name(g->stage);
	char *folded = hostset_fold(g->hosts);
	size_t count = hostset_count(g->hosts), i;

	buf_printf(out, "%s%s%s", is_colored ? "\033[31m" : "",
	    status_name(g->status), is_colored ? "\033[0m" : "");
	if (stage[0] != '\0' && g->status != STATUS_FAILED &&
	    strcmp(stage, status_name(g->status)) != 0)
		buf_printf(out, " %s", stage);
	if (g->reason[0] != '\0')
		buf_printf(out, ", %s", g->reason);
	buf_printf(out, " (%zu): %s\n", count, folded);
	for (i = 0; i < g->explained_count; i++)
		buf_printf(out, "    %s\n", g->explained[i]);
	if (g->reason[0] == '\0' && count > g->explained_count)
		buf_printf(
		    out, "    and %zu more\n", count - g->explained_count);
	free(folded);
}

/* "; 2.0 GB in 400 files, 12 unchanged" */
static void
transfers_print(const struct summary *s, struct buf *out)
{
	uint64_t moved = s->files - s->unchanged;
	char bytes[HUMAN_SIZE];

	human_bytes(bytes, sizeof(bytes), s->bytes);
	buf_printf(out, "; %s in %" PRIu64 " file%s", bytes, moved,
	    moved == 1 ? "" : "s");
	if (s->unchanged > 0)
		buf_printf(out, ", %" PRIu64 " unchanged", s->unchanged);
}

void
summary_print(struct summary *s, uint64_t elapsed_ms, uint64_t seed,
    bool is_colored, struct buf *out)
{
	const char *separator = ": ";
	size_t i;

	if (s->group_count > 0)
		qsort(s->groups, s->group_count, sizeof(*s->groups),
		    group_compare);
	buf_printf(out, "%zu host%s", s->total, s->total == 1 ? "" : "s");
	for (i = 0; i < STATUS_COUNT; i++) {
		if (s->counts[i] == 0)
			continue;
		buf_printf(out, "%s%zu %s", separator, s->counts[i],
		    status_name((enum status)i));
		separator = ", ";
	}
	if (s->has_transfers)
		transfers_print(s, out);
	buf_printf(out, " (%.1f s", (double)elapsed_ms / 1000);
	if (seed != 0)
		buf_printf(out, ", -shuffle -seed %" PRIu64, seed);
	buf_printf(out, ")\n");
	for (i = 0; i < s->group_count; i++)
		group_print(&s->groups[i], is_colored, out);
}
