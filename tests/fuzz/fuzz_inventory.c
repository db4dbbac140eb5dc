/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inventories, through iniparser too: what loads has hosts that are complete,
 * and is the same each time. The input is the file.
 */
#include "config.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "inventory/ini.h"
#include "inventory/inventory.h"

#define RESOLVED_MAX 50
#define TEXT_MAX     ((size_t)4 << 20)

/* What iniparser found is what was scanned before. */
static void
check_entries(const char *path)
{
	struct error err = {""};
	struct ini ini;
	int rc = ini_read(&ini, path, &err);
	size_t i;

	fuzz_check_result(rc, &err);
	FUZZ_CHECK((ini.st.st_mode & 077) == 0 && !ini.is_foreign);
	for (i = 0; rc == 0 && i < ini.count; i++) {
		FUZZ_CHECK(ini.entries[i].section != NULL);
		FUZZ_CHECK(ini_line(&ini, &ini.entries[i]) > 0);
	}
	ini_clear(&ini);
}

static const char *
or_none(const char *text)
{
	return text != NULL ? text : "(none)";
}

/* Check the host, and write down all that is known of it. */
static void
describe_host(const struct inventory *inv, const char *name, struct buf *text)
{
	struct error err = {""};
	struct host h;
	int rc = inventory_resolve(inv, name, NULL, &h, &err);

	fuzz_check_result(rc, &err);
	if (rc == 0) {
		FUZZ_CHECK(strcmp(h.name, name) == 0);
		FUZZ_CHECK(h.address[0] != '\0' && h.user[0] != '\0');
		FUZZ_CHECK(h.port > 0 && h.connect_timeout_ms > 0);
		buf_printf(text, "%s %s %s %u %s %s %s %s %s %s %u %u\n",
		    h.name, h.groups, h.address, h.port, h.user,
		    or_none(h.password), or_none(h.password_file),
		    or_none(h.password_env), or_none(h.identity_file),
		    or_none(h.host_key_alias), h.connect_timeout_ms,
		    h.timeout_ms);
	} else {
		buf_puts(text, err.text);
	}
	host_clear(&h);
}

static void
describe_hosts(const struct inventory *inv, struct buf *text)
{
	const struct hostset_source source = inventory_source(inv);
	struct hostset *hosts = hostset_new(), *groups = hostset_new();
	struct error err = {""};
	size_t i;

	inventory_groups(inv, groups);
	for (i = 0; i < hostset_count(groups); i++) {
		buf_printf(text, "@%s\n", hostset_name(groups, i));
		FUZZ_CHECK(source.group(source.ctx, hostset_name(groups, i),
			       hosts, &err) == 0);
	}
	for (i = 0; i < hostset_count(hosts) && i < RESOLVED_MAX; i++)
		describe_host(inv, hostset_name(hosts, i), text);
	describe_host(inv, "someone@elsewhere:2222", text);
	hostset_free(groups);
	hostset_free(hosts);
}

/* All that the file says, or what is wrong with it. */
static void
describe(const char *path, struct buf *text)
{
	struct inventory *inv = inventory_new();
	struct error err = {""};
	int rc = inventory_load(inv, path, &err);

	fuzz_check_result(rc, &err);
	if (rc == 0) {
		rc = inventory_finish(inv, &err);
		fuzz_check_result(rc, &err);
	}
	if (rc == 0)
		describe_hosts(inv, text);
	else
		FUZZ_CHECK(strncmp(err.text, path, strlen(path)) == 0);
	buf_puts(text, err.text);
	inventory_free(inv);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_file file;
	struct buf first, second;

	buf_init(&first, TEXT_MAX);
	buf_init(&second, TEXT_MAX);
	fuzz_file_open(&file, data, size);
	check_entries(file.path);
	describe(file.path, &first);
	describe(file.path, &second);
	FUZZ_CHECK(fuzz_equal(&first, &second));
	fuzz_file_close(&file);
	buf_clear(&first);
	buf_clear(&second);
	return 0;
}
