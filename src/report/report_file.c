/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/report_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/fdio.h"
#include "util/log.h"
#include "util/xalloc.h"

struct report_file {
	const char *path;
	int fd;
	unsigned lines, lost;
};

struct report_file *
report_file_new(const char *path, struct error *err)
{
	struct report_file *f = xcalloc(1, sizeof(*f));

	f->path = path;
	f->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (f->fd == -1) {
		error_set(err, "%s: %s", path, strerror(errno));
		free(f);
		return NULL;
	}
	return f;
}

void
report_file_free(struct report_file *f)
{
	if (f == NULL)
		return;
	fd_close(&f->fd);
	free(f);
}

static bool
is_regular(const struct report_file *f)
{
	struct stat st;

	return fstat(f->fd, &st) == 0 && S_ISREG(st.st_mode);
}

int
report_file_empty(struct report_file *f, struct error *err)
{
	if (is_regular(f) && ftruncate(f->fd, 0) == -1)
		return error_set(err, "%s: %s", f->path, strerror(errno));
	return 0;
}

/* One could not be written: tell it once, and leave whole lines only. */
static void
line_lost(struct report_file *f, size_t written)
{
	const char *why = strerror(errno);
	struct stat st;

	if (written > 0 && fstat(f->fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    ftruncate(f->fd, st.st_size - (off_t)written) == -1)
		why = strerror(errno);
	if (f->lost++ == 0)
		log_error("%s: %s; the run goes on, records are missing",
		    f->path, why);
}

void
report_file_write(struct report_file *f, struct buf *line)
{
	size_t len = buf_len(line);

	f->lines++;
	if (fd_flush(f->fd, line) == -1)
		line_lost(f, len - buf_len(line));
	buf_consume(line, buf_len(line));
}

bool
report_file_lacks(const struct report_file *f)
{
	return f != NULL && f->lost > 0;
}

bool
report_file_is_whole(const struct report_file *f)
{
	return f != NULL && f->lost == 0 && is_regular(f);
}

void
report_file_tell(const struct report_file *f)
{
	if (report_file_lacks(f))
		log_error(
		    "%s: lacks %u of %u records", f->path, f->lost, f->lines);
}
