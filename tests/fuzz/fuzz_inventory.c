/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inventories, through iniparser too: what loads has hosts that are complete.
 * The input is the file.
 */
#include "config.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "inventory/ini.h"
#include "inventory/inventory.h"

#define RESOLVED_MAX 10

/* What iniparser found is what was scanned before. */
static void
check_entries(const char *path)
{
	struct error err = {""};
	struct ini ini;
	int rc = ini_read(&ini, path, &err);
	size_t i;

	fuzz_check_result(rc, &err);
	FUZZ_CHECK((ini.st.st_mode & 077) == 0);
	for (i = 0; rc == 0 && i < ini.count; i++) {
		FUZZ_CHECK(ini.entries[i].section != NULL);
		FUZZ_CHECK(ini_line(&ini, &ini.entries[i]) > 0);
	}
	ini_clear(&ini);
}

/* Of one line of the file. */
static void
check_text(const char *text)
{
	FUZZ_CHECK(text == NULL || strchr(text, '\n') == NULL);
}

static void
check_host(const struct inventory *inv, const char *name)
{
	struct error err = {""};
	struct host h;
	int rc = inventory_resolve(inv, name, NULL, &h, &err);

	fuzz_check_result(rc, &err);
	FUZZ_CHECK(fuzz_is_shown(name, strlen(name)));
	if (rc == 0) {
		FUZZ_CHECK(strcmp(h.name, name) == 0);
		FUZZ_CHECK(h.address[0] != '\0' && h.user[0] != '\0');
		FUZZ_CHECK(h.port > 0 && h.connect_timeout_ms > 0);
		check_text(h.groups);
		check_text(h.address);
		check_text(h.user);
		check_text(h.password);
		check_text(h.password_file);
		check_text(h.password_env);
		check_text(h.identity_file);
		check_text(h.host_key_alias);
	}
	host_clear(&h);
}

static void
check_hosts(const struct inventory *inv)
{
	const struct hostset_source source = inventory_source(inv);
	struct hostset *hosts = hostset_new(), *groups = hostset_new();
	struct error err = {""};
	size_t i;

	inventory_groups(inv, groups);
	for (i = 0; i < hostset_count(groups); i++)
		FUZZ_CHECK(source.group(source.ctx, hostset_name(groups, i),
			       hosts, &err) == 0);
	for (i = 0; i < hostset_count(hosts) && i < RESOLVED_MAX; i++)
		check_host(inv, hostset_name(hosts, i));
	check_host(inv, "someone@elsewhere:2222");
	hostset_free(groups);
	hostset_free(hosts);
}

static void
check_inventory(const char *path)
{
	struct inventory *inv = inventory_new();
	struct error err = {""};
	int rc = inventory_load(inv, path, &err);

	if (rc == 0)
		rc = inventory_finish(inv, &err);
	fuzz_check_result(rc, &err);
	if (rc == 0)
		check_hosts(inv);
	else
		FUZZ_CHECK(strncmp(err.text, path, strlen(path)) == 0);
	inventory_free(inv);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_file file;

	fuzz_file_open(&file, data, size);
	check_entries(file.path);
	check_inventory(file.path);
	fuzz_file_close(&file);
	return 0;
}
