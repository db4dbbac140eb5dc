/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "util/log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 1000
#define FEW	    3u

static const char *log_name = PACKAGE_NAME;
static const char *log_prelude = "";
static bool log_is_quiet;

void
log_init(const char *name)
{
	log_name = name;
}

void
log_set_prelude(const char *prelude)
{
	log_prelude = prelude;
}

void
log_set_quiet(bool quiet)
{
	log_is_quiet = quiet;
}

static void log_line(const char *kind, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* A write(2) of no more than PIPE_BUF bytes does not block then. */
static bool
has_room(void)
{
	struct pollfd fd = {.fd = STDERR_FILENO, .events = POLLOUT};

	return poll(&fd, 1, PATIENCE_MS) != 0;
}

/* One write(2) a message, so that messages of several processes don't mix. */
static void
log_line(const char *kind, const char *fmt, va_list ap)
{
	char line[2048];
	int head, body;
	size_t len;

	head = snprintf(
	    line, sizeof(line), "%s%s: %s", log_prelude, log_name, kind);
	if (head < 0)
		return;
	len = (size_t)head;
	body = vsnprintf(line + len, sizeof(line) - len - 1, fmt, ap);
	if (body < 0)
		return;
	len = strlen(line);
	line[len++] = '\n';
	/* Nothing can be done about a stderr that does not take it. */
	if (!has_room() || write(STDERR_FILENO, line, len) == -1)
		return;
}

void
log_warn(const char *fmt, ...)
{
	va_list ap;

	if (log_is_quiet)
		return;
	va_start(ap, fmt);
	log_line("warning: ", fmt, ap);
	va_end(ap);
}

void
log_warn_few(unsigned *told, const char *fmt, ...)
{
	va_list ap;

	if (*told == FEW || log_is_quiet)
		return;
	va_start(ap, fmt);
	log_line("warning: ", fmt, ap);
	va_end(ap);
	if (++*told == FEW)
		log_warn("more warnings like this are left out");
}

void
log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line("", fmt, ap);
	va_end(ap);
}

_Noreturn void
fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line("", fmt, ap);
	va_end(ap);
	_exit(5);
}
