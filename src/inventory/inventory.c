/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Hosts and groups are arrays whose names are in two hostsets, which serve as
 * the maps from name to index; all else refers to them by index.
 *
 *	inventory_load.c     files -> hosts, groups, settings as they stand
 *	inventory_finish.c   the graph of groups: undefined, cycles, ancestors
 *	inventory_values.c   which value of which level a host gets
 *	inventory_resolve.c  a name -> struct host
 *	settings.c           the table of settings and their values
 *	ini.c, ini_scan.c    INI files by iniparser
 *
 * This file has the life of the object and what expressions ask of it.
 */
#include "config.h"

#include "inventory/inventory.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inventory/inventory_impl.h"
#include "util/buf.h"
#include "util/fdio.h"
#include "util/glob.h"
#include "util/suggest.h"
#include "util/xalloc.h"

#define PLACE_HERE   "./inventory.ini"
#define PLACE_USER   "~/.config/batch/inventory.ini"
#define PLACE_SYSTEM SYSCONFDIR "/batch/inventory.ini"
/* All, as a user reads them. */
#define PLACES                                                          \
	"-i FILE, $" INVENTORY_VARIABLE ", " PLACE_HERE ", " PLACE_USER \
	", " PLACE_SYSTEM

struct inventory *
inventory_new(void)
{
	struct inventory *inv = xcalloc(1, sizeof(*inv));
	const struct passwd *pw = getpwuid(getuid());
	const char *name = pw != NULL ? pw->pw_name : getenv("USER");

	inv->host_names = hostset_new();
	inv->group_names = hostset_new();
	inv->defaults = settings_new();
	if (name != NULL && name[0] != '\0')
		inv->login = xstrdup(name);
	return inv;
}

static void
free_hosts(struct inventory *inv)
{
	struct membership *m, *next;
	size_t i;

	for (i = 0; i < hostset_count(inv->host_names); i++) {
		settings_free(inv->hosts[i].own);
		for (m = inv->hosts[i].first; m != NULL; m = next) {
			next = m->next;
			free(m);
		}
	}
	free(inv->hosts);
	hostset_free(inv->host_names);
}

static void
free_groups(struct inventory *inv)
{
	struct group *g;
	size_t i;

	for (i = 0; i < hostset_count(inv->group_names); i++) {
		g = &inv->groups[i];
		settings_free(g->star);
		free(g->items);
		free(g->ancestors);
	}
	free(inv->groups);
	hostset_free(inv->group_names);
}

void
inventory_free(struct inventory *inv)
{
	size_t i;

	if (inv == NULL)
		return;
	free_hosts(inv);
	free_groups(inv);
	for (i = 0; i < inv->line_count; i++)
		settings_free(inv->lines[i]);
	free(inv->lines);
	for (i = 0; i < inv->file_count; i++)
		free(inv->files[i]);
	free(inv->files);
	settings_free(inv->defaults);
	free(inv->login);
	free(inv);
}

int
inventory_group(
    struct inventory *inv, const char *name, uint32_t *index, struct error *err)
{
	size_t count = hostset_count(inv->group_names);
	int added = hostset_add(inv->group_names, name, NULL);

	if (added == -1)
		return error_set(err, "too many groups");
	*index = (uint32_t)(added == 1 ? count
				       : hostset_find(inv->group_names, name));
	if (added == 1) {
		GROW(inv->groups, count, inv->group_size);
		memset(&inv->groups[count], 0, sizeof(*inv->groups));
	}
	return 0;
}

int
inventory_host(
    struct inventory *inv, const char *name, uint32_t *index, struct error *err)
{
	size_t count = hostset_count(inv->host_names);
	int added = hostset_add(inv->host_names, name, err);

	if (added == -1)
		return -1;
	*index = (uint32_t)(added == 1 ? count
				       : hostset_find(inv->host_names, name));
	if (added == 1) {
		GROW(inv->hosts, count, inv->host_size);
		memset(&inv->hosts[count], 0, sizeof(*inv->hosts));
	}
	return 0;
}

/* --- what expressions ask ----------------------------------------------- */

