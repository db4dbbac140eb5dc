/* SPDX-License-Identifier: GPL-3.0-or-later */
/* host_keys: accept-new, and other processes that write the same file. */
#include "config.h"

#include "control/host_keys.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "known_hosts_text.h"
#include "util/xalloc.h"

static unsigned int
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void
assert_accepted(
    struct host_keys *hk, const char *name, unsigned int port, char letter)
{
	struct error err;

	if (accept_key(hk, name, port, letter, &err) == -1)
		fail_msg("%s", err.text);
	assert_int_equal(verdict_of(hk, name, port, letter), OK);
}

static void
assert_content(const char *path, const char *expected)
{
	char *text = read_file(path);

	assert_string_equal(text, expected);
	free(text);
}

static void
assert_content_lines(const char *path, int expected)
{
	char *text = read_file(path), *p;
	int lines = 0;

	for (p = text; *p != '\0'; p++)
		lines += *p == '\n';
	assert_int_equal(lines, expected);
	free(text);
}

static void
assert_line(const char *path, const char *names, const char *type, char letter)
{
	char *key = key_text(letter);
	char *line = xasprintf("%s %s %s\n", names, type, key);

	assert_content(path, line);
	free(line);
	free(key);
}

static void
test_new_file_in_new_folder(void **state)
{
	char *path = in_folder("new/known_hosts"), *folder = in_folder("new");
	struct host_keys *hk;
	mode_t mask = umask(022);

	(void)state;
	hk = load(path);
	assert_accepted(hk, "Web1", 22, 'A');
	assert_line(path, "web1", "ssh-ed25519", 'A');
	assert_int_equal(mode_of(path), 0600);
	assert_int_equal(mode_of(folder), 0700);
	umask(mask);
	host_keys_free(hk);
	free(folder);
	free(path);
}

static void
test_name_with_port(void **state)
{
	char *path = in_folder("port");
	struct host_keys *hk = load(path);

	(void)state;
	assert_accepted(hk, "::1", 2222, 'R');
	assert_line(path, "[::1]:2222", "ssh-rsa", 'R');
	assert_int_equal(verdict_of(hk, "::1", 22, 'R'), UNKNOWN);
	host_keys_free(hk);
	free(path);
}

static void
test_known_key_is_not_written_again(void **state)
{
	char *path = in_folder("again");
	struct host_keys *hk;

	(void)state;
	write_file(path, "web1 {A}\n");
	hk = load(path);
	assert_accepted(hk, "web1", 22, 'A');
	assert_accepted(hk, "web1", 2222, 'A');
	assert_line(path, "web1", "ssh-ed25519", 'A');
	host_keys_free(hk);
	free(path);
}

static void
test_hashed_if_the_file_is(void **state)
{
	char *path = in_folder("hashed"), *text, *last;
	struct host_keys *hk;

	(void)state;
	write_file(
	    path, "web1 {A}\n{#web2} {A}\n# comment\n@revoked web9 {B}\n");
	hk = load(path);
	assert_accepted(hk, "web3", 2222, 'A');
	assert_accepted(hk, "web4", 22, 'B');
	host_keys_free(hk);
	text = read_file(path);
	assert_null(strstr(text, "web3"));
	assert_null(strstr(text, "web4"));
	last = strstr(text, "web9");
	assert_memory_equal(strchr(last, '\n') + 1, "|1|", 3);
	free(text);
	hk = load(path);
	assert_int_equal(verdict_of(hk, "web3", 2222, 'A'), OK);
	assert_int_equal(verdict_of(hk, "web4", 22, 'B'), OK);
	host_keys_free(hk);
	free(path);
}

static void
test_last_line_without_newline(void **state)
{
	char *path = in_folder("newline"), *text;
	struct host_keys *hk;

	(void)state;
	write_file(path, "web1 {A}");
	hk = load(path);
	assert_accepted(hk, "web2", 22, 'B');
	assert_accepted(hk, "web3", 22, 'A');
	assert_int_equal(verdict_of(hk, "web1", 22, 'A'), OK);
	host_keys_free(hk);
	hk = load(path);
	assert_int_equal(verdict_of(hk, "web1", 22, 'A'), OK);
	assert_int_equal(verdict_of(hk, "web2", 22, 'B'), OK);
	assert_int_equal(verdict_of(hk, "web3", 22, 'A'), OK);
	text = read_file(path);
	assert_non_null(strstr(text, "\nweb2 "));
	free(text);
	host_keys_free(hk);
	free(path);
}

