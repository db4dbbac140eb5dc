/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The directory a get writes into: no name leads out of it. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "target_world.h"
#include "worker/temp_name.h"

/* --- names and the root -------------------------------------------------- */

static void
test_names(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		bool is_safe;
		const char *comment;
	} rows[] = {
	    {"a", 1, true, "plain"},
	    {"", 0, false, "empty"},
	    {".", 1, false, "the directory itself"},
	    {"..", 2, false, "the directory above"},
	    {"...", 3, true, "three points"},
	    {".a", 2, true, "hidden"},
	    {"..a", 3, true, "two points and more"},
	    {"a/b", 3, false, "slash inside"},
	    {"/a", 2, false, "absolute"},
	    {"a/", 2, false, "slash at the end"},
	    {"../a", 4, false, "up and down"},
	    {"a\0b", 3, false, "NUL inside"},
	    {"a\0", 2, false, "NUL at the end"},
	    {"a\nb\x1b[2J\xff", 8, true, "bytes for the caller to escape"},
	    {"-rf", 3, true, "like an option"},
	    {"a\\..\\b", 6, true, "no Windows here"},
	};
	char name[256];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		if (target_name_is_safe(rows[i].name, rows[i].len) !=
		    rows[i].is_safe)
			fail_msg("%s", rows[i].comment);
	}
	memset(name, 'a', sizeof(name));
	assert_true(target_name_is_safe(name, 255));
	assert_false(target_name_is_safe(name, 256));
}

static void
test_hostile_paths_are_refused(void **state)
{
	static const char *const paths[] = {"", ".", "..", "/", "/etc/passwd",
	    "../x", "a/../x", "a/..", "a/.", "./a", "a//b", "a/", "/a", "//",
	    "../../outside/secret", "a/b/../../../x",
	    ".batch_scp.0123abcd.00000001.4d2.9f3c.00",
	    ".batch_scp.0123abcd.00000001.4d2.9f3c.00/a"};
	struct world *w = *state;
	char name[300] = "a/";
	size_t i;

	assert_int_equal(target_mkdir(w->t, "a", 0755, &w->err), 1);
	assert_int_equal(target_mkdir(w->t, "a/b", 0755, &w->err), 1);
	for (i = 0; i < COUNT(paths); i++)
		assert_all_refuse(w, paths[i], EINVAL);
	memset(name + 2, 'n', 256);
	assert_all_refuse(w, name, EINVAL);
}

static void
test_a_path_has_a_limit(void **state)
{
	struct world *w = *state;
	char path[TARGET_PATH_SIZE + 2];
	size_t i;

	for (i = 0; i < TARGET_PATH_SIZE; i += 2)
		memcpy(path + i, "a/", 2);
	path[TARGET_PATH_SIZE - 1] = 'a';
	path[TARGET_PATH_SIZE] = '\0';
	assert_all_refuse(w, path, ENAMETOOLONG);
	assert_non_null(strstr(w->err.text, "name too long"));
	assert_memory_equal(w->err.text, "...", 3);
}

static void
test_the_root_is_made(void **state)
{
	static const struct {
		const char *base, *below, *made;
	} rows[] = {
	    {"", "h1", "h1"},
	    {"", "", "."},
	    {".", "h2", "h2"},
	    {"d1", "", "d1"},
	    {"d2/e/f/", "h", "d2/e/f/h"},
	    {"d2//e/.//g", "h/i", "d2/e/g/h/i"},
	    {"d3/../d4", "h", "d4/h"},
	    {"link", "h", "real/h"},
	    {"link/sub", "h", "real/sub/h"},
	    {"link/sub", "h", "real/sub/h"},
	};
	struct world *w = *state;
	struct target *t;
	size_t i;

	assert_int_equal(mkdir("real", 0777), 0);
	assert_int_equal(symlink("real", "link"), 0);
	for (i = 0; i < COUNT(rows); i++) {
		t = target_open(rows[i].base, rows[i].below, &w->err);
		if (t == NULL)
			fail_msg("%s", w->err.text);
		assert_true(S_ISDIR(entry_stat(rows[i].made).st_mode));
		target_close(t);
	}
	assert_int_equal(entry_stat("d2").st_mode & 0777, 0755);
	assert_int_equal(entry_stat("d2/e/g/h/i").st_mode & 0777, 0755);
}

