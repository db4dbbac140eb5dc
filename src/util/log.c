/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/escape.h"
#include "util/exit_status.h"
#include "util/fdio.h"

#define PATIENCE_MS 1000
#define FEW	    3u
#define EVENT_MAX   1024u
#define MESSAGE_MAX 2048u
/* Of what goes before the last one. */
#define CLEAR_WAY_MAX 16u

static const char *log_name = PACKAGE_NAME;
static bool log_is_quiet;
static enum log_level log_level;
static int log_fd = -1; /* of the file of -log */
static const char *log_path;
static const struct log_taker *log_taker;

void
log_init(const char *name)
{
	log_name = name;
}

void
log_set_quiet(bool quiet)
{
	log_is_quiet = quiet;
}

void
log_set_level(unsigned level)
{
	log_level = level < LOG_INSIDE ? (enum log_level)level : LOG_INSIDE;
}

int
log_open(const char *path, struct error *err)
{
	log_path = path;
	log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (log_fd == -1)
		return error_set(err, "%s: %s", path, strerror(errno));
	if (log_level < LOG_HOSTS)
		log_level = LOG_HOSTS;
	return 0;
}

void
log_close(void)
{
	fd_close(&log_fd);
}

void
log_set_taker(const struct log_taker *taker)
{
	log_taker = taker;
}

bool
log_has(enum log_level level)
{
	return level <= log_level;
}

/* A write(2) of no more than PIPE_BUF bytes does not block then. */
static bool
has_room(void)
{
	struct pollfd fd = {.fd = STDERR_FILENO, .events = POLLOUT};

	return poll(&fd, 1, PATIENCE_MS) != 0;
}

/* One write(2) a message, so that messages of several processes don't mix. */
static void
log_write(const char *line, size_t len)
{
	/* Nothing can be done about a stderr that does not take it. */
	if (!has_room() || write(STDERR_FILENO, line, len) == -1)
		return;
}

static void
log_put(const char *line, size_t len, bool is_event)
{
	if (log_taker != NULL)
		log_taker->take(log_taker->ctx, line, len, is_event);
	else
		log_write(line, len);
}

/* A log that can't be written any more does not end the run. */
static void
log_broken(int error)
{
	log_close();
	log_level = LOG_MESSAGES;
	log_error("%s: %s; the log ends here", log_path, strerror(error));
}

/* Into the file, with the time, in one write. Nothing is allocated. */
static void
log_file(const char *line, size_t len)
{
	char now[CLOCK_TEXT_SIZE];
	struct iovec parts[] = {{now, 0}, {NULL, len}};

	clock_text(now, clock_wall_ms());
	parts[0].iov_len = strlen(now);
	now[parts[0].iov_len++] = ' ';
	memcpy(&parts[1].iov_base, &line, sizeof(line));
	errno = ENOSPC; /* what it means to have written a part */
	if (writev(log_fd, parts, 2) != (ssize_t)(parts[0].iov_len + len))
		log_broken(errno);
}

void
log_event(enum log_level level, const char *host, const char *stage,
    const char *fmt, ...)
{
	char text[EVENT_MAX];
	struct buf line;
	va_list ap;
	int n;

	if (!log_has(level))
		return;
	n = snprintf(text, sizeof(text), "%s %s: ", host, stage);
	va_start(ap, fmt);
	if (n > 0 && (size_t)n < sizeof(text))
		vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
	va_end(ap);
	buf_init(&line, EVENT_MAX * 8);
	escape_append(&line, text, strlen(text));
	buf_append(&line, "\n", 1);
	if (log_fd != -1)
		log_file((const char *)buf_head(&line), buf_len(&line));
	else
		log_put((const char *)buf_head(&line), buf_len(&line), true);
	buf_clear(&line);
}

static void message(const char *kind, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void
message(const char *kind, const char *fmt, va_list ap)
{
	char text[MESSAGE_MAX];
	struct buf line;

	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		return;
	buf_init(&line, MESSAGE_MAX * 8);
	buf_printf(&line, "%s: %s", log_name, kind);
	escape_append(&line, text, strlen(text));
	buf_append(&line, "\n", 1);
	if (log_fd != -1)
		log_file((const char *)buf_head(&line), buf_len(&line));
	log_put((const char *)buf_head(&line), buf_len(&line), false);
	buf_clear(&line);
}

void
log_warn(const char *fmt, ...)
{
	va_list ap;

	if (log_is_quiet)
		return;
	va_start(ap, fmt);
	message("warning: ", fmt, ap);
	va_end(ap);
}

void
log_warn_few(unsigned *told, const char *fmt, ...)
{
	va_list ap;

	if (*told == FEW || log_is_quiet)
		return;
	va_start(ap, fmt);
	message("warning: ", fmt, ap);
	va_end(ap);
	if (++*told == FEW)
		log_warn("more warnings like this are left out");
}

void
log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message("", fmt, ap);
	va_end(ap);
}

_Noreturn void
fatal(const char *fmt, ...)
{
	char line[CLEAR_WAY_MAX + MESSAGE_MAX] = "";
	size_t before, len;
	va_list ap;

	/* Without the escaping: there may be no memory for it. */
	if (log_taker != NULL)
		snprintf(line, CLEAR_WAY_MAX, "%s",
		    log_taker->clear_way(log_taker->ctx));
	before = strlen(line);
	snprintf(line + before, MESSAGE_MAX / 2, "%s: ", log_name);
	len = strlen(line);
	va_start(ap, fmt);
	vsnprintf(line + len, sizeof(line) - len - 1, fmt, ap);
	va_end(ap);
	len = strlen(line);
	line[len++] = '\n';
	if (log_fd != -1)
		log_file(line + before, len - before);
	log_write(line, len);
	_exit(EXIT_LOCAL);
}
