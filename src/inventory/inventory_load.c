/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From the entries of one INI file to hosts, groups and settings. Of several
 * files a later one wins over an earlier, setting by setting at each level;
 * within one file the same setting with two values is an error.
 *
 * A member line makes one struct settings, whatever number of hosts its range
 * names; each host's membership points to it.
 */
#include "config.h"

#include "inventory/inventory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inventory/address.h"
#include "inventory/ini.h"
#include "inventory/inventory_impl.h"
#include "util/glob.h"
#include "util/private_file.h"
#include "util/xalloc.h"

struct loader {
	struct inventory *inv;
	unsigned int file;
	bool has_password;
	uint32_t group;	       /* whose section it is */
	struct hostset *hosts; /* that the [host] section or the line names */
};

static bool
holds_password(const struct settings *settings)
{
	return settings->value[SETTING_PASSWORD] != NULL;
}

/* The setting of that name, or -1 with err. */
static int
find_setting(const char *name, enum setting *setting, struct error *err)
{
	const char *meant;

	*setting = setting_find(name);
	if (*setting != SETTING_COUNT)
		return 0;
	meant = setting_suggest(name);
	if (meant != NULL)
		return error_set(
		    err, "unknown setting (did you mean \"%s\"?)", meant);
	return error_set(err, "unknown setting");
}

/* --- [defaults] and [host NAME] ----------------------------------------- */

static int
load_default(
    struct loader *l, const char *key, const char *value, struct error *err)
{
	enum setting setting;

	if (find_setting(key, &setting, err) == -1)
		return -1;
	l->has_password |= setting == SETTING_PASSWORD;
	return settings_set(l->inv->defaults, setting, value, l->file, err);
}

/* Make of set the hosts that text names, which are fit for an inventory. */
static int
expand_members(struct hostset *set, const char *text, struct error *err)
{
	const char *name;
	size_t i;

	hostset_empty(set);
	if (glob_is_pattern(text))
		return error_set(err, "\"*\" and \"?\" can't name new hosts");
	if (hostset_expand(set, text, NULL, err) == -1)
		return -1;
	if (hostset_count(set) == 0)
		return error_set(err, "names no host");
	for (i = 0; i < hostset_count(set); i++) {
		name = hostset_name(set, i);
		if (strchr(name, '@') != NULL)
			return error_set(err, "a user is set by user=...");
		if (strchr(name, ':') != NULL && !address_is_ipv6(name))
			return error_set(err,
			    "a port is set by port=..., an IPv6 address "
			    "by address=...");
	}
	return 0;
}

/* The header alone is enough for the hosts to exist. */
static int
enter_hosts(struct loader *l, const char *names, struct error *err)
{
	uint32_t index;
	size_t i;
	int rc = expand_members(l->hosts, names, err);

	for (i = 0; rc == 0 && i < hostset_count(l->hosts); i++)
		rc = inventory_host(
		    l->inv, hostset_name(l->hosts, i), &index, err);
	return rc;
}

static int
load_own(
    struct loader *l, const char *key, const char *value, struct error *err)
{
	enum setting setting;
	struct member *host;
	const char *name;
	size_t i;
	int rc = find_setting(key, &setting, err);

	if (rc == 0 && setting == SETTING_PASSWORD)
		l->has_password = true;
	for (i = 0; rc == 0 && i < hostset_count(l->hosts); i++) {
		name = hostset_name(l->hosts, i);
		host = &l->inv->hosts[hostset_find(l->inv->host_names, name)];
		if (host->own == NULL)
			host->own = settings_new();
		rc = settings_set(host->own, setting, value, l->file, err);
	}
	return rc;
}

/* --- groups ------------------------------------------------------------- */

static void
add_item(struct group *g, uint32_t index, bool is_group)
{
	GROW(g->items, g->item_count, g->item_size);
	g->items[g->item_count].index = index;
	g->items[g->item_count++].is_group = is_group;
}

/*
 * Make host a member of group with settings, which may be NULL. The lines of
 * one file must agree over a host.
 */
static int
join_group(struct inventory *inv, uint32_t group, uint32_t host,
    const struct settings *settings, struct error *err)
{
	struct member *member = &inv->hosts[host];
	struct membership *m;
	bool is_member = false;
	enum setting s;

	for (m = member->first; m != NULL; m = m->next) {
		if (m->group != group)
			continue;
		is_member = true;
		if (settings == NULL || m->settings == NULL)
			continue;
		s = settings_conflict(m->settings, settings);
		if (s != SETTING_COUNT)
			return error_set(err,
			    "another line of the group gives %s a different "
			    "%s",
			    hostset_name(inv->host_names, host),
			    setting_name(s));
	}
	if (is_member && settings == NULL)
		return 0;
	m = xcalloc(1, sizeof(*m));
	m->group = group;
	m->settings = settings;
	if (member->last != NULL)
		member->last->next = m;
	else
		member->first = m;
	member->last = m;
	if (!is_member)
		add_item(&inv->groups[group], host, false);
	return 0;
}

/* "user = deploy" in a group: it looks like a member called "user". */
static int
setting_as_member(const char *key, struct error *err)
{
	return error_set(
	    err, "a setting of all members is written \"* = %s=...\"", key);
}

/* "web[01-20] = port=2222 user=admin" */
static int
load_member(
    struct loader *l, const char *key, const char *value, struct error *err)
{
	struct inventory *inv = l->inv;
	struct settings *settings = NULL;
	uint32_t host;
	size_t i;
	int rc;

