/* SPDX-License-Identifier: GPL-3.0-or-later */
/* earlier: which hosts an earlier report gives, and what it may not hold. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "report/earlier.h"

#define REC(host, seq, status)                                       \
	"{\"seq\":" seq ",\"host\":\"" host "\",\"groups\":[\"g\"]," \
	"\"status\":\"" status "\"}"
#define LINE(host, seq, status) REC(host, seq, status) "\n"
#define OF(host, seq, hosts, status)                                  \
	"{\"seq\":" seq ",\"hosts\":" hosts ",\"host\":\"" host "\"," \
	"\"groups\":[],\"status\":\"" status "\"}\n"
#define THREE                    \
	LINE("c", "2", "ok")     \
	LINE("b", "1", "failed") \
	LINE("a", "0", "lost")

static const struct row {
	const char *comment;
	const char *text, *statuses;
	const char *hosts; /* NULL: refused */
	const char *error;
	size_t run_hosts;
	bool is_short;
} rows[] = {
    {"all but ok, in the order of the run", THREE, NULL, "a b", NULL},
    {"the same in a word", THREE, "notok", "a b", NULL},
    {"one status", THREE, "failed", "b", NULL},
    {"several", THREE, "ok,failed", "b c", NULL},
    {"all there are", THREE, "ok,notok", "a b c", NULL},
    {"none of them", THREE, "denied", "", NULL},
    {"nothing in it", "", NULL, "", NULL, 0, true},
    {"nothing in it, those missing are taken", "", "missing", "", NULL},
    {"all of them are ok", LINE("a", "0", "ok"), NULL, "", NULL},
    {"as many as the run had",
	OF("a", "0", "2", "lost") OF("b", "1", "2", "ok"), NULL, "a", NULL, 2},
    {"fewer than the run had",
	OF("a", "0", "3", "lost") OF("b", "1", "3", "ok"), NULL, "a", NULL, 3,
	true},
    {"fewer, and those missing are not known",
	OF("a", "0", "3", "lost") OF("b", "1", "3", "ok"), "notok,missing", "a",
	NULL, 3, true},
    {"a host twice counts once",
	OF("a", "0", "2", "lost") OF("a", "1", "2", "lost"), NULL, "a", NULL, 2,
	true},
    {"the first of two runs had more",
	OF("a", "0", "2", "lost") OF("b", "1", "2", "ok")
	    OF("a", "0", "1", "lost"),
	NULL, "a", NULL, 2},
    {"a number of hosts that is none",
	"{\"seq\":0,\"hosts\":\"x\",\"host\":\"a\",\"groups\":[],"
	"\"status\":\"ok\"}\n",
	NULL, NULL, ":1: not a record"},
    {"unknown status", THREE, "failled", NULL, "did you mean failed?"},
    {"empty status", THREE, "failed,", NULL, "\"\" is no status"},
    {"twice: the last end, the first place",
	LINE("b", "1", "failed") LINE("c", "2", "failed") LINE("a", "0", "ok")
	    LINE("c", "0", "lost") LINE("b", "1", "ok") LINE("a", "1", "lost"),
	NULL, "a c", NULL},
    {"the same place", LINE("b", "0", "lost") LINE("a", "0", "lost"), NULL,
	"b a", NULL},
    {"a torn last line", THREE "{\"seq\":3,\"ho", NULL, "a b", NULL},
    {"a whole one without newline", THREE REC("d", "3", "lost"), NULL, "a b d",
	NULL},
    {"a torn line within", "{\"seq\":3,\"ho\n" THREE, NULL, NULL, ":1: not a"},
    {"a list", THREE "[]\n", NULL, NULL, ":4: not a record"},
    {"an empty line", THREE "\n" THREE, NULL, NULL, ":4: not a record"},
    {"groups that are no list",
	"{\"seq\":0,\"host\":\"a\",\"status\":\"lost\",\"groups\":\"g\"}\n",
	NULL, NULL, ":1: not a record of a report: its groups are no list"},
    {"no host", "{\"seq\":0,\"status\":\"ok\",\"groups\":[]}\n", NULL, NULL,
	"host"},
    {"a status of another time", LINE("a", "0", "bored"), NULL, NULL,
	"unknown status"},
    {"user, port, address",
	LINE("Bob@a:22", "0", "lost") LINE("[::1]:22", "1", "lost"), NULL,
	"Bob@a:22 [::1]:22", NULL},
    {"many hosts in a name", LINE("a[1-9]", "0", "lost"), NULL, NULL, "name"},
    {"two in a name", LINE("a,b", "0", "lost"), NULL, NULL, "name"},
    {"a terminal's escape sequence in a name",
	LINE("a\\u001b[31m", "0", "lost"), NULL, NULL, "name"},
    {"a group", LINE("@all", "0", "lost"), NULL, NULL, "name"},
    {"a path", LINE("../a", "0", "lost"), NULL, NULL, "name"},
    {"no name", LINE("", "0", "lost"), NULL, NULL, "name"},
    {"a NUL in a name", LINE("a\\u0000b", "0", "lost"), NULL, NULL, "name"},
    {"a NUL in what it sent",
	"{\"host\":\"a\",\"seq\":0,\"status\":\"lost\",\"groups\":[],"
	"\"stdout\":\"a\\u0000b\"}\n",
	NULL, "a", NULL},
    {"an escape sequence", "\x1b[31m\n", NULL, NULL, "\\x1b"},
};

