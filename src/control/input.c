/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "control/input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/fdio.h"

#define COPY_BYTES 65536u

/*
 * Read fd to its end into a file of our own. The descriptor returned can only
 * be read: every worker gets it, and none may change what the others send.
 */
static int
input_spool(int fd, const char *path, struct error *err)
{
	int copy, read_only;
	struct buf b;
	ssize_t n;

	copy = fd_temporary(&read_only, err);
	if (copy == -1)
		return -1;
	buf_init(&b, COPY_BYTES);
	while ((n = fd_fill(fd, &b, COPY_BYTES)) > 0) {
		if (fd_temporary_write(copy, &b, err) == -1)
			break;
	}
	if (n == -1)
		error_set(err, "%s: %s", path, strerror(errno));
	if (n != 0)
		fd_close(&read_only);
	buf_clear(&b);
	close(copy);
	return read_only;
}

int
input_open(const char *path, uint64_t *size, struct error *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	struct stat st;
	int fd, copy;

	if (is_stdin)
		path = "stdin";
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
