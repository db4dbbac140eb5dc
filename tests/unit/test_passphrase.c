/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * signer with a private agent: encrypted keys, and a user at a terminal who
 * types the passphrase. The code under test runs in a child that has a
 * pseudo-terminal (or none); this process plays the user.
 */
#include "config.h"

#include "control/signer.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "keys.h"
#include "util/buf.h"
#include "util/xalloc.h"

/* In the child: a failed check is its exit status. */
#define CHECK(what)                                                        \
	do {                                                               \
		if (!(what)) {                                             \
			fprintf(stderr, "line %d: %s\n", __LINE__, #what); \
			exit(1);                                           \
		}                                                          \
	} while (0)

/* What the user does at the next prompt instead of typing. */
#define SEND_SIGTERM "TERM"

static char tmp[128]; /* TMPDIR of the code under test */

static bool
is_tmp_empty(void)
{
	DIR *dir = opendir(tmp);
	struct dirent *e;
	bool is_empty = true;

	if (dir == NULL)
		return false;
	while ((e = readdir(dir)) != NULL) {
		if (e->d_name[0] != '.')
			is_empty = false;
	}
	closedir(dir);
	return is_empty;
}

static int
count_of(const char *text, const char *what)
{
	int count = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		count++;
	return count;
}

/* Answer one prompt after the other; returns all that was shown. */
static char *
play_user(int tty, pid_t pid, const char *const answers[])
{
	char *seen = xcalloc(1, 65536);
	size_t len = 0;
	int answered = 0;
	ssize_t n;

	while ((n = read(tty, seen + len, 4096)) > 0 && len < 60000) {
		len += (size_t)n;
		seen[len] = '\0';
		if (answers[answered] == NULL ||
		    count_of(seen, "assphrase") + count_of(seen, "again") <=
			answered ||
		    strcmp(seen + len - 2, ": ") != 0)
			continue;
		if (strcmp(answers[answered], SEND_SIGTERM) == 0)
			assert_int_equal(kill(pid, SIGTERM), 0);
		else
			assert_int_equal(write(tty, answers[answered],
					     strlen(answers[answered])),
			    strlen(answers[answered]));
		answered++;
	}
	return seen;
}

/*
 * Run body in a child, with a terminal if there are answers. Returns its wait
 * status; *seen, if not NULL, is what the terminal showed (caller frees).
 */
static int
run(void (*body)(void), const char *const answers[], char **seen)
{
	int tty = -1, status;
	char *text = NULL;
	pid_t pid;

	fflush(NULL);
	pid = answers != NULL ? forkpty(&tty, NULL, NULL, NULL) : fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (answers == NULL && setsid() == -1)
			_exit(2);
		body();
		exit(0);
	}
	assert_true(pid > 0);
	if (answers != NULL) {
		text = play_user(tty, pid, answers);
		close(tty);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		print_message("%s\n", text != NULL ? text : "");
	if (seen != NULL)
		*seen = text;
	else
		free(text);
	return status;
}

static uint8_t *told_sig;
static size_t told_len;

static void
note(
    void *ctx, uint64_t ticket, const uint8_t *sig, size_t len, const char *why)
{
	(void)ctx;
	(void)ticket;
	if (sig == NULL)
		fprintf(stderr, "%s\n", why);
	CHECK(sig != NULL);
	told_sig = xmemdup(sig, len);
	told_len = len;
}

static void
check_signs(struct signer *s, const char *path, const char *key)
{
	static const uint8_t session_id[32];
	struct identity *const *ids;
	struct pollfd fds[2];
	struct buf b;
	size_t count;

	/* An RSA key is there for both of its algorithms. */
	count = signer_identities(s, path, &ids);
	CHECK(count == 1 || (count == 2 && identity_equal(ids[0], ids[1])));
	CHECK(strcmp(ids[0]->source, path) == 0);
	buf_init(&b, 4096);
	buf_put_string(&b, session_id, sizeof(session_id));
	buf_put_u8(&b, 50);
	buf_put_string(&b, "me", 2);
	buf_put_string(&b, "ssh-connection", 14);
	buf_put_string(&b, "publickey", 9);
	buf_put_u8(&b, 1);
	buf_put_string(&b, ids[0]->algorithm, strlen(ids[0]->algorithm));
	buf_put_string(&b, ids[0]->blob, ids[0]->blob_len);
	CHECK(signer_request(
		  s, ids[0], "me", buf_head(&b), buf_len(&b), 1, NULL) == 0);
	while (told_sig == NULL) {
		count = signer_poll(s, fds, 2);
		CHECK(count == 1 && poll(fds, 1, 10000) == 1);
		signer_handle(s, fds, count);
	}
	CHECK(keys_verify(key, told_sig, told_len, buf_head(&b), buf_len(&b)));
	free(told_sig);
	told_sig = NULL;
	buf_clear(&b);
}

static void
unlock_and_sign(void)
{
	struct signer *s = signer_new(note, NULL);
	sigset_t mask;
	struct error err;

	CHECK(signer_add_file(s, "locked", true, &err) == 0);
	CHECK(signer_add_file(s, "locked", true, &err) == 0);
	CHECK(signer_add_file(s, "locked_pem", true, &err) == 0);
	CHECK(!is_tmp_empty());
	signer_seal(s);
	CHECK(is_tmp_empty());
	CHECK(sigprocmask(SIG_BLOCK, NULL, &mask) == 0);
	CHECK(!sigismember(&mask, SIGINT));
	check_signs(s, "locked", "plain");
	check_signs(s, "locked_pem", "rsa");
	/* Ctrl-C at the terminal is not for the agent. */
	signal(SIGINT, SIG_IGN);
	kill(0, SIGINT);
	check_signs(s, "locked", "plain");
	signer_free(s);
	CHECK(waitpid(-1, NULL, 0) == -1 && errno == ECHILD);
}

static void
test_encrypted_keys_are_unlocked_once(void **state)
{
	static const char *const answers[] = {"secret\n", "watchword\n", NULL};
	char *seen;

	(void)state;
	assert_int_equal(run(unlock_and_sign, answers, &seen), 0);
	assert_int_equal(count_of(seen, "Enter passphrase for locked"), 2);
	assert_int_equal(count_of(seen, "Enter passphrase for locked_pem"), 1);
	free(seen);
}

static void
test_wrong_passphrase_is_asked_for_again(void **state)
{
	static const char *const answers[] = {
	    "wrong\n", "secret\n", "watchword\n", NULL};
	char *seen;

	(void)state;
	assert_int_equal(run(unlock_and_sign, answers, &seen), 0);
	assert_int_equal(count_of(seen, "again"), 1);
	free(seen);
}

static void
unlock_a_copy(void)
{
	struct signer *s = signer_new(note, NULL);
	struct error err;

	CHECK(signer_add_file(s, "locked_pem", true, &err) == 0);
	CHECK(signer_add_file(s, "copy_pem", true, &err) == -1);
	CHECK(strstr(err.text, "no new key") != NULL);
	signer_free(s);
}

/* Its public half is not known, so no other key may be taken for it. */
static void
test_unlocked_copy_is_not_taken_for_another_key(void **state)
{
	static const char *const answers[] = {
	    "watchword\n", "watchword\n", NULL};

	(void)state;
	keys_run("cp locked_pem copy_pem");
	assert_int_equal(run(unlock_a_copy, answers, NULL), 0);
}

static void
give_up(void)
{
	struct signer *s = signer_new(note, NULL);
	struct error err;

	CHECK(signer_add_file(s, "locked", true, &err) == -1);
	CHECK(strcmp(err.text,
		  "locked: not unlocked: no right passphrase was "
		  "given") == 0);
	signer_free(s);
	CHECK(is_tmp_empty());
	CHECK(waitpid(-1, NULL, 0) == -1 && errno == ECHILD);
}

static void
test_no_right_passphrase_is_an_error(void **state)
{
	static const char *const answers[] = {"wrong\n", "wrong\n", "\n", NULL};

	(void)state;
	assert_int_equal(run(give_up, answers, NULL), 0);
}

static void
lack_a_terminal(void)
{
	struct signer *s = signer_new(note, NULL);
	struct error err;

	CHECK(signer_add_file(s, "locked", true, &err) == -1);
	CHECK(
	    strcmp(err.text,
		"locked: encrypted, and there is no terminal to "
		"ask for its passphrase (ssh-add it to an agent before)") == 0);
	signer_free(s);
	CHECK(is_tmp_empty());
}

static void
test_without_a_terminal_the_way_out_is_told(void **state)
{
	(void)state;
	assert_int_equal(run(lack_a_terminal, NULL, NULL), 0);
}

static void
ask_askpass(void)
{
	struct signer *s;
	struct error err;
	char path[256];

	snprintf(path, sizeof(path), "%s/../askpass", tmp);
	setenv("SSH_ASKPASS", path, 1);
	setenv("SSH_ASKPASS_REQUIRE", "force", 1);
	s = signer_new(note, NULL);
	CHECK(signer_add_file(s, "locked", true, &err) == 0);
	signer_seal(s);
	check_signs(s, "locked", "plain");
	signer_free(s);
}

static void
test_askpass_serves_without_a_terminal(void **state)
{
	(void)state;
	keys_run("printf '#!/bin/sh\\necho secret\\n' >askpass; "
		 "chmod 755 askpass");
	assert_int_equal(run(ask_askpass, NULL, NULL), 0);
}

static void
be_interrupted(void)
{
	struct signer *s = signer_new(note, NULL);
	struct error err;

	CHECK(signer_add_file(s, "locked", true, &err) == -1);
	CHECK(strcmp(err.text, "locked: interrupted") == 0);
	CHECK(signer_add_file(s, "locked_pem", true, &err) == -1);
	CHECK(strcmp(err.text, "locked_pem: interrupted") == 0);
	CHECK(!is_tmp_empty());
	signer_free(s);
	/* Not reached: the signal was only held back. */
	CHECK(false);
}

static void
test_signals_at_the_prompt_end_us_without_leftovers(void **state)
{
	static const struct {
		const char *answers[2];
		int want;
	} rows[] = {{{"\003", NULL}, SIGINT}, {{SEND_SIGTERM, NULL}, SIGTERM}};
	size_t i;
	int status;

	(void)state;
	for (i = 0; i < 2; i++) {
		status = run(be_interrupted, rows[i].answers, NULL);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), rows[i].want);
		assert_true(is_tmp_empty());
	}
}

