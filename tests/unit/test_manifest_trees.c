/* SPDX-License-Identifier: GPL-3.0-or-later */
/* manifest: which local trees hold all that a put reads. */
#include "config.h"

#include <limits.h>
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

#include "control/manifest.h"

#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))
#define LOCALS_MAX 2
/* What makes a path long, and how many such links are too many. */
#define NAME_BYTES 250
#define DEPTH	   14
#define LINKS	   (MANIFEST_TREES_MAX / (DEPTH * NAME_BYTES) + 1)

static char folder[] = "/tmp/manifest_trees.XXXXXX";

static const struct row {
	const char *comment;
	const char *locals[LOCALS_MAX];
	bool follow;
	const char *trees; /* one a line, "@" for the folder */
} rows[] = {
    {"a directory", {"tree"}, false, "tree\n"},
    {"its content", {"tree/sub/"}, false, "tree/sub/\n"},
    {"a file and a directory", {"file", "tree"}, false, "file\ntree\n"},
    {"links that are sent as links need none", {"link", "tree/out"}, false, ""},
    {"a link with a slash", {"link/"}, false, "link/\n"},
    {"followed links lead elsewhere", {"tree"}, true,
	"tree\n@/other/file\ntree/out\n"},
    {"followed links by themselves", {"link", "tree/a"}, true,
	"link\n@/other/file\n"},
};

static void
build(struct manifest *m, const char *const *locals, size_t count, bool follow)
{
	const struct manifest_options options = {.follow = follow};
	struct error err = {""};

	if (manifest_build(m, locals, count, &options, &err) == -1)
		fail_msg("%s", err.text);
}

/* The trees, with newlines and "@" as in rows. */
static void
describe(const struct manifest *m, char *text, size_t size)
{
	const char *tree = (const char *)buf_head(&m->trees);
	const char *end = tree + buf_len(&m->trees);
	size_t len = 0, skip;

	text[0] = '\0';
	for (; tree < end; tree += strlen(tree) + 1) {
		skip = strncmp(tree, folder, strlen(folder)) == 0
		    ? strlen(folder)
		    : 0;
		len += (size_t)snprintf(text + len, size - len, "%s%s\n",
		    skip > 0 ? "@" : "", tree + skip);
	}
}

static void
test_rows(void **state)
{
	const struct row *row;
	struct manifest m;
	char text[1024];

	(void)state;
	for (row = rows; row < rows + COUNT(rows); row++) {
		build(&m, row->locals, row->locals[1] != NULL ? 2 : 1,
		    row->follow);
		describe(&m, text, sizeof(text));
		if (strcmp(text, row->trees) != 0)
			fail_msg("%s: %s", row->comment, text);
		manifest_clear(&m);
	}
}

static void
write_file(const char *path)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fclose(f), 0);
}

/* Each of them leads to a file with a long path. */
static void
test_too_many_links_are_everything(void **state)
{
	char target[PATH_MAX], name[NAME_BYTES], link[32];
	const char *const local = "many";
	struct manifest m;
	unsigned i;

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(target, sizeof(target), "%s", folder);
	for (i = 0; i < DEPTH; i++) {
		strcat(target, "/");
		strcat(target, name);
		assert_int_equal(mkdir(target, 0755), 0);
	}
	strcat(target, "/file");
	write_file(target);
	assert_int_equal(mkdir("many", 0755), 0);
	for (i = 0; i < LINKS; i++) {
		snprintf(link, sizeof(link), "many/%u", i);
		assert_int_equal(symlink(target, link), 0);
	}
	build(&m, &local, 1, true);
	assert_int_equal(m.files, LINKS);
	assert_int_equal(buf_len(&m.trees), 2);
	assert_string_equal((const char *)buf_head(&m.trees), "/");
	manifest_clear(&m);
}

static int
setup(void **state)
{
	static const char *const dirs[] = {
	    "tree", "tree/sub", "other", "other/dir"};
	static const char *const files[] = {
	    "file", "tree/sub/file", "other/file", "other/dir/file"};
	static const char *const links[][2] = {{"../other/file", "tree/a"},
	    {"../other/dir", "tree/out"}, {"tree/sub", "link"}};
	size_t i;

	(void)state;
	if (mkdtemp(folder) == NULL || chdir(folder) == -1)
		return -1;
	for (i = 0; i < COUNT(dirs); i++)
		assert_int_equal(mkdir(dirs[i], 0755), 0);
	for (i = 0; i < COUNT(files); i++)
		write_file(files[i]);
	for (i = 0; i < COUNT(links); i++)
		assert_int_equal(symlink(links[i][0], links[i][1]), 0);
	return 0;
}

static int
teardown(void **state)
{
	char command[128];

	(void)state;
	if (chdir("/") == -1)
		return -1;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_too_many_links_are_everything),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
