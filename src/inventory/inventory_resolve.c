/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A name becomes a host. "user@web1:2222", where web1 is in the inventory, is
 * web1 with another user and port; whatever else is unknown is an ad hoc host
 * that gets [defaults].
 */
#include "config.h"

#include "inventory/inventory.h"

#include <stdlib.h>
#include <string.h>

#include "inventory/address.h"
#include "inventory/inventory_impl.h"
#include "util/fdio.h"
#include "util/secret.h"
#include "util/xalloc.h"

/* The names of the groups, each once, "," between. */
static char *
join_names(const struct inventory *inv, const uint32_t *groups, size_t count)
{
	size_t i, len, total = 1;
	char *text, *s;

	for (i = 0; i < count; i++)
		total += strlen(hostset_name(inv->group_names, groups[i])) + 1;
	text = s = xmalloc(total);
	for (i = 0; i < count; i++) {
		const char *name = hostset_name(inv->group_names, groups[i]);

		if (i > 0 && groups[i] == groups[i - 1])
			continue;
		if (s != text)
			*s++ = ',';
		len = strlen(name);
		memcpy(s, name, len);
		s += len;
	}
	*s = '\0';
	return text;
}

/* All groups the host is in, in the order of the inventory. */
static char *
groups_of(const struct inventory *inv, size_t host)
{
	const struct membership *m;
	const struct group *g;
	uint32_t *groups = NULL;
	size_t count = 0, i = 0;
	char *text;

	if (host == HOST_NONE)
		return xstrdup("");
	for (m = inv->hosts[host].first; m != NULL; m = m->next)
		count += 1 + inv->groups[m->group].ancestor_count;
	groups = xreallocarray(NULL, count, sizeof(*groups));
	for (m = inv->hosts[host].first; m != NULL; m = m->next) {
		g = &inv->groups[m->group];
		groups[i++] = m->group;
		if (g->ancestor_count > 0)
			memcpy(groups + i, g->ancestors,
			    g->ancestor_count * sizeof(*groups));
		i += g->ancestor_count;
	}
	qsort(groups, count, sizeof(*groups), inventory_compare_index);
	text = join_names(inv, groups, count);
	free(groups);
	return text;
}

static char *
copy(const char *value)
{
	return value != NULL ? xstrdup(value) : NULL;
}

static char *
copy_path(const char *value)
{
	return value != NULL ? path_expand_home(value) : NULL;
}

/* Fill in host from values that are checked but for the overrides. */
static int
convert(struct host *host, const char *const value[SETTING_COUNT],
    struct error *err)
{
	const char *timeout = value[SETTING_TIMEOUT];

	if (port_parse(value[SETTING_PORT], &host->port, err) == -1 ||
	    duration_parse(value[SETTING_CONNECT_TIMEOUT],
		&host->connect_timeout_ms, err) == -1 ||
	    (timeout != NULL &&
		duration_parse(timeout, &host->timeout_ms, err) == -1))
		return -1;
	host->address = address_strip(value[SETTING_ADDRESS]);
	host->user = xstrdup(value[SETTING_USER]);
	if (value[SETTING_PASSWORD] != NULL)
		host->password = secret_strdup(value[SETTING_PASSWORD]);
	host->password_file = copy_path(value[SETTING_PASSWORD_FILE]);
	host->password_env = copy(value[SETTING_PASSWORD_ENV]);
	host->identity_file = copy_path(value[SETTING_IDENTITY_FILE]);
	if (value[SETTING_HOST_KEY_ALIAS] != NULL)
		host->host_key_alias =
		    address_strip(value[SETTING_HOST_KEY_ALIAS]);
	return 0;
}

static void
apply_defaults(const char *value[SETTING_COUNT])
{
	unsigned int s;

	for (s = 0; s < SETTING_COUNT; s++) {
		if (value[s] == NULL)
			value[s] = setting_default((enum setting)s);
	}
}

static int
apply_overrides(const char *value[SETTING_COUNT],
    const struct host_overrides *overrides, struct error *err)
{
	struct error why;
	unsigned int s;

	for (s = 0; overrides != NULL && s < SETTING_COUNT; s++) {
		if (overrides->value[s] == NULL)
			continue;
		if (setting_check((enum setting)s, overrides->value[s], &why) ==
		    -1)
			return error_set(err, "%s: %s",
			    setting_name((enum setting)s), why.text);
		value[s] = overrides->value[s];
	}
	return 0;
}

int
inventory_resolve(const struct inventory *inv, const char *name,
    const struct host_overrides *overrides, struct host *host,
    struct error *err)
{
	const char *value[SETTING_COUNT];
	struct ad_hoc a = {NULL, NULL, NULL};
	size_t index = hostset_find(inv->host_names, name);
	int rc = -1;

	memset(host, 0, sizeof(*host));
	if (index == HOST_NONE) {
		if (ad_hoc_parse(&a, name, err) == -1)
			goto out;
		index = hostset_find(inv->host_names, a.host);
	}
	if (inventory_values(inv, index, value, err) == -1 ||
	    apply_overrides(value, overrides, err) == -1)
		goto out;
	if (a.user != NULL)
		value[SETTING_USER] = a.user;
	if (a.port != NULL)
		value[SETTING_PORT] = a.port;
	if (value[SETTING_ADDRESS] == NULL)
		value[SETTING_ADDRESS] = a.host != NULL ? a.host : name;
	if (value[SETTING_USER] == NULL)
		value[SETTING_USER] = inv->login;
	if (value[SETTING_USER] == NULL) {
		error_set(
		    err, "%.100s: no user: who runs this has no name", name);
		goto out;
	}
	apply_defaults(value);
	host->name = xstrdup(name);
	host->groups = groups_of(inv, index);
	host->is_ad_hoc = index == HOST_NONE;
	rc = convert(host, value, err);
out:
	ad_hoc_clear(&a);
	if (rc == -1)
		host_clear(host);
	return rc;
}

void
host_clear(struct host *host)
{
	free(host->name);
	free(host->groups);
	free(host->address);
	free(host->user);
	secret_free(host->password);
	free(host->password_file);
	free(host->password_env);
	free(host->identity_file);
	free(host->host_key_alias);
	memset(host, 0, sizeof(*host));
}
