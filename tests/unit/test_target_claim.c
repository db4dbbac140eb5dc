/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Temporaries that an earlier run left: claimed once, or removed. */
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
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "target_world.h"

/* --- temporaries that were left ------------------------------------------ */

static int
claim(struct world *w, const char *path, uint32_t seq, struct target_file **f,
    uint64_t *bytes)
{
	int rc =
	    target_file_claim(w->t, path, w->token, seq, f, bytes, &w->err);

	if (rc == -1)
		fail_msg("%s", w->err.text);
	return rc;
}

static void
test_a_stale_temporary_is_claimed(void **state)
{
	struct world *w = *state;
	struct target_file *f;
	struct stat st;
	char left[300], other[300], text[4];
	uint64_t bytes;

	assert_int_equal(mkdir("base/host/d", 0755), 0);
	leave_temp("base/host/d", "other", w->dead, 1, "other", other);
	leave_temp("base/host/d", "f", w->dead, 2, "left", left);
	assert_int_equal(chmod(left, 0755), 0);
	/* What was seen in one directory says nothing of another. */
	assert_int_equal(claim(w, "none", 5, &f, &bytes), 0);
	assert_int_equal(claim(w, "d/none", 6, &f, &bytes), 0);
	assert_int_equal(claim(w, "d/f", 7, &f, &bytes), 1);
	assert_int_equal(bytes, 4);
	assert_false(entry_exists(left));
	assert_true(entry_exists(other));
	assert_int_equal(fstat(target_file_fd(f), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(pread(target_file_fd(f), text, 4, 0), 4);
	assert_memory_equal(text, "left", 4);
	assert_int_equal(pwrite(target_file_fd(f), " over", 5, 4), 5);
	assert_int_equal(target_file_commit(f, 0644, NULL, NULL, &w->err), 0);
	assert_text("base/host/d/f", "left over");
	assert_int_equal(claim(w, "d/f", 8, &f, &bytes), 0);
}

/* What is at the temporary's name, and whether it is claimed. */
enum left {
	LEFT_DEAD,
	LEFT_ALIVE,
	LEFT_FOREIGN,
	LEFT_FOREIGN_OLD,
	LEFT_LINK,
	LEFT_HARD_LINK,
	LEFT_DIRECTORY,
	LEFT_FIFO,
	LEFT_OF_ANOTHER_USER,
	LEFT_LOCKED,
};

/* Returns a descriptor that the test closes at its end, or -1. */
static int
leave_one(struct world *w, enum left left)
{
	const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	char path[300];
	int fd = -1;

	leave_temp("base/host", "f",
	    left == LEFT_ALIVE		   ? w->token
		: left == LEFT_FOREIGN	   ? FOREIGN
		: left == LEFT_FOREIGN_OLD ? FOREIGN
					   : w->dead,
	    1, "left", path);
	if (left == LEFT_FOREIGN_OLD)
		assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	if (left == LEFT_HARD_LINK)
		assert_int_equal(link(path, "base/host/other"), 0);
	if (left == LEFT_OF_ANOTHER_USER && geteuid() == 0)
		assert_int_equal(chown(path, 12345, 12345), 0);
	if (left == LEFT_LINK || left == LEFT_DIRECTORY || left == LEFT_FIFO)
		assert_int_equal(unlink(path), 0);
	if (left == LEFT_LINK)
		assert_int_equal(symlink("../../outside/secret", path), 0);
	if (left == LEFT_DIRECTORY)
		assert_int_equal(mkdir(path, 0755), 0);
	if (left == LEFT_FIFO)
		assert_int_equal(mkfifo(path, 0600), 0);
	if (left == LEFT_LOCKED) {
		fd = open(path, O_RDWR | O_CLOEXEC);
		assert_int_equal(flock(fd, LOCK_EX), 0);
	}
	return fd;
}

static void
test_what_is_claimed_and_what_is_cleaned(void **state)
{
	static const struct {
		enum left left;
		int is_claimed, is_cleaned;
		const char *comment;
	} rows[] = {
	    {LEFT_DEAD, 1, 1, "of a run that is over"},
	    {LEFT_ALIVE, 0, 0, "of a run that goes on"},
	    {LEFT_FOREIGN, 0, 0, "from elsewhere, new"},
	    {LEFT_FOREIGN_OLD, 1, 1, "from elsewhere, old"},
	    {LEFT_LINK, 0, 1, "a symbolic link"},
	    {LEFT_HARD_LINK, 0, 1, "with two names"},
	    {LEFT_DIRECTORY, 0, 0, "a directory"},
	    {LEFT_FIFO, 0, 1, "a FIFO"},
	    {LEFT_OF_ANOTHER_USER, 0, 0, "of another user"},
	    {LEFT_LOCKED, 0, 1, "still written to"},
	};
	const time_t now = time(NULL);
	struct world *w = *state;
	struct target_file *f;
	uint64_t bytes;
	size_t i;
	int fd;

	for (i = 0; i < COUNT(rows); i++) {
		if (rows[i].left == LEFT_OF_ANOTHER_USER && geteuid() != 0)
			continue;
		print_message("%s\n", rows[i].comment);
		target_close(w->t);
		w->t = target_open("base", "host", &w->err);
		fd = leave_one(w, rows[i].left);
		assert_int_equal(
		    claim(w, "f", 9, &f, &bytes), rows[i].is_claimed);
		if (rows[i].is_claimed) {
			target_file_discard(f, false);
			assert_false(has_temps());
			leave_one(w, rows[i].left);
		}
		assert_int_equal(
		    target_clean(w->t, "", now, &w->err), rows[i].is_cleaned);
		assert_int_equal(has_temps(), !rows[i].is_cleaned);
		if (fd != -1)
			close(fd);
		remove_tree("base/host");
		assert_int_equal(mkdir("base/host", 0755), 0);
	}
}

static void
test_one_of_two_claims_it(void **state)
{
	struct world *w = *state;
	struct target *other = target_open("base", "host", &w->err);
	struct target_file *f, *g = NULL;
	uint64_t bytes;
	char left[300];

	leave_temp("base/host", "f", w->dead, 1, "left", left);
	/* Both have seen it when the first one takes it. */
	assert_int_equal(claim(w, "x", 1, &f, &bytes), 0);
	assert_int_equal(
	    target_file_claim(other, "x", w->token, 1, &f, &bytes, &w->err), 0);
	assert_int_equal(claim(w, "f", 1, &f, &bytes), 1);
	assert_int_equal(
	    target_file_claim(other, "f", w->token, 2, &g, &bytes, &w->err), 0);
	assert_null(g);
	target_file_discard(f, false);
	target_close(other);
}

/* Claims in a process of its own; its exit status is what came out. */
static pid_t
claimer(const struct world *w, int gate, uint32_t seq)
{
	struct target_file *f;
	struct target *t;
	uint64_t bytes;
	pid_t pid = fork();
	char c;
	int rc;

	assert_true(pid != -1);
	if (pid != 0)
		return pid;
	t = target_open("base", "host", NULL);
	if (t == NULL || read(gate, &c, 1) == -1)
		_exit(9);
	rc = target_file_claim(t, "f", w->token, seq, &f, &bytes, NULL);
	_exit(rc == -1 ? 9 : rc);
}

static void
test_one_of_many_processes_claims_it(void **state)
{
	enum { ROUNDS = 20, CLAIMERS = 4 };
	struct world *w = *state;
	pid_t pids[CLAIMERS];
	int gate[2], round, i, status, won;
	char left[300];

	for (round = 0; round < ROUNDS; round++) {
		leave_temp("base/host", "f", w->dead, 1, "left", left);
		assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
		for (i = 0; i < CLAIMERS; i++)
			pids[i] = claimer(
			    w, gate[0], (uint32_t)(round * CLAIMERS + i));
		assert_int_equal(write(gate[1], "gate", CLAIMERS), CLAIMERS);
		for (i = won = 0; i < CLAIMERS; i++) {
			assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
			assert_true(WIFEXITED(status));
			won += WEXITSTATUS(status);
		}
		assert_int_equal(won, 1);
		close(gate[0]);
		close(gate[1]);
	}
}

static void
test_cleaning_leaves_other_files(void **state)
{
	struct world *w = *state;
	char left[300];

	assert_int_equal(mkdir("base/host/d", 0755), 0);
	put_text("base/host/d/f", "");
	put_text("base/host/d/.batch_scp.x", "");
	leave_temp("base/host/d", "a", w->dead, 1, "", left);
	leave_temp("base/host/d", "b", w->dead, 2, "", left);
	assert_int_equal(target_clean(w->t, "", NOW, &w->err), 0);
	assert_int_equal(target_clean(w->t, "d", NOW, &w->err), 2);
	assert_int_equal(target_clean(w->t, "d", NOW, &w->err), 0);
	assert_true(entry_exists("base/host/d/f"));
	assert_true(entry_exists("base/host/d/.batch_scp.x"));
	assert_int_equal(target_clean(w->t, "none", NOW, &w->err), -1);
	assert_int_equal(errno, ENOENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(test_a_stale_temporary_is_claimed),
	    WORLD_TEST(test_what_is_claimed_and_what_is_cleaned),
	    WORLD_TEST(test_one_of_two_claims_it),
	    WORLD_TEST(test_one_of_many_processes_claims_it),
	    WORLD_TEST(test_cleaning_leaves_other_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