	if (value[0] != '\0') {
		settings = settings_new();
		GROW(inv->lines, inv->line_count, inv->line_size);
		inv->lines[inv->line_count++] = settings;
		if (settings_parse_words(settings, value, l->file, err) == -1)
			return setting_find(key) == SETTING_COUNT
			    ? -1
			    : setting_as_member(key, err);
		l->has_password |= holds_password(settings);
	}
	rc = expand_members(l->hosts, key, err);
	for (i = 0; rc == 0 && i < hostset_count(l->hosts); i++) {
		rc = inventory_host(inv, hostset_name(l->hosts, i), &host, err);
		if (rc == 0)
			rc = join_group(inv, l->group, host, settings, err);
	}
	return rc;
}

static int
check_group_name(const char *name, struct error *err)
{
	const char *s;

	if (strcmp(name, "host") == 0)
		return error_set(err, "the host's name is missing");
	if (strchr(name, ':') != NULL)
		return error_set(err,
		    "a group's name has no \":\"; a group inside a group is "
		    "a line \"@group =\"");
	for (s = name; *s != '\0'; s++) {
		if (strchr(" \t,!&^@[]*?", *s) != NULL)
			return error_set(
			    err, "a group's name has no \"%c\"", *s);
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return error_set(
			    err, "a control character in a group's name");
	}
	return 0;
}

/* "@other =" */
static int
load_nested(
    struct loader *l, const char *name, const char *value, struct error *err)
{
	struct inventory *inv = l->inv;
	struct group *g;
	uint32_t child;
	size_t i;

	if (value[0] != '\0')
		return error_set(err,
		    "a group inside a group takes no settings here; they "
		    "belong to a \"*\" line");
	if (name[0] == '\0')
		return error_set(err, "no group after \"@\"");
	if (check_group_name(name, err) == -1 ||
	    inventory_group(inv, name, &child, err) == -1)
		return -1;
	g = &inv->groups[l->group];
	for (i = 0; i < g->item_count; i++) {
		if (g->items[i].is_group && g->items[i].index == child)
			return 0;
	}
	if (!inv->groups[child].is_defined) {
		inv->groups[child].named_in = l->group;
		inv->groups[child].file = l->file;
	}
	add_item(g, child, true);
	return 0;
}

static int
load_star(struct loader *l, const char *value, struct error *err)
{
	struct group *g = &l->inv->groups[l->group];

	if (g->star == NULL)
		g->star = settings_new();
	if (settings_parse_words(g->star, value, l->file, err) == -1)
		return -1;
	l->has_password |= holds_password(g->star);
	return 0;
}

static int
enter_group(struct loader *l, const char *name, struct error *err)
{
	struct group *g;

	if (check_group_name(name, err) == -1 ||
	    inventory_group(l->inv, name, &l->group, err) == -1)
		return -1;
	g = &l->inv->groups[l->group];
	if (!g->is_defined) {
		g->is_defined = true;
		g->file = l->file;
	}
	return 0;
}

static int
load_item(
    struct loader *l, const char *key, const char *value, struct error *err)
{
	if (strcmp(key, "*") == 0)
		return load_star(l, value, err);
	if (key[0] == '@')
		return load_nested(l, key + 1, value, err);
	return load_member(l, key, value, err);
}

/* --- files -------------------------------------------------------------- */

static int
load_entry(struct loader *l, const struct ini_entry *e, struct error *err)
{
	if (strcmp(e->section, "defaults") == 0)
		return e->key == NULL ? 0
				      : load_default(l, e->key, e->value, err);
	if (strncmp(e->section, "host", 4) == 0 &&
	    (e->section[4] == ' ' || e->section[4] == '\t'))
		return e->key == NULL ? enter_hosts(l, e->section + 5, err)
				      : load_own(l, e->key, e->value, err);
	return e->key == NULL ? enter_group(l, e->section, err)
			      : load_item(l, e->key, e->value, err);
}

/* Others could have put it there for us to find, or a link to it. */
static int
check_found(const struct stat *st, const char *path, struct error *err)
{
	struct stat link;

	if (!file_is_open_to_others(st, S_IWOTH) && lstat(path, &link) == 0 &&
	    !file_is_open_to_others(&link, 0))
		return 0;
	return error_set(err,
	    "%s: found here, but it is another user's, or anybody can write "
	    "to it: if you trust it, name it with -i",
	    path);
}

static int
load(struct inventory *inv, const char *path, bool is_named, struct error *err)
{
	struct loader l = {.inv = inv, .file = inv->file_count};
	const struct ini_entry *e;
	struct error why;
	struct ini ini;
	size_t i;
	int rc;

	inv->files =
	    xreallocarray(inv->files, inv->file_count + 1, sizeof(*inv->files));
	inv->files[inv->file_count++] = xstrdup(path);
	l.hosts = hostset_new();
	rc = ini_read(&ini, path, err);
	if (rc == 0 && !is_named)
		rc = check_found(&ini.st, path, err);
	for (i = 0; rc == 0 && i < ini.count; i++) {
		e = &ini.entries[i];
		rc = load_entry(&l, e, &why);
		if (rc == -1 && e->key == NULL)
			error_set(err, "%s: [%.200s]: %s", path, e->section,
			    why.text);
		else if (rc == -1)
			error_set(err, "%s: [%.200s] %.200s: %s", path,
			    e->section, e->key, why.text);
	}
	if (rc == 0 && l.has_password)
		rc = private_file_check(&ini.st, path, err);
	ini_clear(&ini);
	hostset_free(l.hosts);
	return rc;
}

int
inventory_load(struct inventory *inv, const char *path, struct error *err)
{
	return load(inv, path, true, err);
}

int
inventory_load_found(struct inventory *inv, const char *path, struct error *err)
{
	return load(inv, path, false, err);
}
