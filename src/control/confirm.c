/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "control/confirm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include "util/fdio.h"
#include "util/xalloc.h"

void
confirm_init(struct confirm *c)
{
	memset(c, 0, sizeof(*c));
	c->fd = -1;
}

static void
say(const struct confirm *c, const char *text)
{
	/* A terminal that takes nothing gives no answer either. */
	if (c->fd != -1 && write(c->fd, text, strlen(text)) == -1)
		return;
}

void
confirm_clear(struct confirm *c)
{
	if (c->question != NULL)
		say(c, "\n"); /* what follows starts a line */
	fd_close(&c->fd);
	free(c->question);
	confirm_init(c);
}

void
confirm_ask(struct confirm *c, const char *question)
{
	c->question = xstrdup(question);
	c->len = 0;
	/* Opened anew, so that O_NONBLOCK is ours alone. */
	c->fd = open("/dev/tty", O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (c->fd == -1)
		return;
	tcflush(c->fd, TCIFLUSH);
	say(c, question);
}

static enum answer
confirm_end(struct confirm *c, enum answer answer)
{
	free(c->question);
	c->question = NULL;
	confirm_clear(c);
	return answer;
}

static enum answer
line_answer(const char *line)
{
	static const char *const yes[] = {"y", "yes"},
				 *const no[] = {"n", "no"};
	size_t i;

	for (i = 0; i < 2; i++) {
		if (strcasecmp(line, yes[i]) == 0)
			return ANSWER_YES;
		if (strcasecmp(line, no[i]) == 0)
			return ANSWER_NO;
	}
	return ANSWER_NONE;
}

enum answer
confirm_read(struct confirm *c)
{
	enum answer answer;
	ssize_t n;
	char byte;

	for (;;) {
		n = c->fd != -1 ? read(c->fd, &byte, 1) : 0;
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return ANSWER_NONE;
		if (n <= 0)
			return confirm_end(c, ANSWER_NO);
		if (byte != '\n') {
			/* A line that is too long is no answer. */
			if (c->len < sizeof(c->line) - 1)
				c->line[c->len++] = byte;
			continue;
		}
		c->line[c->len] = '\0';
		c->len = 0;
		answer = line_answer(c->line);
		if (answer != ANSWER_NONE)
			return confirm_end(c, answer);
		say(c, c->question);
	}
}
