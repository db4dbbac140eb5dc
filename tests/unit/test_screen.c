/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * screen: stdout, stderr, the progress and messages on one terminal, whose
 * reader is slow.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <fcntl.h>

#include <cmocka.h>

#include "report/headway.h"
#include "report/screen.h"
#include "util/log.h"

/* More than a terminal takes before somebody reads it. */
#define LONG_LINE 100000u
#define SEEN_MAX  (4 * LONG_LINE)

struct world {
	int saved[2], terminal; /* its other end */
	struct screen screen;
	struct tally tally;
	struct headway headway;
	char *seen;
	size_t seen_len;
};

/* From now on this is stdout and stderr. */
static int
terminal_open(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK), slave;
	struct termios settings;

	assert_true(master != -1);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave != -1);
	assert_int_equal(tcgetattr(slave, &settings), 0);
	settings.c_oflag &= ~(tcflag_t)OPOST;
	assert_int_equal(tcsetattr(slave, TCSANOW, &settings), 0);
	assert_int_equal(dup2(slave, STDOUT_FILENO), STDOUT_FILENO);
	assert_int_equal(dup2(slave, STDERR_FILENO), STDERR_FILENO);
	close(slave);
	return master;
}

static int
world_new(void **state)
{
	struct world *w = test_calloc(1, sizeof(*w));

	w->seen = test_malloc(SEEN_MAX);
	fflush(NULL);
	w->saved[0] = dup(STDOUT_FILENO);
	w->saved[1] = dup(STDERR_FILENO);
	w->terminal = terminal_open();
	log_init("test");
	screen_init(&w->screen, COLOR_NEVER);
	headway_init(&w->headway, &w->tally, 1, false, 0, 0);
	w->headway.running.in_flight = 1;
	*state = w;
	return 0;
}

static int
world_free(void **state)
{
	struct world *w = *state;

	close(w->terminal); /* nothing is waited for */
	screen_clear(&w->screen);
	headway_clear(&w->headway);
	dup2(w->saved[0], STDOUT_FILENO);
	dup2(w->saved[1], STDERR_FILENO);
	close(w->saved[0]);
	close(w->saved[1]);
	test_free(w->seen);
	test_free(w);
	return 0;
}

/* Somebody reads what is there. Returns what was seen until now. */
static const char *
world_read(struct world *w)
{
	ssize_t n;

	while ((n = read(w->terminal, w->seen + w->seen_len,
		    SEEN_MAX - 1 - w->seen_len)) > 0)
		w->seen_len += (size_t)n;
	w->seen[w->seen_len] = '\0';
	return w->seen;
}

/* It is read until all is out. */
static const char *
world_flush(struct world *w, uint64_t now_ms)
{
	do {
		screen_flush(&w->screen, now_ms);
		world_read(w);
	} while (screen_backlog(&w->screen) > 0);
	return world_read(w);
}

static void
world_progress(struct world *w)
{
	w->screen.progress = progress_new(&w->screen.err, &w->headway, 0);
}

/* A line that is half written. */
static void
world_long_line(struct world *w)
{
	char *line = test_malloc(LONG_LINE);

	memset(line, 'x', LONG_LINE);
	buf_append(&w->screen.out.buf, line, LONG_LINE);
	buf_puts(&w->screen.out.buf, "end\n");
	screen_flush(&w->screen, 1);
	assert_true(buf_len(&w->screen.out.buf) > 4);
	test_free(line);
}

/* --- messages ------------------------------------------------------------ */

static void
test_a_message_waits_for_the_end_of_a_line(void **state)
{
	struct world *w = *state;

	world_long_line(w);
	log_warn("hello");
	assert_string_equal(
	    strchr(world_flush(w, 2), 'e'), "end\ntest: warning: hello\n");
}

static void
test_a_message_needs_no_flush(void **state)
{
	struct world *w = *state;

	log_warn("hello");
	log_error("good bye");
	assert_string_equal(
	    world_read(w), "test: warning: hello\ntest: good bye\n");
}

static void
test_a_message_erases_the_progress_once(void **state)
{
	struct world *w = *state;

	world_progress(w);
	screen_flush(&w->screen, 1000);
	assert_non_null(strstr(world_read(w), "0/1 done, 1 running"));
	w->seen_len = 0;
	log_warn("one");
	log_warn("two");
	assert_string_equal(world_read(w),
	    PROGRESS_ERASE "test: warning: one\ntest: warning: two\n");
	w->seen_len = 0;
	assert_null(strstr(world_flush(w, 1100), PROGRESS_ERASE));
	assert_non_null(strstr(world_read(w), "0/1 done, 1 running"));
}

