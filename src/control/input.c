/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "control/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/fdio.h"
#include "util/xalloc.h"

#define COPY_BYTES 65536u

static int
temporary_file(struct error *err)
{
	const char *dir = getenv("TMPDIR");
	char *path;
	int fd;

	path = xasprintf(
	    "%s/batch.XXXXXX", dir != NULL && dir[0] == '/' ? dir : "/tmp");
	fd = mkostemp(path, O_CLOEXEC);
	if (fd == -1)
		error_set(err, "%s: %s", path, strerror(errno));
	else
		unlink(path);
	free(path);
	return fd;
}

/* Read fd to its end into a file of our own. */
static int
input_spool(int fd, const char *path, struct error *err)
{
	struct buf b;
	ssize_t n = -1;
	int copy;

	copy = temporary_file(err);
	if (copy == -1)
		return -1;
	buf_init(&b, COPY_BYTES);
	while ((n = fd_fill(fd, &b, COPY_BYTES)) > 0) {
		if (fd_flush(copy, &b) == -1)
			break;
	}
	if (n != 0) {
		error_set(err, "%s: %s", path, strerror(errno));
		fd_close(&copy);
	}
	buf_clear(&b);
	return copy;
}

int
input_open(const char *path, uint64_t *size, struct error *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	struct stat st;
	int fd, copy;

	fd = is_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
		      : open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1)
		goto failed;
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		goto failed;
	}
	/* A redirected stdin may stand anywhere in its file. */
	if (!S_ISREG(st.st_mode) || is_stdin) {
		copy = input_spool(fd, path, err);
		close(fd);
		fd = copy;
		if (fd == -1)
			return -1;
		if (fstat(fd, &st) == -1)
			goto failed;
	}
	*size = (uint64_t)st.st_size;
	return fd;
failed:
	error_set(err, "%s: %s", path, strerror(errno));
	if (fd != -1)
		close(fd);
	return -1;
}
