/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The graph of the groups. It is walked from the top down (Kahn): a group is
 * taken when all groups it is in have been taken, so its ancestors are the
 * union of its parents and theirs. What can't be taken is on a cycle or below
 * one. The depth is limited because expanding a group recurses.
 *
 * With the ancestors known, the values of every host of several groups are
 * worked out once, so that groups which disagree are found before anything
 * runs.
 */
#include "config.h"

#include "inventory/inventory.h"

#include <stdlib.h>
#include <string.h>

#include "inventory/inventory_impl.h"
#include "util/buf.h"
#include "util/xalloc.h"

static const char *
group_name(const struct inventory *inv, uint32_t group)
{
	return hostset_name(inv->group_names, group);
}

static int
check_defined(const struct inventory *inv, struct error *err)
{
	const struct group *g;
	struct error why;
	size_t i;

	for (i = 0; i < hostset_count(inv->group_names); i++) {
		g = &inv->groups[i];
		if (g->is_defined)
			continue;
		inventory_undefined(inv, group_name(inv, (uint32_t)i), &why);
		return error_set(err, "%s: [%.100s] @%.100s: %s",
		    inv->files[g->file], group_name(inv, g->named_in),
		    group_name(inv, (uint32_t)i), why.text);
	}
	return 0;
}

/*
 * Merge the parent and its ancestors into the child's, both ascending and
 * without duplicates.
 */
static void
inherit(struct group *child, const struct group *parent, uint32_t parent_index)
{
	size_t n = child->ancestor_count, m = parent->ancestor_count;
	size_t i = 0, j = 0, count = 0;
	uint32_t *merged = xreallocarray(NULL, n + m + 1, sizeof(*merged));
	uint32_t *more = xreallocarray(NULL, m + 1, sizeof(*more));
	uint32_t next;

	/* The parent in its place among its ancestors. */
	while (j < m && parent->ancestors[j] < parent_index) {
		more[j] = parent->ancestors[j];
		j++;
	}
	more[j] = parent_index;
	if (j < m)
		memcpy(more + j + 1, parent->ancestors + j,
		    (m - j) * sizeof(*more));
	m++;
	for (j = 0; i < n || j < m;) {
		if (j == m || (i < n && child->ancestors[i] < more[j]))
			next = child->ancestors[i++];
		else
			next = more[j++];
		if (count == 0 || merged[count - 1] != next)
			merged[count++] = next;
	}
	free(more);
	free(child->ancestors);
	child->ancestors = merged;
	child->ancestor_count = count;
	if (child->depth < parent->depth + 1)
		child->depth = parent->depth + 1;
}

/*
 * Some groups wait for ever, each for one that is in the same state. So going
 * from any of them to what it waits for ends on a cycle; name its groups.
 */
static int
report_cycle(
    const struct inventory *inv, const size_t *waiting, struct error *err)
{
	size_t count = hostset_count(inv->group_names), i, j;
	uint32_t *parent = xcalloc(count, sizeof(*parent)), at = 0, start;
	const struct group *g;
	struct buf path;

	for (i = 0; i < count; i++) {
		g = &inv->groups[i];
		for (j = 0; waiting[i] > 0 && j < g->item_count; j++) {
			if (!g->items[j].is_group)
				continue;
			parent[g->items[j].index] = (uint32_t)i;
			at = waiting[g->items[j].index] > 0 ? g->items[j].index
							    : at;
		}
	}
	for (i = 0; i < count; i++)
		at = parent[at];
	start = at;
	buf_init(&path, 400);
	do {
		at = parent[at];
	} while (buf_printf(&path, " is in %.100s", group_name(inv, at)) == 0 &&
	    at != start);
	g = &inv->groups[parent[start]];
	error_set(err, "%s: [%.100s] @%.100s: a cycle of groups: %.100s%.*s",
	    inv->files[g->file], group_name(inv, parent[start]),
	    group_name(inv, start), group_name(inv, start), (int)buf_len(&path),
	    (const char *)buf_head(&path));
	buf_clear(&path);
	free(parent);
	return -1;
}

/* Fill in depth and ancestors of all groups. */
static int
order_groups(struct inventory *inv, struct error *err)
{
	size_t count = hostset_count(inv->group_names), taken = 0, i, j;
	size_t *waiting = xcalloc(count, sizeof(*waiting)), ready = 0;
	uint32_t *queue = xcalloc(count, sizeof(*queue)), child;
	const struct group *g;
	int rc = 0;

	for (i = 0; i < count; i++) {
		g = &inv->groups[i];
		for (j = 0; j < g->item_count; j++) {
			if (g->items[j].is_group)
				waiting[g->items[j].index]++;
		}
	}
	for (i = 0; i < count; i++) {
		if (waiting[i] == 0)
			queue[ready++] = (uint32_t)i;
	}
	for (; taken < ready && rc == 0; taken++) {
		g = &inv->groups[queue[taken]];
		if (g->depth > GROUP_DEPTH_MAX)
			rc = error_set(err,
			    "%s: [%.100s]: groups are nested more than %d deep",
			    inv->files[g->file], group_name(inv, queue[taken]),
			    GROUP_DEPTH_MAX);
		for (j = 0; j < g->item_count; j++) {
			if (!g->items[j].is_group)
				continue;
			child = g->items[j].index;
			inherit(&inv->groups[child], g, queue[taken]);
			if (--waiting[child] == 0)
				queue[ready++] = child;
		}
	}
	if (rc == 0 && taken < count)
		rc = report_cycle(inv, waiting, err);
	free(waiting);
	free(queue);
	return rc;
}

/* Whether more than one group has a say about the host. */
static bool
may_disagree(const struct inventory *inv, size_t host)
{
	const struct member *h = &inv->hosts[host];

	return h->first != NULL &&
	    (h->first != h->last ||
		inv->groups[h->first->group].ancestor_count > 0);
}

int
inventory_finish(struct inventory *inv, struct error *err)
{
	const char *value[SETTING_COUNT];
	size_t i;

	if (check_defined(inv, err) == -1 || order_groups(inv, err) == -1)
		return -1;
	for (i = 0; i < hostset_count(inv->host_names); i++) {
		if (may_disagree(inv, i) &&
		    inventory_values(inv, i, value, err) == -1)
			return -1;
	}
	return 0;
}
