/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_files: no two options write one file, however it is called. */
#include "config.h"

#include <fcntl.h>
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

#include "cli/run_files.h"
#include "util/path.h"
#include "util/xalloc.h"

/* Of all paths; it has what setup() makes there. */
static char *dir;

static void
make_file(const char *name)
{
	char *path = path_join(dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_not_equal(fd, -1);
	close(fd);
	free(path);
}

static int
setup(void **state)
{
	char *inside;

	(void)state;
	dir = xasprintf("%s/test_run_files.XXXXXX",
	    getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
	if (mkdtemp(dir) == NULL || chdir(dir) == -1)
		return -1;
	inside = path_join(dir, "inside");
	make_file("there");
	make_file("other");
	if (mkdir("inside", 0700) == -1 || mkfifo("fifo", 0600) == -1 ||
	    link("there", "inside/hard") == -1 ||
	    symlink("there", "link") == -1 ||
	    symlink("../new", "inside/to-new") == -1 ||
	    symlink("inside/to-new", "to-to-new") == -1 ||
	    symlink(inside, "to-inside") == -1 || symlink("loop", "loop") == -1)
		return -1;
	free(inside);
	return 0;
}

static int
teardown(void **state)
{
	static const char *const names[] = {"there", "other", "fifo",
	    "inside/hard", "link", "inside/to-new", "to-to-new", "to-inside",
	    "loop"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(names[i]);
	rmdir("inside");
	if (chdir("/") == -1)
		return -1;
	rmdir(dir);
	free(dir);
	return 0;
}

static const struct row {
	const char *comment;
	const char *report, *log;
	bool is_refused;
} rows[] = {
    {"two names", "new", "new2", false},
    {"one alone", "new", NULL, false},
    {"one name", "new", "new", true},
    {"a file that is there", "there", "there", true},
    {"two files that are there", "there", "other", false},
    {"one that is there, one that is not", "there", "new", false},
    {"dots and slashes", "new", "./inside/..//new", true},
    {"another directory", "new", "inside/new", false},
    {"a link to a file", "there", "link", true},
    {"a link of the file", "there", "inside/hard", true},
    {"a link to a directory", "inside/new", "to-inside/new", true},
    {"a link to what is not there", "new", "inside/to-new", true},
    {"a link to a link", "to-to-new", "to-inside/../new", true},
    {"a link beside its name", "inside/new", "inside/to-new", false},
    {"a link to itself, which no file is", "loop", "new", false},
    {"directories that are not there", "no/new", "no2/new", false},
    {"a pipe", "fifo", "inside/../fifo", true},
    {"a device", "/dev/null", "/dev/null", false},
    {"no name", "", "", false},
};

static void
test_two_paths(void **state)
{
	const struct row *row = rows;
	struct run_options o;
	struct error err;
	int rc;

	(void)state;
	for (; row < rows + sizeof(rows) / sizeof(rows[0]); row++) {
		o = (struct run_options){
		    .report = row->report, .log = row->log};
		err.text[0] = '\0';
		rc = run_files_check(&o, &err);
		if (rc != (row->is_refused ? -1 : 0))
			fail_msg("%s: %d \"%s\"", row->comment, rc, err.text);
		if (row->is_refused &&
		    (strstr(err.text, "-report and -log") == NULL ||
			strstr(err.text, row->log) == NULL))
			fail_msg("%s: says \"%s\"", row->comment, err.text);
	}
}

static void
test_all_options_are_looked_at(void **state)
{
	static const char *const names[] = {
	    "-report", "-report-html", "-metrics", "-log"};
	const char *paths[4];
	struct run_options o;
	struct error err;
	char *both;
	size_t i, j;

	(void)state;
	for (i = 0; i < 4; i++) {
		for (j = i + 1; j < 4; j++) {
			memcpy(paths, (const char *[]){"1", "2", "3", "4"},
			    sizeof(paths));
			paths[i] = paths[j] = "same";
			o = (struct run_options){.report = paths[0],
			    .report_html = paths[1],
			    .metrics = paths[2],
			    .log = paths[3]};
			both = xasprintf("%s and %s:", names[i], names[j]);
			assert_int_equal(run_files_check(&o, &err), -1);
			assert_non_null(strstr(err.text, both));
			free(both);
		}
	}
	o = (struct run_options){
	    .report = "1", .report_html = "2", .metrics = "3", .log = "4"};
	assert_int_equal(run_files_check(&o, &err), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_two_paths),
	    cmocka_unit_test(test_all_options_are_looked_at),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
