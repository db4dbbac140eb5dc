/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files put at their target: whole or not at all, the old one kept. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "target_world.h"
#include "worker/target_impl.h"
#include "worker/temp_name.h"

/* --- files --------------------------------------------------------------- */

static void
test_a_file_appears_when_it_is_complete(void **state)
{
	const struct timespec mtime = {.tv_sec = 1000000000};
	struct world *w = *state;
	struct target_file *f;

	put_text("base/host/f", "old");
	assert_int_equal(
	    target_file_create(w->t, "f", w->token, 1, &f, &w->err), 0);
	assert_int_equal(write(target_file_fd(f), "new", 3), 3);
	assert_text("base/host/f", "old");
	assert_true(has_temps());
	assert_true(fcntl(target_file_fd(f), F_GETFD) & FD_CLOEXEC);
	assert_int_equal(
	    target_file_commit(f, 06755, &mtime, NULL, &w->err), 0);
	assert_text("base/host/f", "new");
	assert_int_equal(entry_stat("base/host/f").st_mode & 07777, 06755);
	assert_int_equal(entry_stat("base/host/f").st_mtime, 1000000000);
	assert_false(has_temps());
}

static void
test_a_temporary_is_private(void **state)
{
	struct world *w = *state;
	struct target_file *f;
	struct stat st;

	umask(0);
	assert_int_equal(
	    target_file_create(w->t, "f", w->token, 1, &f, &w->err), 0);
	assert_int_equal(fstat(target_file_fd(f), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	target_file_discard(f, true);
	assert_true(has_temps());
	assert_int_equal(
	    target_file_create(w->t, "f", w->token, 2, &f, &w->err), 0);
	target_file_discard(f, false);
	target_file_discard(NULL, false);
	assert_false(entry_exists("base/host/f"));
}

static void
test_several_files_are_open_at_once(void **state)
{
	struct world *w = *state;
	struct target_file *f[3];

	assert_int_equal(target_mkdir(w->t, "d", 0755, &w->err), 1);
	assert_int_equal(
	    target_file_create(w->t, "d/f", w->token, 1, &f[0], &w->err), 0);
	assert_int_equal(
	    target_file_create(w->t, "f", w->token, 2, &f[1], &w->err), 0);
	assert_int_equal(
	    target_file_create(w->t, "d/g", w->token, 3, &f[2], &w->err), 0);
	assert_int_equal(
	    target_file_commit(f[1], 0644, NULL, NULL, &w->err), 0);
	assert_int_equal(
	    target_file_commit(f[0], 0644, NULL, NULL, &w->err), 0);
	assert_int_equal(
	    target_file_commit(f[2], 0644, NULL, NULL, &w->err), 0);
	assert_true(entry_exists("base/host/d/f"));
	assert_true(entry_exists("base/host/f"));
	assert_true(entry_exists("base/host/d/g"));
}

static void
test_a_directory_is_never_replaced(void **state)
{
	struct world *w = *state;
	struct target_file *f = NULL;

	assert_int_equal(
	    target_file_create(w->t, "late", w->token, 1, &f, &w->err), 0);
	assert_int_equal(mkdir("base/host/d", 0755), 0);
	assert_int_equal(mkdir("base/host/late", 0755), 0);
	assert_int_equal(target_file_commit(f, 0644, NULL, "~", &w->err), -1);
	assert_int_equal(errno, EISDIR);
	target_file_discard(f, false);
	assert_int_equal(get_file(w, "d", "", 0644, "~"), -1);
	assert_int_equal(errno, EISDIR);
	assert_string_equal(w->err.text, "base/host/d: is a directory");
	assert_int_equal(
	    target_symlink(w->t, "d", "x", w->token, 1, "~", &w->err), -1);
	assert_int_equal(errno, EISDIR);
	assert_false(entry_exists("base/host/d~"));
	assert_false(entry_exists("base/host/late~"));
	assert_false(has_temps());
}

/* --- backups ------------------------------------------------------------- */

static void
test_backups(void **state)
{
	struct world *w = *state;

	assert_int_equal(get_file(w, "f", "one", 0644, ".bak"), 0);
	assert_false(entry_exists("base/host/f.bak"));
	assert_int_equal(get_file(w, "f", "two", 0644, ".bak"), 0);
	assert_text("base/host/f.bak", "one");
	assert_int_equal(get_file(w, "f", "three", 0644, ".bak"), 0);
	assert_text("base/host/f.bak", "two");
	assert_text("base/host/f", "three");
	assert_int_equal(entry_stat("base/host/f").st_nlink, 1);
	assert_int_equal(entry_stat("base/host/f.bak").st_nlink, 1);
	assert_false(has_temps());
}

static void
test_a_backup_that_is_the_old_file_already(void **state)
{
	struct world *w = *state;

	put_text("base/host/f", "old");
	assert_int_equal(link("base/host/f", "base/host/f~"), 0);
	assert_int_equal(get_file(w, "f", "new", 0644, "~"), 0);
	assert_text("base/host/f~", "old");
	assert_text("base/host/f", "new");
	assert_false(has_temps());
}

static void
test_a_backup_without_hard_links(void **state)
{
	struct world *w = *state;
	char link[300];

	/* What a link needs is taken: the old file is renamed. */
	leave_temp("base/host", "f~", w->token, 1, "in the way", link);
	put_text("base/host/f", "old");
	assert_int_equal(get_file(w, "f", "new", 0644, "~"), 0);
	assert_text("base/host/f~", "old");
	assert_text("base/host/f", "new");
	assert_text(link, "in the way");
}

/* Only the second of the two renamings fails: the new file is gone. */
static void
test_the_old_file_comes_back(void **state)
{
	struct world *w = *state;
	struct place p;
	char link[300], temp[TEMP_NAME_SIZE];

	leave_temp("base/host", "f~", w->token, 1, "in the way", link);
	put_text("base/host/f", "old");
	temp_name_make(temp, sizeof(temp), "f", w->token, 1);
	assert_int_equal(place_find(&p, w->t, "f", &w->err), 0);
	assert_int_equal(place_replace(&p, temp, "~", &w->err), -1);
	assert_int_equal(errno, ENOENT);
	assert_text("base/host/f", "old");
	assert_false(entry_exists("base/host/f~"));
}

static void
test_backups_are_refused(void **state)
{
	char long_suffix[256];
	const struct {
		const char *suffix;
		int errnum;
	} rows[] = {
	    {"", EINVAL},
	    {"/", EINVAL},
	    {"/../../../outside/secret", EINVAL},
	    {"~/x", EINVAL},
	    {long_suffix, ENAMETOOLONG},
	    {".dir", EISDIR},
	};
	struct world *w = *state;
	size_t i;

	memset(long_suffix, 'x', 255);
	long_suffix[255] = '\0';
	put_text("base/host/f", "old");
	assert_int_equal(mkdir("base/host/f.dir", 0755), 0);
	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(
		    get_file(w, "f", "new", 0644, rows[i].suffix), -1);
		assert_int_equal(errno, rows[i].errnum);
		assert_int_equal(target_symlink(w->t, "f", "x", w->token, 1,
				     rows[i].suffix, &w->err),
		    -1);
		assert_int_equal(errno, rows[i].errnum);
	}
	assert_string_equal(w->err.text, "base/host/f.dir: is a directory");
	assert_text("base/host/f", "old");
	assert_false(has_temps());
}

/* --- symbolic links as content ------------------------------------------- */

static void
test_symbolic_links_are_content(void **state)
{
	static const char *const texts[] = {"a", "../../../../etc/passwd",
	    "/outside", ".", "\xff\n", "nowhere/at all"};
	struct world *w = *state;
	char got[64];
	size_t i;
	ssize_t n;

	for (i = 0; i < COUNT(texts); i++) {
		assert_int_equal(target_symlink(w->t, "l", texts[i], w->token,
				     (uint32_t)i, "~", &w->err),
		    0);
		n = readlink("base/host/l", got, sizeof(got));
		assert_int_equal(n, strlen(texts[i]));
		assert_memory_equal(got, texts[i], (size_t)n);
	}
	n = readlink("base/host/l~", got, sizeof(got));
	assert_int_equal(n, strlen(texts[i - 2]));
	assert_memory_equal(got, texts[i - 2], (size_t)n);
	assert_int_equal(target_symlink(w->t, "d", "../../outside", w->token, 1,
			     NULL, &w->err),
	    0);
	assert_all_refuse(w, "d/secret", ELOOP);
	assert_false(has_temps());
}

static void
test_the_text_of_a_link_has_limits(void **state)
{
	struct world *w = *state;
	char text[TARGET_LINK_MAX + 2];

	memset(text, 'x', sizeof(text));
	text[TARGET_LINK_MAX + 1] = '\0';
	assert_int_equal(
	    target_symlink(w->t, "l", text, w->token, 1, NULL, &w->err), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(
	    target_symlink(w->t, "l", "", w->token, 1, NULL, &w->err), -1);
	assert_int_equal(errno, EINVAL);
	assert_false(entry_exists("base/host/l"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(test_a_file_appears_when_it_is_complete),
	    WORLD_TEST(test_a_temporary_is_private),
	    WORLD_TEST(test_several_files_are_open_at_once),
	    WORLD_TEST(test_a_directory_is_never_replaced),
	    WORLD_TEST(test_backups),
	    WORLD_TEST(test_a_backup_that_is_the_old_file_already),
	    WORLD_TEST(test_a_backup_without_hard_links),
	    WORLD_TEST(test_the_old_file_comes_back),
	    WORLD_TEST(test_backups_are_refused),
	    WORLD_TEST(test_symbolic_links_are_content),
	    WORLD_TEST(test_the_text_of_a_link_has_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