/* What others did to the file since it was loaded, and what follows. */
static void
test_refusals_leave_the_file_alone(void **state)
{
	static const struct {
		const char *comment;
		const char *before;
		const char *added; /* by another process */
		const char *name;
		unsigned int port;
		char key;
		const char *reason;
	} cases[] = {
	    {"a mismatch", "web1 {B}\n", "", "web1", 22, 'A', ":1 holds"},
	    {"a mismatch added meanwhile", "web2 {A}\n", "\nweb1 {B}\n", "web1",
		22, 'A', ":3 holds another"},
	    {"a mismatch added to an open line", "web2 {A}", "\nweb1 {B}\n",
		"web1", 22, 'A', ":2 holds another"},
	    {"a hashed mismatch added", "", "{#web1} {B}\n", "web1", 22, 'A',
		":1 holds another"},
	    {"a revocation added", "", "@revoked * {A}\n", "web1", 22, 'A',
		":1 revokes"},
	    {"an unknown key type", "", "", "web1", 22, 'U', "not a plain key"},
	    {"a certificate", "", "", "web1", 22, 'C', "not a plain key"},
	    {"a malformed key", "", "", "web1", 22, 'L', "not a plain key"},
	    {"a blank in the name", "", "", "web1 x", 22, 'A', "does not fit"},
	    {"a pattern as name", "", "", "*", 22, 'A', "does not fit"},
	    {"a newline in the name", "", "", "a\nb", 22, 'A', "does not fit"},
	    {"a list as name", "", "", "a,b", 2222, 'A', "does not fit"},
	    {"a comment as name", "", "", "#a", 22, 'A', "does not fit"},
	    {"no name", "", "", "", 22, 'A', "does not fit"},
	};
	char *path = in_folder("refusals"), *text;
	struct host_keys *hk;
	struct error err;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		write_file(path, cases[i].before);
		hk = load(path);
		append_file(path, cases[i].added);
		text = read_file(path);
		if (accept_key(hk, cases[i].name, cases[i].port, cases[i].key,
			&err) != -1)
			fail_msg("%s", cases[i].comment);
		if (strstr(err.text, cases[i].reason) == NULL)
			fail_msg("%s: %s", cases[i].comment, err.text);
		assert_content(path, text);
		free(text);
		host_keys_free(hk);
	}
	free(path);
}

static void
test_same_key_added_meanwhile(void **state)
{
	char *path = in_folder("same");
	struct host_keys *hk;

	(void)state;
	hk = load(path);
	write_file(path, "web1 {A}\n");
	assert_accepted(hk, "web1", 22, 'A');
	assert_line(path, "web1", "ssh-ed25519", 'A');
	host_keys_free(hk);
	free(path);
}

static void
test_line_continued_meanwhile(void **state)
{
	char *path = in_folder("continued");
	struct host_keys *hk;

	(void)state;
	write_file(path, "web1");
	hk = load(path);
	append_file(path, "a {A}\n");
	assert_accepted(hk, "web3", 22, 'A');
	assert_int_equal(verdict_of(hk, "web1a", 22, 'A'), OK);
	assert_int_equal(verdict_of(hk, "a", 22, 'A'), UNKNOWN);
	host_keys_free(hk);
	free(path);
}

static void
test_file_replaced_meanwhile(void **state)
{
	char *path = in_folder("replaced"), *other = in_folder("other");
	struct host_keys *hk;

	(void)state;
	write_file(path, "web1 {B}\nweb2 {B}\n");
	hk = load(path);
	assert_int_equal(verdict_of(hk, "web1", 22, 'A'), MISMATCH);
	/* As ssh-keygen -R does it. */
	write_file(other, "web2 {B}\n");
	assert_int_equal(rename(other, path), 0);
	assert_accepted(hk, "web1", 22, 'A');
	assert_int_equal(verdict_of(hk, "web1", 22, 'B'), MISMATCH);
	assert_int_equal(verdict_of(hk, "web2", 22, 'B'), OK);
	host_keys_free(hk);
	hk = load(path);
	assert_int_equal(verdict_of(hk, "web1", 22, 'A'), OK);
	/* And emptied. */
	write_file(path, "");
	assert_accepted(hk, "web5", 22, 'A');
	assert_int_equal(verdict_of(hk, "web2", 22, 'B'), UNKNOWN);
	host_keys_free(hk);
	free(other);
	free(path);
}

