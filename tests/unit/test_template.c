/* SPDX-License-Identifier: GPL-3.0-or-later */
/* template: each host has a path of its own, or there is no run. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/template.h"

static char web01[] = "web01", web02[] = "web02", dot[] = "1.", digit[] = "1";
static const struct host two[] = {{.name = web01}, {.name = web02}};
/* "%h%n" and the like must not be told apart by luck. */
static const struct host alike[] = {{.name = dot}, {.name = digit}};

static const struct row {
	const char *comment;
	const char *text;
	const struct host *hosts;
	const char *first, *second; /* NULL: refused */
	const char *error;
} rows[] = {
    {"by name", "logs/%h", two, "web01", "web02", NULL},
    {"a directory", "logs//x-%h//y/", two, "x-web01/y/", "x-web02/y/", NULL},
    {"by number", "%n.log", two, "1.log", "2.log", NULL},
    {"by both, and a %", "%%/%h.%n/", two, "%/web01.1/", "%/web02.2/", NULL},
    {"no host in it", "logs/%%", two, NULL, NULL, "web01 and web02"},
    {"slashes and dots don't make it different", "logs/./%%//", two, NULL, NULL,
	"would both go to logs/./%/;"},
    {"of the names themselves", "./%h/.", alike, "1./", "1/", NULL},
    {"unknown", "%x", two, NULL, NULL, "\"%x\""},
    {"unfinished", "logs/%h%", two, NULL, NULL, "\"%\""},
    {"out again", "logs/%h/../x", two, NULL, NULL, "\"..\""},
    {"out before", "../%h", two, "web01", "web02", NULL},
};

static void
test_rows(void **state)
{
	struct error err;
	char **paths;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(template_is(rows[i].text));
		paths = template_expand(rows[i].text, rows[i].hosts, 2, &err);
		if (rows[i].first == NULL) {
			if (paths != NULL)
				fail_msg("taken: %s", rows[i].comment);
			if (strstr(err.text, rows[i].error) == NULL)
				fail_msg("%s: %s", rows[i].comment, err.text);
			continue;
		}
		if (paths == NULL)
			fail_msg("%s: %s", rows[i].comment, err.text);
		assert_string_equal(paths[0], rows[i].first);
		assert_string_equal(paths[1], rows[i].second);
		template_free(paths, 2);
	}
	assert_false(template_is("logs/"));
}

static void
test_the_base_is_what_no_host_has_a_part_in(void **state)
{
	static const struct {
		const char *text, *base;
	} bases[] = {{"%h", ""}, {"x%h", ""}, {"logs/%h", "logs"},
	    {"a/../b//x-%h/y/%n", "a/../b"}, {"/%h/x", "/"}, {"//%h", "/"},
	    {"./%n", "."}, {"/srv/%%/%h", "/srv"}};
	char *base;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		base = template_base(bases[i].text);
		assert_string_equal(base, bases[i].base);
		free(base);
	}
}

static void
test_numbers_are_padded(void **state)
{
	struct host hosts[100];
	struct error err;
	char **paths;
	size_t i;

	(void)state;
	memset(hosts, 0, sizeof(hosts));
	for (i = 0; i < 100; i++)
		hosts[i].name = web01;
	paths = template_expand("%n", hosts, 100, &err);
	assert_non_null(paths);
	assert_string_equal(paths[0], "001");
	assert_string_equal(paths[99], "100");
	template_free(paths, 100);
}

static void
test_names_that_are_no_file_names(void **state)
{
	static char names[][4] = {"", ".", "..", "a/b", "/"};
	struct host host = {.name = web01};
	struct error err;
	size_t i;

	(void)state;
	assert_int_equal(template_check_names(&host, 1, &err), 0);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		host.name = names[i];
		if (template_check_names(&host, 1, &err) != -1)
			fail_msg("taken: %s", names[i]);
		assert_non_null(strstr(err.text, names[i]));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_the_base_is_what_no_host_has_a_part_in),
	    cmocka_unit_test(test_numbers_are_padded),
	    cmocka_unit_test(test_names_that_are_no_file_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