/* Put the files in front of what is wrong with a name that none of them has. */
static int
name_files(const struct inventory *inv, struct error *err)
{
	struct error why = *err;
	struct buf files;
	char *names;
	unsigned int i;

	buf_init(&files, sizeof(err->text) / 2);
	for (i = 0; i < inv->file_count; i++)
		buf_printf(&files, "%s%s", i > 0 ? ", " : "", inv->files[i]);
	names = buf_take_string(&files);
	error_set(err, "%s%s%s", names, names[0] != '\0' ? ": " : "", why.text);
	free(names);
	return -1;
}

static const char *
group_candidate(const void *ctx, size_t index)
{
	const struct inventory *inv = ctx;

	if (index >= hostset_count(inv->group_names))
		return NULL;
	/* "" is near to nothing. */
	return inv->groups[index].is_defined
	    ? hostset_name(inv->group_names, index)
	    : "";
}

int
inventory_undefined(
    const struct inventory *inv, const char *name, struct error *err)
{
	const char *meant = suggest(name, group_candidate, inv);

	if (meant != NULL)
		return error_set(err,
		    "undefined group \"%.100s\" (did you mean \"%s\"?)", name,
		    meant);
	return error_set(err, "undefined group \"%.100s\"", name);
}

/* Add a group's hosts; each group once, as groups may share groups. */
static int
add_members(const struct inventory *inv, uint32_t group, bool *seen,
    struct hostset *set, struct error *err)
{
	const struct group *g = &inv->groups[group];
	const struct item *item;
	size_t i;
	int rc = 0;

	if (seen[group])
		return 0;
	seen[group] = true;
	for (i = 0; i < g->item_count && rc != -1; i++) {
		item = &g->items[i];
		if (item->is_group)
			rc = add_members(inv, item->index, seen, set, err);
		else
			rc = hostset_add(set,
			    hostset_name(inv->host_names, item->index), err);
	}
	return rc == -1 ? -1 : 0;
}

static int
source_all(const void *ctx, struct hostset *set, struct error *err)
{
	const struct inventory *inv = ctx;

	return hostset_union(set, inv->host_names, err);
}

static int
source_group(
    const void *ctx, const char *name, struct hostset *set, struct error *err)
{
	const struct inventory *inv = ctx;
	size_t i, count = hostset_count(inv->group_names);
	bool *seen, is_glob = glob_is_pattern(name), is_found = false;
	int rc = 0;

	seen = xcalloc(count, sizeof(*seen));
	i = is_glob ? 0 : hostset_find(inv->group_names, name);
	for (; i < count && rc == 0; i++) {
		if (inv->groups[i].is_defined &&
		    glob_match(name, hostset_name(inv->group_names, i))) {
			is_found = true;
			rc = add_members(inv, (uint32_t)i, seen, set, err);
		}
		if (!is_glob)
			break;
	}
	free(seen);
	if (is_found)
		return rc;
	if (strcmp(name, "all") == 0)
		return source_all(ctx, set, err);
	if (is_glob)
		error_set(err, "no group matches \"%.100s\"", name);
	else
		inventory_undefined(inv, name, err);
	return name_files(inv, err);
}

struct hostset_source
inventory_source(const struct inventory *inv)
{
	struct hostset_source source = {.ctx = inv, .places = PLACES};

	/* Without a file there is nothing that a name could refer to. */
	if (inv->file_count > 0) {
		source.group = source_group;
		source.all = source_all;
	}
	return source;
}

void
inventory_groups(const struct inventory *inv, struct hostset *set)
{
	size_t i;

	for (i = 0; i < hostset_count(inv->group_names); i++) {
		if (inv->groups[i].is_defined)
			hostset_add(
			    set, hostset_name(inv->group_names, i), NULL);
	}
	if (inv->file_count > 0)
		hostset_add(set, "all", NULL);
}

/* --- where the inventory is --------------------------------------------- */

char *
inventory_default_path(bool *is_named)
{
	static const char *const places[] = {
	    PLACE_HERE, PLACE_USER, PLACE_SYSTEM};
	const char *named = getenv(INVENTORY_VARIABLE);
	char *path;
	size_t i;

	*is_named = named != NULL && named[0] != '\0';
	if (*is_named)
		return path_expand_home(named);
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		path = path_expand_home(places[i]);
		if (access(path, F_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}
