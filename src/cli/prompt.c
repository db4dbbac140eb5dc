/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "cli/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "util/xalloc.h"

#define SECRET_MAX 1024

bool
prompt_is_possible(void)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd == -1)
		return false;
	close(fd);
	return true;
}

/* One line into text, without its newline. Returns its length, or -1. */
static ssize_t
read_line(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t n;
	char c;

	for (;;) {
		n = read(fd, &c, 1);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		if (c == '\n' || c == '\r')
			break;
		if (len == size - 1)
			return -1;
		text[len++] = c;
	}
	text[len] = '\0';
	return (ssize_t)len;
}

char *
prompt_secret(const char *question, struct error *err)
{
	char text[SECRET_MAX] = "", *secret = NULL;
	struct termios old, quiet;
	sigset_t block, before;
	ssize_t len = -1;
	int fd;

	fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd == -1 || tcgetattr(fd, &old) == -1) {
		if (fd != -1)
			close(fd);
		error_set(err, "there is no terminal to ask for a password");
		return NULL;
	}
	/* Signals that end or stop us wait until the echo is back. */
	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGHUP);
	sigaddset(&block, SIGTSTP);
	sigprocmask(SIG_BLOCK, &block, &before);
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	quiet.c_lflag |= ICANON | ECHONL;
	tcsetattr(fd, TCSAFLUSH, &quiet);
	if (write(fd, question, strlen(question)) != -1)
		len = read_line(fd, text, sizeof(text));
	tcsetattr(fd, TCSAFLUSH, &old);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(fd);
	/* Without ISIG a Ctrl-C is a character: a wish to leave. */
	if (len <= 0 || strchr(text, '\003') != NULL)
		error_set(err, "no password was entered");
	else
		secret = xstrdup(text);
	explicit_bzero(text, sizeof(text));
	return secret;
}