static void
test_symbolic_link_is_followed(void **state)
{
	char *path = in_folder("link"), *target = in_folder("target");
	struct host_keys *hk;
	struct stat st;

	(void)state;
	assert_int_equal(symlink(target, path), 0);
	hk = load(path);
	assert_accepted(hk, "web1", 22, 'A');
	assert_accepted(hk, "web2", 22, 'A');
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(mode_of(target), 0600);
	host_keys_free(hk);
	free(target);
	free(path);
}

static void
test_null_device_knows_for_the_run(void **state)
{
	struct host_keys *hk = load("/dev/null");

	(void)state;
	assert_accepted(hk, "web1", 22, 'A');
	assert_accepted(hk, "web2", 22, 'B');
	assert_int_equal(verdict_of(hk, "web1", 22, 'B'), MISMATCH);
	host_keys_free(hk);
}

static void
test_folder_that_cannot_be_made(void **state)
{
	struct host_keys *hk = load("/nonexistent/a/b/known_hosts");
	struct error err;

	(void)state;
	assert_int_equal(accept_key(hk, "web1", 22, 'A', &err), -1);
	assert_non_null(strstr(err.text, "/nonexistent/a/b/known_hosts"));
	assert_int_equal(verdict_of(hk, "web1", 22, 'A'), UNKNOWN);
	host_keys_free(hk);
}

/* What happens while the lock is held by another counts. */
static void
test_lock_is_waited_for(void **state)
{
	char *path = in_folder("locked"), *other = in_folder("unlocked");
	struct host_keys *hk = load(path);
	int fd, status;
	pid_t pid;

	(void)state;
	write_file(path, "web2 {A}\n");
	write_file(other, "web9 {A}\n");
	fd = open(path, O_RDWR);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		_exit(accept_key(hk, "web1", 22, 'A', NULL) == -1 ||
		    accept_key(hk, "web3", 22, 'B', NULL) == -1);
	/* Time for the child to get as far as the lock. */
	usleep(300000);
	assert_content_lines(path, 1);
	assert_int_equal(rename(other, path), 0);
	/* The child has inherited the descriptor: closing is not enough. */
	assert_int_equal(flock(fd, LOCK_UN), 0);
	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_content_lines(path, 3);
	host_keys_free(hk);
	free(other);
	free(path);
}

#define WRITERS 4
#define HOSTS	50

static void
write_many(const char *path, int writer)
{
	struct host_keys *hk = load(path);
	struct error err;
	char name[32];
	int i;

	for (i = 0; i < HOSTS; i++) {
		snprintf(name, sizeof(name), "host%d-%d", writer, i);
		if (accept_key(hk, name, 22, 'A', &err) == -1)
			_exit(1);
		/* All of them fight for this one. */
		snprintf(name, sizeof(name), "shared%d", i);
		if (accept_key(hk, name, 22, 'A', &err) == -1)
			_exit(1);
	}
	_exit(0);
}

static void
test_writers_at_the_same_time_lose_nothing(void **state)
{
	char *path = in_folder("writers");
	pid_t pids[WRITERS];
	int i, status;

	(void)state;
	for (i = 0; i < WRITERS; i++) {
		pids[i] = fork();
		assert_int_not_equal(pids[i], -1);
		if (pids[i] == 0)
			write_many(path, i);
	}
	for (i = 0; i < WRITERS; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_content_lines(path, WRITERS * HOSTS + HOSTS);
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_new_file_in_new_folder),
	    cmocka_unit_test(test_name_with_port),
	    cmocka_unit_test(test_known_key_is_not_written_again),
	    cmocka_unit_test(test_hashed_if_the_file_is),
	    cmocka_unit_test(test_last_line_without_newline),
	    cmocka_unit_test(test_refusals_leave_the_file_alone),
	    cmocka_unit_test(test_same_key_added_meanwhile),
	    cmocka_unit_test(test_line_continued_meanwhile),
	    cmocka_unit_test(test_file_replaced_meanwhile),
	    cmocka_unit_test(test_symbolic_link_is_followed),
	    cmocka_unit_test(test_null_device_knows_for_the_run),
	    cmocka_unit_test(test_folder_that_cannot_be_made),
	    cmocka_unit_test(test_lock_is_waited_for),
	    cmocka_unit_test(test_writers_at_the_same_time_lose_nothing),
	};

	return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