static void
test_a_root_is_refused(void **state)
{
	static const struct {
		const char *base, *below;
		int errnum;
		const char *text;
	} rows[] = {
	    {"base", "..", EINVAL, "base/..: not a safe file name"},
	    {"base", ".", EINVAL, "base/.: not a safe file name"},
	    {"base", "/h", EINVAL, "base//h: not a safe file name"},
	    {"base", "h/", EINVAL, "base/h/: not a safe file name"},
	    {"base", "h//i", EINVAL, "base/h//i: not a safe file name"},
	    {"base", "h/../../outside", EINVAL,
		"base/h/../../outside: not a safe file name"},
	    {"base", "link", ELOOP, "base/link: is a symbolic link"},
	    {"base/", "link/x", ELOOP, "base/link: is a symbolic link"},
	    {"base", "dangling", ELOOP, "base/dangling: is a symbolic link"},
	    {"base", "file/x", ENOTDIR, "base/file: is not a directory"},
	    {"base/file", "h", ENOTDIR, "base/file: Not a directory"},
	    {"base/dangling", "h", ENOENT,
		"base/dangling: No such file or directory"},
	    {"base/circle", "h", ELOOP,
		"base/circle: Too many levels of symbolic links"},
	};
	struct world *w = *state;
	size_t i;

	assert_int_equal(symlink("../outside", "base/link"), 0);
	assert_int_equal(symlink("nowhere", "base/dangling"), 0);
	assert_int_equal(symlink("circle", "base/circle"), 0);
	put_text("base/file", "");
	for (i = 0; i < COUNT(rows); i++) {
		assert_null(target_open(rows[i].base, rows[i].below, &w->err));
		assert_int_equal(errno, rows[i].errnum);
		assert_string_equal(w->err.text, rows[i].text);
	}
	assert_false(entry_exists("base/nowhere"));
	assert_false(entry_exists("outside/x"));
}

/* --- symbolic links in the way ------------------------------------------- */

static void
test_a_link_on_the_way_is_not_followed(void **state)
{
	struct world *w = *state;

	assert_int_equal(mkdir("base/host/real", 0755), 0);
	assert_int_equal(symlink("../../outside", "base/host/out"), 0);
	assert_int_equal(symlink("real", "base/host/in"), 0);
	assert_int_equal(symlink("../../../outside", "base/host/real/out"), 0);
	put_text("base/host/file", "");
	assert_all_refuse(w, "out/secret", ELOOP);
	assert_string_equal(w->err.text, "base/host/out: is a symbolic link");
	assert_all_refuse(w, "in/x", ELOOP);
	assert_all_refuse(w, "real/out/secret", ELOOP);
	assert_string_equal(
	    w->err.text, "base/host/real/out: is a symbolic link");
	assert_all_refuse(w, "real/out/a/b", ELOOP);
	assert_all_refuse(w, "file/x", ENOTDIR);
	assert_string_equal(w->err.text, "base/host/file: is not a directory");
}

static void
test_a_link_is_no_directory(void **state)
{
	struct world *w = *state;

	assert_int_equal(symlink("../../outside", "base/host/out"), 0);
	assert_int_equal(target_mkdir(w->t, "out", 0777, &w->err), -1);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(
	    target_dir_finish(w->t, "out", 0700, NULL, &w->err), -1);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(target_clean(w->t, "out", NOW, &w->err), -1);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(entry_stat("outside").st_mode & 0777, 0755);
}

static void
test_a_link_at_the_target_is_replaced(void **state)
{
	struct world *w = *state;

	assert_int_equal(symlink("../../outside/secret", "base/host/f"), 0);
	assert_int_equal(get_file(w, "f", "new", 0640, NULL), 0);
	assert_text("base/host/f", "new");
	assert_true(S_ISREG(entry_stat("base/host/f").st_mode));
	assert_int_equal(entry_stat("base/host/f").st_mode & 07777, 0640);
}

static void
test_a_link_at_the_target_is_kept_as_a_link(void **state)
{
	struct world *w = *state;

	assert_int_equal(symlink("../../outside/secret", "base/host/f"), 0);
	assert_int_equal(get_file(w, "f", "new", 0644, "~"), 0);
	assert_text("base/host/f", "new");
	assert_true(S_ISLNK(entry_stat("base/host/f~").st_mode));
	assert_false(has_temps());
}

static void
test_a_link_at_the_backup_is_replaced(void **state)
{
	struct world *w = *state;

	put_text("base/host/f", "old");
	assert_int_equal(symlink("../../outside/secret", "base/host/f~"), 0);
	assert_int_equal(get_file(w, "f", "new", 0644, "~"), 0);
	assert_text("base/host/f~", "old");
	assert_true(S_ISREG(entry_stat("base/host/f~").st_mode));
}

static void
test_a_link_at_the_temporary_is_not_followed(void **state)
{
	struct world *w = *state;
	char temp[TEMP_NAME_SIZE], path[300];
	struct target_file *f;

	temp_name_make(temp, sizeof(temp), "f", w->token, 1);
	snprintf(path, sizeof(path), "base/host/%s", temp);
	assert_int_equal(symlink("../../outside/secret", path), 0);
	assert_int_equal(
	    target_file_create(w->t, "f", w->token, 1, &f, &w->err), -1);
	assert_int_equal(errno, EEXIST);
	assert_int_equal(
	    target_symlink(w->t, "f", "x", w->token, 1, NULL, &w->err), -1);
	assert_int_equal(errno, EEXIST);
	assert_true(S_ISLNK(entry_stat(path).st_mode));
}