static void
be_killed(void)
{
	struct signer *s = signer_new(note, NULL);
	struct error err;

	CHECK(signer_add_file(s, "locked", true, &err) == 0);
	signer_seal(s);
	raise(SIGKILL);
}

static void
test_agent_dies_with_a_killed_control_process(void **state)
{
	static const char *const answers[] = {"secret\n", NULL};
	int status, i;
	pid_t pid = 0;

	(void)state;
	/* Orphans become our children, so that we see the agent's end. */
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	status = run(be_killed, answers, NULL);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	for (i = 0; i < 1000 && (pid = waitpid(-1, &status, WNOHANG)) == 0; i++)
		usleep(5000);
	assert_true(pid > 0);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_true(is_tmp_empty());
	prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
}

static void
lack_programs(void)
{
	struct signer *s = signer_new(note, NULL);
	struct error err;

	setenv("PATH", "/nonexistent", 1);
	CHECK(signer_add_file(s, "locked", true, &err) == -1);
	CHECK(strstr(err.text, "ssh-agent: not found") != NULL);
	CHECK(is_tmp_empty());
	setenv("PATH", "agent_only", 1);
	CHECK(signer_add_file(s, "locked_pem", true, &err) == -1);
	CHECK(strstr(err.text, "ssh-add: not found") != NULL);
	signer_free(s);
	CHECK(is_tmp_empty());
	CHECK(waitpid(-1, NULL, 0) == -1 && errno == ECHILD);
}