static void
test_what_waits_is_out_at_the_end(void **state)
{
	struct world *w = *state;

	log_set_level(LOG_HOSTS);
	log_event(LOG_HOSTS, "web01", "end", "ok");
	log_set_level(LOG_MESSAGES);
	assert_string_equal(world_read(w), "");
	screen_clear(&w->screen);
	assert_string_equal(world_read(w), "web01 end: ok\n");
	screen_init(&w->screen, COLOR_NEVER);
}

/* In a child, where it ends the process. */
static void
die(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		fatal("oops");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 5);
}

static void
test_the_last_message_erases_the_progress(void **state)
{
	struct world *w = *state;

	world_progress(w);
	screen_flush(&w->screen, 1000);
	world_read(w);
	w->seen_len = 0;
	die();
	assert_string_equal(world_read(w), PROGRESS_ERASE "test: oops\n");
}

static void
test_the_last_message_starts_a_line(void **state)
{
	struct world *w = *state;

	world_long_line(w);
	world_read(w); /* so that there is room */
	die();
	assert_string_equal(strchr(world_read(w), '\n'), "\ntest: oops\n");
}

/* --- progress ------------------------------------------------------------ */

/* As a host alone has it whose line is too long for memory. */
static void
test_no_progress_within_a_line(void **state)
{
	struct world *w = *state;

	world_progress(w);
	buf_puts(&w->screen.out.buf, "a line");
	assert_string_equal(world_flush(w, 1000), "a line");
	screen_flush(&w->screen, 1100);
	assert_string_equal(world_read(w), "a line");
	buf_puts(&w->screen.out.buf, " ends\n");
	world_flush(w, 1200);
	assert_memory_equal(w->seen, "a line ends\n[ ", 14);
}

/* A line that the summary has anyway is not worth a line torn in two. */
static void
test_notes_stand_above_the_progress_or_nowhere(void **state)
{
	struct world *w = *state;

	buf_puts(&w->screen.notes, "web01: failed\n");
	assert_string_equal(world_flush(w, 900), "");
	world_progress(w);
	world_flush(w, 1000);
	assert_null(strstr(world_read(w), "web01"));
	assert_non_null(strstr(world_read(w), "0/1 done, 1 running"));
	w->seen_len = 0;
	buf_puts(&w->screen.out.buf, "a line");
	world_flush(w, 1100);
	assert_string_equal(world_read(w), "a line");
	buf_puts(&w->screen.out.buf, " ends\n");
	world_flush(w, 1200);
	assert_memory_equal(w->seen, "a line ends\n", 12);
	assert_null(strstr(w->seen, "web01"));
	w->seen_len = 0;
	world_flush(w, 1300);
	assert_memory_equal(w->seen, PROGRESS_ERASE "web01: failed\n[", 19);
}

/* What reads the pipe may print to the terminal. */
static void
test_progress_makes_way_for_a_pipe_and_its_reader(void **state)
{
	struct world *w = *state;
	char line[16] = "";
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(dup2(ends[1], STDOUT_FILENO), STDOUT_FILENO);
	close(ends[1]);
	screen_clear(&w->screen);
	screen_init(&w->screen, COLOR_NEVER);
	world_progress(w);
	screen_flush(&w->screen, 1000);
	assert_non_null(strstr(world_read(w), "0/1 done, 1 running"));
	w->seen_len = 0;
	screen_make_way(&w->screen, 1);
	buf_puts(&w->screen.out.buf, "line\n");
	screen_flush(&w->screen, 1050);
	assert_int_equal(read(ends[0], line, sizeof(line)), 5);
	assert_string_equal(world_read(w), PROGRESS_ERASE);
	screen_flush(&w->screen, 1149);
	assert_string_equal(world_read(w), PROGRESS_ERASE);
	screen_flush(&w->screen, 1250);
	assert_non_null(strstr(world_read(w), "0/1 done, 1 running"));
	close(ends[0]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_new, world_free)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_a_message_waits_for_the_end_of_a_line),
	    TEST(test_a_message_needs_no_flush),
	    TEST(test_a_message_erases_the_progress_once),
	    TEST(test_what_waits_is_out_at_the_end),
	    TEST(test_the_last_message_erases_the_progress),
	    TEST(test_the_last_message_starts_a_line),
	    TEST(test_no_progress_within_a_line),
	    TEST(test_notes_stand_above_the_progress_or_nowhere),
	    TEST(test_progress_makes_way_for_a_pipe_and_its_reader),
	};

	alarm(60); /* what blocks fails */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