static void
test_a_temporary_that_was_replaced_is_not_used(void **state)
{
	struct world *w = *state;
	char temp[TEMP_NAME_SIZE], path[300];
	struct target_file *f;

	assert_int_equal(
	    target_file_create(w->t, "f", w->token, 1, &f, &w->err), 0);
	temp_name_make(temp, sizeof(temp), "f", w->token, 1);
	snprintf(path, sizeof(path), "base/host/%s", temp);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("../../outside/secret", path), 0);
	assert_int_equal(target_file_commit(f, 0644, NULL, NULL, &w->err), -1);
	assert_int_equal(errno, ESTALE);
	target_file_discard(f, false);
	assert_false(entry_exists("base/host/f"));
}

static void
test_a_directory_swapped_for_a_link_is_not_followed(void **state)
{
	struct world *w = *state;
	struct target_file *f;

	assert_int_equal(target_mkdir(w->t, "d", 0755, &w->err), 1);
	assert_int_equal(target_mkdir(w->t, "e", 0755, &w->err), 1);
	assert_int_equal(
	    target_file_create(w->t, "d/f", w->token, 1, &f, &w->err), 0);
	assert_int_equal(rename("base/host/d", "base/host/moved"), 0);
	assert_int_equal(symlink("../../outside", "base/host/d"), 0);
	assert_int_equal(target_file_commit(f, 0644, NULL, NULL, &w->err), 0);
	assert_true(entry_exists("base/host/moved/f"));
	assert_int_equal(get_file(w, "e/f", "", 0644, NULL), 0);
	assert_int_equal(get_file(w, "d/g", "", 0644, NULL), -1);
	assert_int_equal(errno, ELOOP);
}

/* --- directories --------------------------------------------------------- */

static void
test_directories_are_made_and_finished(void **state)
{
	const struct timespec mtime = {.tv_sec = 1000000000, .tv_nsec = 5};
	struct world *w = *state;

	assert_int_equal(target_mkdir(w->t, "d", 0700, &w->err), 1);
	assert_int_equal(target_mkdir(w->t, "d", 0700, &w->err), 0);
	assert_int_equal(target_mkdir(w->t, "d/e", 0700, &w->err), 1);
	assert_int_equal(get_file(w, "d/f", "x", 0600, NULL), 0);
	assert_int_equal(
	    target_dir_finish(w->t, "d", 07555, &mtime, &w->err), 0);
	assert_int_equal(entry_stat("base/host/d").st_mode & 07777, 0555);
	assert_int_equal(entry_stat("base/host/d").st_mtime, 1000000000);
	assert_int_equal(
	    target_dir_finish(w->t, "d/e", 0755, NULL, &w->err), 0);
	assert_true(entry_stat("base/host/d/e").st_mtime > 1000000000);
	put_text("base/host/file", "");
	assert_int_equal(target_mkdir(w->t, "file", 0700, &w->err), -1);
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(target_mkdir(w->t, "no/d", 0700, &w->err), -1);
	assert_int_equal(errno, ENOENT);
	assert_string_equal(
	    w->err.text, "base/host/no: No such file or directory");
	assert_int_equal(chmod("base/host/d", 0755), 0);
}

static void
test_a_directory_keeps_its_inherited_group(void **state)
{
	struct world *w = *state;

	assert_int_equal(chmod("base/host", 02755), 0);
	assert_int_equal(target_mkdir(w->t, "d", 0700, &w->err), 1);
	assert_int_equal(target_dir_finish(w->t, "d", 0750, NULL, &w->err), 0);
	assert_int_equal(entry_stat("base/host/d").st_mode & 07777, 02750);
}

static void
test_lookup(void **state)
{
	struct world *w = *state;
	struct stat st;

	assert_int_equal(target_lookup(w->t, "f", &st, &w->err), 1);
	assert_int_equal(target_lookup(w->t, "d/e/f", &st, &w->err), 1);
	put_text("base/host/f", "four");
	assert_int_equal(target_lookup(w->t, "f", &st, &w->err), 0);
	assert_int_equal(st.st_size, 4);
	assert_int_equal(symlink("/etc/passwd", "base/host/l"), 0);
	assert_int_equal(target_lookup(w->t, "l", &st, &w->err), 0);
	assert_true(S_ISLNK(st.st_mode));
}