static void
test_missing_programs_are_named(void **state)
{
	static const char *const answers[] = {NULL};

	(void)state;
	keys_run("mkdir agent_only && "
		 "ln -s \"$(command -v ssh-agent)\" agent_only");
	assert_int_equal(run(lack_programs, answers, NULL), 0);
}

static int
make_keys(void **state)
{
	char cwd[64];

	if (keys_setup(state) == -1 || getcwd(cwd, sizeof(cwd)) == NULL)
		return -1;
	snprintf(tmp, sizeof(tmp), "%s/tmp", cwd);
	if (mkdir(tmp, 0700) == -1 || setenv("TMPDIR", tmp, 1) == -1)
		return -1;
	keys_make("plain", "ed25519", "");
	keys_make("rsa", "rsa-2048", "");
	keys_run(
	    "cp plain locked; ssh-keygen -q -p -P '' -N secret -f locked; "
	    "cp rsa locked_pem; ssh-keygen -q -p -P '' -N watchword -m PEM "
	    "-f locked_pem");
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_encrypted_keys_are_unlocked_once),
	    cmocka_unit_test(test_wrong_passphrase_is_asked_for_again),
	    cmocka_unit_test(test_unlocked_copy_is_not_taken_for_another_key),
	    cmocka_unit_test(test_no_right_passphrase_is_an_error),
	    cmocka_unit_test(test_without_a_terminal_the_way_out_is_told),
	    cmocka_unit_test(test_askpass_serves_without_a_terminal),
	    cmocka_unit_test(
		test_signals_at_the_prompt_end_us_without_leftovers),
	    cmocka_unit_test(test_agent_dies_with_a_killed_control_process),
	    cmocka_unit_test(test_missing_programs_are_named),
	};

	return cmocka_run_group_tests(tests, make_keys, keys_teardown);
}
