/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * report: stdout and stderr on one terminal that takes a piece of a line at a
 * time: whole lines of both appear, whichever way the progress comes and
 * goes.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "report/report.h"
#include "util/buf.h"
#include "util/fdio.h"
#include "util/log.h"

#define LINES	  200
#define LINE_LEN  3000
#define STEP	  700
#define PIECES	  3
#define SHOWN_MAX (4u << 20)

/* A terminal instead of stdout and stderr. */
struct terminal {
	int master, saved[2];
	struct buf shown;
};

static void
terminal_begin(struct terminal *t)
{
	struct termios mode;
	int slave;

	t->master = posix_openpt(O_RDWR | O_NOCTTY);
	assert_int_not_equal(t->master, -1);
	assert_int_equal(grantpt(t->master), 0);
	assert_int_equal(unlockpt(t->master), 0);
	slave = open(ptsname(t->master), O_RDWR | O_NOCTTY);
	assert_int_not_equal(slave, -1);
	assert_int_equal(tcgetattr(slave, &mode), 0);
	cfmakeraw(&mode);
	assert_int_equal(tcsetattr(slave, TCSANOW, &mode), 0);
	/* Nobody reads while we write. */
	fd_set_nonblock(slave);
	fd_set_nonblock(t->master);
	fflush(stdout);
	t->saved[0] = dup(STDOUT_FILENO);
	t->saved[1] = dup(STDERR_FILENO);
	dup2(slave, STDOUT_FILENO);
	dup2(slave, STDERR_FILENO);
	close(slave);
	buf_init(&t->shown, SHOWN_MAX);
}

static void
terminal_end(struct terminal *t)
{
	dup2(t->saved[0], STDOUT_FILENO);
	dup2(t->saved[1], STDERR_FILENO);
	close(t->saved[0]);
	close(t->saved[1]);
	close(t->master);
}

/* As much as a slow terminal shows in a moment. */
static void
terminal_show(struct terminal *t)
{
	if (fd_fill(t->master, &t->shown, STEP) == -1)
		assert_int_equal(errno, EAGAIN);
}

/* Erase what is erased on the screen, and count the lines that are whole. */
static void
count_lines(struct terminal *t, size_t *output, size_t *events)
{
	char *line, *rest, *erased;

	buf_append(&t->shown, "", 1);
	rest = (char *)buf_head(&t->shown);
	while ((line = strsep(&rest, "\n")) != NULL && rest != NULL) {
		while ((erased = strstr(line, "\r\033[J")) != NULL)
			line = erased + 4;
		if (strcmp(line, "web01 stage: event") == 0)
			(*events)++;
		else if (strlen(line) == strlen("web01: ") + LINE_LEN)
			(*output)++;
		else
			fail_msg("torn: %.60s", line);
	}
}

static void
test_lines(enum progress_mode progress)
{
	struct report_options options = {.has_live = true,
	    .has_prefix = true,
	    .color = COLOR_NEVER,
	    .progress = progress,
	    .fanout = 1};
	char data[LINE_LEN + 1];
	size_t i, piece, output = 0, events = 0;
	struct terminal t;
	struct report *r;

	memset(data, 'x', LINE_LEN);
	data[LINE_LEN] = '\n';
	terminal_begin(&t);
	log_set_level(LOG_HOSTS);
	r = report_new(1, &options, NULL);
	while (progress == PROGRESS_ALWAYS && buf_len(&t.shown) == 0) {
		report_flush(r);
		terminal_show(&t);
	}
	for (i = 0; i < LINES; i++) {
		report_output(r, 0, "web01", i % 20 == 0 ? 2 : 1,
		    (const uint8_t *)data, sizeof(data));
		/* Less than is written, so that much waits all the time. */
		for (piece = 0; piece < PIECES; piece++) {
			report_flush(r);
			log_event(LOG_HOSTS, "web01", "stage", "event");
			terminal_show(&t);
		}
	}
	while (report_backlog(r) > 0) {
		terminal_show(&t);
		report_flush(r);
	}
	for (i = 0; i < 100; i++)
		terminal_show(&t);
	terminal_end(&t);
	report_free(r);
	count_lines(&t, &output, &events);
	assert_int_equal(output, LINES);
	assert_int_equal(events, LINES * PIECES);
	buf_clear(&t.shown);
}

static void
test_without_progress(void **state)
{
	(void)state;
	test_lines(PROGRESS_NEVER);
}

static void
test_with_progress(void **state)
{
	(void)state;
	test_lines(PROGRESS_ALWAYS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_without_progress),
	    cmocka_unit_test(test_with_progress),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