static void
test_the_directory_used_last_is_not_mistaken(void **state)
{
	static const char *const paths[] = {
	    "d/f", "d/e/f", "d2/f", "f", "d/g", "d/e/g", "d2/g", "g", "de/f"};
	struct world *w = *state;
	char path[64];
	size_t i;

	assert_int_equal(target_mkdir(w->t, "d", 0755, &w->err), 1);
	assert_int_equal(target_mkdir(w->t, "d/e", 0755, &w->err), 1);
	assert_int_equal(target_mkdir(w->t, "d2", 0755, &w->err), 1);
	assert_int_equal(target_mkdir(w->t, "de", 0755, &w->err), 1);
	for (i = 0; i < COUNT(paths); i++) {
		assert_int_equal(
		    get_file(w, paths[i], paths[i], 0644, NULL), 0);
		snprintf(path, sizeof(path), "base/host/%s", paths[i]);
		assert_text(path, paths[i]);
	}
}

/* --- no room, no permission ---------------------------------------------- */

static void
test_a_directory_without_permission(void **state)
{
	struct world *w = *state;

	if (geteuid() == 0)
		skip();
	assert_int_equal(mkdir("base/host/d", 0755), 0);
	put_text("base/host/d/f", "old");
	assert_int_equal(chmod("base/host/d", 0555), 0);
	assert_int_equal(get_file(w, "d/f", "new", 0644, NULL), -1);
	assert_int_equal(errno, EACCES);
	assert_string_equal(w->err.text, "base/host/d/f: Permission denied");
	assert_int_equal(target_mkdir(w->t, "d/e", 0755, &w->err), -1);
	assert_int_equal(errno, EACCES);
	assert_null(target_open("base/host/d/e", "h", &w->err));
	assert_int_equal(errno, EACCES);
	assert_string_equal(w->err.text, "base/host/d/e: Permission denied");
	assert_text("base/host/d/f", "old");
	assert_int_equal(chmod("base/host/d", 0755), 0);
}

/* Write text to a file of /proc. */
static bool
set_map(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = write(fd, text, strlen(text));

	close(fd);
	return n > 0;
}

/* A file system without room at "base", for this process only. */
static bool
mount_small(void)
{
	char uids[40], gids[40];

	snprintf(uids, sizeof(uids), "0 %u 1", (unsigned)geteuid());
	snprintf(gids, sizeof(gids), "0 %u 1", (unsigned)getegid());
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
	    set_map("/proc/self/setgroups", "deny") &&
	    set_map("/proc/self/uid_map", uids) &&
	    set_map("/proc/self/gid_map", gids) &&
	    mount("none", "base", "tmpfs", 0, "size=64k,nr_inodes=4") == 0;
}

/* Returns the exit status, 77 if it cannot be tried. */
static int
without_room(struct world *w)
{
	struct target_file *f;
	struct target *t;
	uint32_t i;

	if (!mount_small())
		return 77;
	t = target_open("base", "host", &w->err);
	if (t == NULL)
		return 1;
	for (i = 1; i < 8; i++) {
		if (target_file_create(t, "f", w->token, i, &f, &w->err) == -1)
			break;
	}
	if (i == 8 || errno != ENOSPC ||
	    strcmp(w->err.text, "base/host/f: No space left on device") != 0)
		return 2;
	return target_mkdir(t, "d", 0755, &w->err) == -1 && errno == ENOSPC ? 0
									    : 3;
}

static void
test_a_full_file_system(void **state)
{
	pid_t pid = fork();
	int status;

	assert_true(pid != -1);
	if (pid == 0)
		_exit(without_room(*state));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names),
	    WORLD_TEST(test_hostile_paths_are_refused),
	    WORLD_TEST(test_a_path_has_a_limit),
	    WORLD_TEST(test_the_root_is_made),
	    WORLD_TEST(test_a_root_is_refused),
	    WORLD_TEST(test_a_link_on_the_way_is_not_followed),
	    WORLD_TEST(test_a_link_is_no_directory),
	    WORLD_TEST(test_a_link_at_the_target_is_replaced),
	    WORLD_TEST(test_a_link_at_the_target_is_kept_as_a_link),
	    WORLD_TEST(test_a_link_at_the_backup_is_replaced),
	    WORLD_TEST(test_a_link_at_the_temporary_is_not_followed),
	    WORLD_TEST(test_a_temporary_that_was_replaced_is_not_used),
	    WORLD_TEST(test_a_directory_swapped_for_a_link_is_not_followed),
	    WORLD_TEST(test_directories_are_made_and_finished),
	    WORLD_TEST(test_a_directory_keeps_its_inherited_group),
	    WORLD_TEST(test_lookup),
	    WORLD_TEST(test_the_directory_used_last_is_not_mistaken),
	    WORLD_TEST(test_a_directory_without_permission),
	    WORLD_TEST(test_a_full_file_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
