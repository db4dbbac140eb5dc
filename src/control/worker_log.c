/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "control/worker_log.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "util/fdio.h"
#include "util/log.h"

#define READ_BYTES 4096u
/* A pipe holds no more than that, unless somebody else still writes to it. */
#define REST_READS 16
/* Enough for what a sanitizer says; and of all workers. */
#define LINES_MAX     100u
#define LINES_MAX_ALL 400u

void
worker_log_open(struct worker_log *l, int fd)
{
	l->fd = fd;
	l->last[0] = '\0';
	l->told = 0;
	buf_init(&l->text, WORKER_LOG_SIZE + READ_BYTES);
	if (fd != -1)
		fd_set_nonblock(fd);
}

int
worker_log_fd(const struct worker_log *l)
{
	return l->told < LINES_MAX ? l->fd : -1;
}

static void
tell(struct worker_log *l, size_t len, uint32_t i, unsigned *told)
{
	static const char own_name[] = "batch_worker: ";
	const char *line = (const char *)buf_head(&l->text);
	size_t skipped = 0;

	if (len >= sizeof(own_name) &&
	    memcmp(line, own_name, sizeof(own_name) - 1) == 0)
		skipped = sizeof(own_name) - 1;
	snprintf(l->last, sizeof(l->last), "%.*s", (int)(len - skipped),
	    line + skipped);
	if (l->told++ >= LINES_MAX || *told >= LINES_MAX_ALL)
		return;
	log_error("worker %u: %s", i, l->last);
	if (++*told == LINES_MAX_ALL)
		log_error("more of what workers say is left out");
	else if (l->told == LINES_MAX)
		log_error("more of what worker %u says is left out", i);
}

/* Tell whole lines, and pieces of those that are too long. */
static void
tell_lines(struct worker_log *l, bool is_end, uint32_t i, unsigned *told)
{
	const uint8_t *newline;
	size_t len;

	while ((len = buf_len(&l->text)) > 0) {
		newline = memchr(buf_head(&l->text), '\n', len);
		if (newline != NULL)
			len = (size_t)(newline - buf_head(&l->text));
		else if (len < WORKER_LOG_SIZE && !is_end)
			return;
		if (len >= WORKER_LOG_SIZE) {
			len = WORKER_LOG_SIZE - 1;
			newline = NULL;
		}
		if (len > 0)
			tell(l, len, i, told);
		buf_consume(&l->text, len + (newline != NULL));
	}
}

/* Returns whether there may be more. */
static bool
read_some(struct worker_log *l, uint32_t i, unsigned *told)
{
	ssize_t n;

	if (l->fd == -1)
		return false;
	n = fd_fill(l->fd, &l->text, READ_BYTES);
	if (n == 0 || (n == -1 && errno != EAGAIN))
		fd_close(&l->fd);
	tell_lines(l, n == 0, i, told);
	return n > 0;
}

void
worker_log_read(struct worker_log *l, uint32_t i, unsigned *told)
{
	(void)read_some(l, i, told);
}

void
worker_log_close(struct worker_log *l, uint32_t i, unsigned *told)
{
	int reads = 0;

	while (reads < REST_READS && read_some(l, i, told))
		reads++;
	tell_lines(l, true, i, told);
	fd_close(&l->fd);
	buf_clear(&l->text);
}
