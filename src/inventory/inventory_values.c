/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Precedence. A host's value of a setting is the first of: its own, that of
 * its member lines, that of its groups' "*", that of [defaults].
 *
 * Member lines are of one level: two groups must agree. Of one group, a later
 * file wins over an earlier one.
 *
 * A "*" also holds for the groups inside the group, and the nearer wins: a
 * group is passed over if the host is also in one inside it that gives the
 * setting. What is not passed over must agree. "Inside" is looked up in the
 * sorted ancestors that inventory_finish() has worked out.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "inventory/inventory_impl.h"
#include "util/xalloc.h"

/* A group that gives its "*" to a host. */
struct stars {
	uint32_t *groups;
	size_t count;
	size_t size;
};

static int
disagree(const struct inventory *inv, size_t host, enum setting s, uint32_t a,
    uint32_t b, struct error *err)
{
	const char *first = hostset_name(inv->group_names, a);
	const char *second = hostset_name(inv->group_names, b);
	const char *name = hostset_name(inv->host_names, host);

	return error_set(err,
	    "%s: [%.100s] %.100s: group \"%.100s\" gives another %s than "
	    "group \"%.100s\"; set it in [host %.100s]",
	    inv->files[inv->groups[b].file], second, name, second,
	    setting_name(s), first, name);
}

/* What a member line gives, unless the group has it in a later file too. */
static const char *
line_value(const struct membership *m, unsigned int setting)
{
	const struct membership *later;

	if (m->settings == NULL || m->settings->value[setting] == NULL)
		return NULL;
	for (later = m->next; later != NULL; later = later->next) {
		if (later->group == m->group && later->settings != NULL &&
		    later->settings->value[setting] != NULL)
			return NULL;
	}
	return m->settings->value[setting];
}

/* One setting from the host's member lines. */
static int
apply_lines(const struct inventory *inv, size_t host, unsigned int setting,
    const char **value, struct error *err)
{
	const struct membership *m;
	const char *candidate;
	uint32_t from = 0;

	for (m = inv->hosts[host].first; m != NULL; m = m->next) {
		candidate = line_value(m, setting);
		if (candidate == NULL)
			continue;
		if (*value != NULL && strcmp(*value, candidate) != 0)
			return disagree(inv, host, (enum setting)setting, from,
			    m->group, err);
		*value = candidate;
		from = m->group;
	}
	return 0;
}

static void
add_star(struct stars *stars, const struct inventory *inv, uint32_t group)
{
	size_t i;

	if (inv->groups[group].star == NULL)
		return;
	for (i = 0; i < stars->count; i++) {
		if (stars->groups[i] == group)
			return;
	}
	GROW(stars->groups, stars->count, stars->size);
	stars->groups[stars->count++] = group;
}

/* All groups of the host, direct or not, that have a "*". */
static void
collect_stars(struct stars *stars, const struct inventory *inv, size_t host)
{
	const struct membership *m;
	const struct group *g;
	size_t i;

	for (m = inv->hosts[host].first; m != NULL; m = m->next) {
		g = &inv->groups[m->group];
		add_star(stars, inv, m->group);
		for (i = 0; i < g->ancestor_count; i++)
			add_star(stars, inv, g->ancestors[i]);
	}
}

int
inventory_compare_index(const void *a, const void *b)
{
	uint32_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

/* Whether a group inside this one also gives the setting to the host. */
static bool
is_passed_over(const struct stars *stars, const struct inventory *inv,
    uint32_t group, unsigned int setting)
{
	const struct group *other;
	size_t i;

	for (i = 0; i < stars->count; i++) {
		other = &inv->groups[stars->groups[i]];
		if (other->star->value[setting] != NULL &&
		    other->ancestor_count > 0 &&
		    bsearch(&group, other->ancestors, other->ancestor_count,
			sizeof(group), inventory_compare_index) != NULL)
			return true;
	}
	return false;
}

/* One setting from the groups' "*". */
static int
apply_stars(const struct stars *stars, const struct inventory *inv, size_t host,
    unsigned int setting, const char **value, struct error *err)
{
	const char *candidate;
	uint32_t group, from = 0;
	size_t i;

	for (i = 0; i < stars->count; i++) {
		group = stars->groups[i];
		candidate = inv->groups[group].star->value[setting];
		if (candidate == NULL ||
		    is_passed_over(stars, inv, group, setting))
			continue;
		if (*value != NULL && strcmp(*value, candidate) != 0)
			return disagree(
			    inv, host, (enum setting)setting, from, group, err);
		*value = candidate;
		from = group;
	}
	return 0;
}

/* Where a value comes from, the strongest first. */
enum level { LEVEL_OWN, LEVEL_LINE, LEVEL_STAR, LEVEL_DEFAULTS };

/*
 * The three settings that give a password are one decision: what is said at a
 * stronger level hides all that weaker ones say.
 */
static void
settle_password(
    const char *value[SETTING_COUNT], const enum level level[SETTING_COUNT])
{
	static const enum setting sources[] = {
	    SETTING_PASSWORD, SETTING_PASSWORD_FILE, SETTING_PASSWORD_ENV};
	const size_t count = sizeof(sources) / sizeof(sources[0]);
	enum level strongest = LEVEL_DEFAULTS;
	size_t i;

	for (i = 0; i < count; i++) {
		if (value[sources[i]] != NULL && level[sources[i]] < strongest)
			strongest = level[sources[i]];
	}
	for (i = 0; i < count; i++) {
		if (level[sources[i]] > strongest)
			value[sources[i]] = NULL;
	}
}

int
inventory_values(const struct inventory *inv, size_t host,
    const char *value[SETTING_COUNT], struct error *err)
{
	const struct settings *own = NULL;
	struct stars stars = {NULL, 0, 0};
	enum level level[SETTING_COUNT];
	unsigned int s;
	int rc = 0;

	if (host != HOST_NONE) {
		own = inv->hosts[host].own;
		collect_stars(&stars, inv, host);
	}
	for (s = 0; s < SETTING_COUNT && rc == 0; s++) {
		level[s] = LEVEL_OWN;
		value[s] = own != NULL ? own->value[s] : NULL;
		if (value[s] == NULL && host != HOST_NONE) {
			level[s] = LEVEL_LINE;
			rc = apply_lines(inv, host, s, &value[s], err);
		}
		if (value[s] == NULL && rc == 0) {
			level[s] = LEVEL_STAR;
			rc = apply_stars(&stars, inv, host, s, &value[s], err);
		}
		if (value[s] == NULL) {
			level[s] = LEVEL_DEFAULTS;
			value[s] = inv->defaults->value[s];
		}
	}
	free(stars.groups);
	if (rc == 0)
		settle_password(value, level);
	return rc;
}
