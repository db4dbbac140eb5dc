/* SPDX-License-Identifier: GPL-3.0-or-later */
/* secrets: each host gets its own password, and only its own. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/secrets.h"
#include "inventory/inventory.h"

#define HOSTS_MAX 3

static const struct row {
	const char *comment;
	const char *inventory;
	const char *hosts[HOSTS_MAX];
	const char *passwords[HOSTS_MAX]; /* NULL: none */
	const char *error;		  /* part of it; NULL: none */
} rows[] = {
    {"a password of its own is not that of the file",
	"[defaults]\npassword_file=one\n[g]\na=\nb=\n[host a]\npassword=x\n",
	{"a", "b"}, {"x", "first"}, NULL},
    {"nor of a file that is not there",
	"[defaults]\npassword_file=none\n[g]\na=\nb=\n[host a]\npassword=x\n",
	{"a", "b"}, {NULL}, "host b: password_file"},
    {"the host's own file hides a password of the defaults",
	"[defaults]\npassword=old\n[g]\na=\nb=\n[host b]\npassword_file=one\n",
	{"a", "b"}, {"old", "first"}, NULL},
    {"a member line's variable hides the group's file",
	"[g]\n*=password_file=one\na=password_env=TEST_SECRET\nb=\n",
	{"a", "b"}, {"env", "first"}, NULL},
    {"files take turns",
	"[g]\na=password_file=one\nb=password_file=two\nc=password_file=one\n",
	{"a", "b", "c"}, {"first", "second", "first"}, NULL},
    {"the first line only, CR LF or not", "[g]\na=password_file=crlf\n", {"a"},
	{"dos"}, NULL},
    {"an empty file", "[g]\na=password_file=empty\n", {"a"}, {NULL},
	"host a: password_file: empty: the first line is empty"},
    {"a file that others may read", "[g]\na=password_file=open\n", {"a"},
	{NULL}, "chmod 600 open"},
    {"a variable that is not there", "[g]\na=password_env=TEST_NOTHING\n",
	{"a"}, {NULL}, "TEST_NOTHING"},
    {"no password", "[g]\na=\n", {"a"}, {NULL}, NULL},
};

static void
write_file(const char *name, const char *text, mode_t mode)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(name, mode), 0);
}

static void
check(const struct row *row, const char *asked)
{
	struct inventory *inv = inventory_new();
	struct host hosts[HOSTS_MAX];
	struct error err = {""};
	size_t count, i;
	int rc;

	write_file("inventory", row->inventory, 0600);
	assert_int_equal(inventory_load(inv, "inventory", &err), 0);
	assert_int_equal(inventory_finish(inv, &err), 0);
	for (count = 0; count < HOSTS_MAX && row->hosts[count] != NULL; count++)
		assert_int_equal(inventory_resolve(inv, row->hosts[count], NULL,
				     &hosts[count], &err),
		    0);
	rc = secrets_load(hosts, count, asked, &err);
	if (asked == NULL && row->error != NULL) {
		if (rc != -1 || strstr(err.text, row->error) == NULL)
			fail_msg("%s: %d \"%s\"", row->comment, rc, err.text);
	} else if (rc != 0) {
		fail_msg("%s: \"%s\"", row->comment, err.text);
	}
	for (i = 0; i < count; i++) {
		const char *want = asked != NULL ? asked : row->passwords[i];

		if (rc == 0 &&
		    ((want == NULL) != (hosts[i].password == NULL) ||
			(want != NULL && strcmp(want, hosts[i].password) != 0)))
			fail_msg("%s: %s has \"%s\"", row->comment,
			    hosts[i].name, hosts[i].password);
		host_clear(&hosts[i]);
	}
	inventory_free(inv);
}

static void
test_rows(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i], NULL);
}

static void
test_a_password_asked_for_is_for_all(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i], "typed");
}

static int
setup(void **state)
{
	static char folder[] = "/tmp/secrets.XXXXXX";

	if (mkdtemp(folder) == NULL || chdir(folder) == -1)
		return -1;
	*state = folder;
	write_file("one", "first\nnot this\n", 0600);
	write_file("two", "second", 0400);
	write_file("crlf", "dos\r\n", 0600);
	write_file("empty", "", 0600);
	write_file("open", "secret\n", 0644);
	setenv("TEST_SECRET", "env", 1);
	unsetenv("TEST_NOTHING");
	return 0;
}

static int
teardown(void **state)
{
	static const char *const names[] = {
	    "one", "two", "crlf", "empty", "open", "inventory"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(names[i]);
	return chdir("/") == -1 ? -1 : rmdir(*state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_a_password_asked_for_is_for_all),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
