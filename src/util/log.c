/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "util/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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
	if (write(STDERR_FILENO, line, len) == -1)
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