static char path[64];

static void
write_report(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fputs(text, f) == EOF, 0);
	assert_int_equal(fclose(f), 0);
}

static void
join(char *text, size_t size, const struct hostset *set)
{
	size_t i, len = 0;

	text[0] = '\0';
	for (i = 0; i < hostset_count(set); i++)
		len += (size_t)snprintf(text + len, size - len, "%s%s",
		    i > 0 ? " " : "", hostset_name(set, i));
}

static void
test_rows(void **state)
{
	struct earlier e;
	struct error err;
	char hosts[256];
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		write_report(rows[i].text);
		err.text[0] = '\0';
		rc = earlier_read(&e, path, rows[i].statuses, &err);
		join(hosts, sizeof(hosts), e.hosts);
		if (rows[i].hosts != NULL &&
		    (rc != 0 || strcmp(hosts, rows[i].hosts) != 0))
			fail_msg(
			    "%s: \"%s\" %s", rows[i].comment, hosts, err.text);
		if (rows[i].hosts != NULL &&
		    (e.run_hosts != rows[i].run_hosts ||
			earlier_is_short(&e, 0) != rows[i].is_short ||
			earlier_is_short(&e, 1) !=
			    (rows[i].is_short && e.run_hosts == 0)))
			fail_msg(
			    "%s: %zu", rows[i].comment, (size_t)e.run_hosts);
		if (rows[i].hosts == NULL &&
		    (rc != -1 || strstr(err.text, rows[i].error) == NULL))
			fail_msg("%s: %d %s", rows[i].comment, rc, err.text);
		earlier_clear(&e);
	}
}

static void
test_hosts_of_groups_are_told(void **state)
{
	struct earlier e;
	struct error err;

	(void)state;
	write_report(LINE("a", "0", "lost") "{\"seq\":1,\"host\":\"b\","
					    "\"groups\":[],"
					    "\"status\":\"lost\"}\n");
	assert_int_equal(earlier_read(&e, path, NULL, &err), 0);
	assert_int_equal(hostset_count(e.hosts), 2);
	assert_int_equal(hostset_count(e.grouped), 1);
	assert_int_equal(hostset_has(e.grouped, "a"), 1);
	earlier_clear(&e);
}

static void
test_what_is_a_list_of_statuses(void **state)
{
	(void)state;
	assert_true(earlier_is_statuses("failed"));
	assert_true(earlier_is_statuses("notok,missing,ok"));
	assert_false(earlier_is_statuses("run.jsonl"));
	assert_false(earlier_is_statuses("failed,run.jsonl"));
	assert_false(earlier_is_statuses(""));
}

static void
test_no_file(void **state)
{
	struct earlier e;
	struct error err;

	(void)state;
	assert_int_equal(earlier_read(&e, "/no/such", NULL, &err), -1);
	assert_string_equal(err.text, "/no/such: No such file or directory");
	earlier_clear(&e);
	assert_int_equal(earlier_read(&e, "/", NULL, &err), -1);
	earlier_clear(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_hosts_of_groups_are_told),
	    cmocka_unit_test(test_what_is_a_list_of_statuses),
	    cmocka_unit_test(test_no_file),
	};
	int fd, rc;

	snprintf(path, sizeof(path), "/tmp/test_earlier.XXXXXX");
	fd = mkstemp(path);
	if (fd == -1)
		return 1;
	close(fd);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return rc;
}
