/* SPDX-License-Identifier: GPL-3.0-or-later */
/* log: what of a message and an event reaches stderr and the file of -log. */
#include "config.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/fdio.h"
#include "util/log.h"

/* With a runtime of its own, memory can't be limited so. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif

static char directory[] = "/tmp/test_log.XXXXXX";
static char log_path[64], stderr_path[64];

/* Run act in a process of its own. Returns what waitpid(2) tells of it. */
static int
run(void (*act)(void))
{
	int status;
	pid_t pid;

	unlink(log_path);
	unlink(stderr_path);
	pid = fork();
	assert_true(pid != -1);
	if (pid == 0) {
		int fd = open(stderr_path, O_WRONLY | O_CREAT | O_APPEND, 0600);

		signal(SIGXFSZ, SIG_IGN);
		log_init("name");
		if (dup2(fd, STDERR_FILENO) == -1 ||
		    log_open(log_path, NULL) == -1)
			_exit(99);
		act();
		_exit(0);
	}
	assert_true(waitpid(pid, &status, 0) == pid);
	return status;
}

static void
assert_content(const char *path, const char *content)
{
	struct error err;
	size_t len;
	char *text = file_read(path, 1 << 20, &len, &err);

	assert_non_null(text);
	assert_string_equal(text, content);
	free(text);
}

/* As it is but for the times, which begin each line. */
static void
assert_log(const char *content)
{
	struct error err;
	size_t len;
	char *text = file_read(log_path, 1 << 20, &len, &err);
	char *from = text, *to = text;

	assert_non_null(text);
	while (*from != '\0') {
		from += strcspn(from, " ") + 1;
		len = strcspn(from, "\n") + 1;
		memmove(to, from, len);
		to += len;
		from += len;
	}
	*to = '\0';
	assert_string_equal(text, content);
	free(text);
}

static void
tell_hostile(void)
{
	log_error("a\033]0;b\007\nc \xc3\xbc \xff");
	log_event(LOG_HOSTS, "h\033[31m", "end", "x\ny");
}

static void
test_lines_are_escaped(void **state)
{
	(void)state;
	assert_int_equal(run(tell_hostile), 0);
	assert_content(
	    stderr_path, "name: a\\x1b]0;b\\x07\\x0ac \xc3\xbc \\xff\n");
	assert_log("name: a\\x1b]0;b\\x07\\x0ac \xc3\xbc \\xff\n"
		   "h\\x1b[31m end: x\\x0ay\n");
}

static void
tell_too_much(void)
{
	const struct rlimit limit = {100, 100};
	int i;

	setrlimit(RLIMIT_FSIZE, &limit);
	for (i = 0; i < 5; i++)
		log_event(LOG_HOSTS, "host", "end", "twenty characters...");
}

static void
test_a_line_that_is_cut_ends_the_log(void **state)
{
	char *expected;

	(void)state;
	assert_int_equal(run(tell_too_much), 0);
	assert_true(
	    asprintf(&expected,
		"name: %s: No space left on device; the log ends here\n",
		log_path) > 0);
	assert_content(stderr_path, expected);
	free(expected);
}

static void
run_out_of_memory(void)
{
	const struct rlimit limit = {0, 0};
	size_t size;

	setrlimit(RLIMIT_AS, &limit);
	for (size = 1 << 16; size > 0; size /= 2) {
		while (malloc(size) != NULL)
			continue;
	}
	fatal("out of memory (%d bytes)", 7);
}

static void
test_the_end_needs_no_memory(void **state)
{
	int status;

	(void)state;
	if (IS_SANITIZED)
		skip();
	status = run(run_out_of_memory);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 5);
	assert_content(stderr_path, "name: out of memory (7 bytes)\n");
	assert_log("name: out of memory (7 bytes)\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lines_are_escaped),
	    cmocka_unit_test(test_a_line_that_is_cut_ends_the_log),
	    cmocka_unit_test(test_the_end_needs_no_memory),
	};
	int rc;

	if (mkdtemp(directory) == NULL)
		return 1;
	snprintf(log_path, sizeof(log_path), "%s/log", directory);
	snprintf(stderr_path, sizeof(stderr_path), "%s/err", directory);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(log_path);
	unlink(stderr_path);
	rmdir(directory);
	return rc;
}
