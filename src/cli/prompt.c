/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * While a secret is typed the terminal does not echo, and nothing may leave
 * it so. Signals that end or stop us are therefore blocked and read: then the
 * terminal is set right, the signal has its effect, and whoever is still there
 * or is there again is asked anew.
 */
#include "config.h"

#include "cli/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "util/fdio.h"
#include "util/secret.h"
#include "util/xalloc.h"

#define SECRET_MAX 1024

struct prompt {
	int tty, signals;
	sigset_t old_mask;
	char text[SECRET_MAX]; /* what was typed so far */
	size_t len;
};

bool
prompt_is_possible(void)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd == -1)
		return false;
	close(fd);
	return true;
}

static int
prompt_open(struct prompt *p)
{
	static const int taken[] = {
	    SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT};
	sigset_t set;
	size_t i;

	p->len = 0;
	p->signals = -1;
	p->tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (p->tty == -1)
		return -1;
	sigemptyset(&set);
	for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		sigaddset(&set, taken[i]);
	p->signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (p->signals == -1) {
		fd_close(&p->tty);
		return -1;
	}
	sigprocmask(SIG_BLOCK, &set, &p->old_mask);
	return 0;
}

static void
prompt_close(struct prompt *p)
{
	sigprocmask(SIG_SETMASK, &p->old_mask, NULL);
	fd_close(&p->signals);
	fd_close(&p->tty);
	explicit_bzero(p->text, sizeof(p->text));
}

/* Returns 1 at the end of the line, 0 if there is more, -1 if it is none. */
static int
read_byte(struct prompt *p)
{
	char c;

	if (read(p->tty, &c, 1) != 1)
		return -1;
	if (c == '\n' || c == '\r')
		return 1;
	if (p->len == sizeof(p->text) - 1)
		return -1;
	p->text[p->len++] = c;
	return 0;
}

static bool
has_echo(const struct prompt *p)
{
	struct termios now;

	return tcgetattr(p->tty, &now) == -1 || (now.c_lflag & ECHO) != 0;
}

/* Returns the signal that came, 0 if it is of no importance, or -1. */
static int
read_signal(const struct prompt *p)
{
	struct signalfd_siginfo info;

	if (read(p->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return -1;
	/* We were stopped; a shell may have set the terminal otherwise. */
	if (info.ssi_signo == SIGCONT && !has_echo(p))
		return 0;
	return (int)info.ssi_signo;
}

/*
 * One line into p->text. Returns 0, -1 if there is none, or the signal that
 * came before its end.
 */
static int
read_line(struct prompt *p)
{
	struct pollfd fds[2] = {{.fd = p->tty, .events = POLLIN},
	    {.fd = p->signals, .events = POLLIN}};
	int rc;

	for (;;) {
		if (poll(fds, 2, -1) == -1) {
			if (errno != EINTR)
				return -1;
			continue;
		}
		if ((fds[1].revents & POLLIN) != 0) {
			rc = read_signal(p);
			if (rc != 0)
				return rc;
		} else if (fds[0].revents != 0) {
			rc = read_byte(p);
			if (rc == -1)
				return -1;
			if (rc == 1)
				break;
		}
	}
	p->text[p->len] = '\0';
	return 0;
}

/* As read_line(), without echo. */
static int
ask(struct prompt *p, const char *question)
{
	struct termios old, quiet;
	int rc = -1;

	if (tcgetattr(p->tty, &old) == -1)
		return -1;
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	quiet.c_lflag |= ICANON | ISIG | ECHONL;
	tcsetattr(p->tty, TCSAFLUSH, &quiet);
	if (write(p->tty, question, strlen(question)) != -1)
		rc = read_line(p);
	if (rc > 0 && write(p->tty, "\n", 1) == -1)
		rc = -1;
	tcsetattr(p->tty, TCSAFLUSH, &old);
	return rc;
}

char *
prompt_secret(const char *question, struct error *err)
{
	struct prompt p;
	char *secret = NULL;
	int rc;

	do {
		if (prompt_open(&p) == -1) {
			error_set(err,
			    "option -ask-pass: there is no terminal to ask on "
			    "(password_file in the inventory needs none)");
			return NULL;
		}
		rc = ask(&p, question);
		if (rc == 0 && p.len > 0)
			secret = secret_strdup(p.text);
		prompt_close(&p);
		if (rc > 0 && rc != SIGCONT)
			raise(rc);
	} while (rc > 0);
	if (secret == NULL)
		error_set(err, "no password was entered");
	return secret;
}
