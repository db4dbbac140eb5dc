/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/color.h"

/* Control stops taking output long before this; see report_backlog(). */
#define SINK_MAX	(1u << 30)
#define COLUMNS_DEFAULT 80
#define ROWS_DEFAULT	24

void
sink_init(struct sink *s, int fd)
{
	char path[64];
	struct stat st;
	int own;

	memset(s, 0, sizeof(*s));
	buf_init(&s->buf, SINK_MAX);
	s->fd = fd;
	s->is_tty = isatty(fd) == 1;
	if (fstat(fd, &st) == -1)
		return;
	s->is_file = S_ISREG(st.st_mode);
	s->is_socket = S_ISSOCK(st.st_mode);
	s->is_pipe = S_ISFIFO(st.st_mode);
	if (s->is_pipe || s->is_tty) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		own = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
		if (own != -1) {
			s->fd = own;
			s->is_owned = true;
		}
	}
}

void
sink_clear(struct sink *s)
{
	if (s->is_owned)
		close(s->fd);
	buf_clear(&s->buf);
}

void
sink_size(const struct sink *s, size_t *columns, size_t *rows)
{
	struct winsize size = {.ws_row = 0};
	bool is_known = ioctl(s->fd, TIOCGWINSZ, &size) == 0;

	*columns = is_known && size.ws_col > 0 ? size.ws_col : COLUMNS_DEFAULT;
	*rows = is_known && size.ws_row > 0 ? size.ws_row : ROWS_DEFAULT;
}

bool
sink_has_escapes(const struct sink *s)
{
	static const char *const without[] = {"", "dumb", "unknown"};
	const char *term = getenv("TERM");
	size_t i;

	if (!s->is_tty || term == NULL)
		return false;
	for (i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
		if (strcmp(term, without[i]) == 0)
			return false;
	}
	return true;
}

void
sink_color(struct sink *s, enum color_mode mode)
{
	s->is_colored = mode == COLOR_ALWAYS;
	if (mode == COLOR_AUTO)
		s->is_colored = sink_has_escapes(s) && !color_is_unwanted();
}

static bool
is_writable(const struct sink *s)
{
	struct pollfd p = {.fd = s->fd, .events = POLLOUT};

	return poll(&p, 1, 0) == 1;
}

static ssize_t
sink_write(struct sink *s)
{
	size_t len = buf_len(&s->buf);

	if (s->is_socket)
		return send(
		    s->fd, buf_head(&s->buf), len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (!s->is_owned && !s->is_file) {
		if (!is_writable(s)) {
			errno = EAGAIN;
			return -1;
		}
		if (len > PIPE_BUF)
			len = PIPE_BUF;
	}
	return write(s->fd, buf_head(&s->buf), len);
}

void
sink_flush(struct sink *s)
{
	ssize_t n;

	while (s->error == 0 && buf_len(&s->buf) > 0) {
		n = sink_write(s);
		if (n > 0)
			s->is_mid_line = buf_head(&s->buf)[n - 1] != '\n';
		if (n >= 0)
			buf_consume(&s->buf, (size_t)n);
		else if (errno == EAGAIN)
			return;
		else if (errno != EINTR)
			s->error = errno;
	}
	if (s->error != 0)
		buf_consume(&s->buf, buf_len(&s->buf));
}

void
sink_drain(struct sink *s, int patience_ms)
{
	struct pollfd p = {.fd = s->fd, .events = POLLOUT};

	for (;;) {
		sink_flush(s);
		if (buf_len(&s->buf) == 0)
			return;
		/* EINTR and errors show in the next write. */
		if (poll(&p, 1, patience_ms) == 0)
			s->error = ETIMEDOUT;
	}
}
