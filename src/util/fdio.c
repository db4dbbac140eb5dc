/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "util/fdio.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/log.h"
#include "util/xalloc.h"

void
fd_set_nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1)
		fatal("fcntl: %s", strerror(errno));
}

void
fd_close(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

int
fd_flush(int fd, struct buf *b)
{
	ssize_t n;

	while (buf_len(b) > 0) {
		n = write(fd, buf_head(b), buf_len(b));
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return errno == EAGAIN ? 0 : -1;
		buf_consume(b, (size_t)n);
	}
	return 0;
}

ssize_t
fd_fill(int fd, struct buf *b, size_t max_bytes)
{
	uint8_t *p;
	ssize_t n;

	p = buf_reserve(b, max_bytes);
	if (p == NULL) {
		errno = ENOBUFS;
		return -1;
	}
	do
		n = read(fd, p, max_bytes);
	while (n == -1 && errno == EINTR);
	if (n > 0)
		buf_advance(b, (size_t)n);
	return n;
}

/* What is read at once grows with what is there: most files are small. */
int
fd_read_all(int fd, struct buf *b)
{
	size_t count;
	ssize_t n;

	do {
		count = buf_len(b) + 4096;
		n = fd_fill(
		    fd, b, count < FD_READ_BYTES ? count : FD_READ_BYTES);
	} while (n > 0);
	return (int)n;
}

const char *
fd_temporary_dir(void)
{
	const char *dir = getenv("TMPDIR");

	return dir != NULL && dir[0] == '/' ? dir : "/tmp";
}

char *
fd_temporary_dir_make(struct error *err)
{
	char *path = xasprintf("%s/batch.XXXXXX", fd_temporary_dir());

	if (mkdtemp(path) != NULL)
		return path;
	error_set(err, "temporary directory %s: %s", path, strerror(errno));
	free(path);
	return NULL;
}

void
fd_temporary_dir_remove(char *path)
{
	const struct dirent *e;
	DIR *dir;

	if (path == NULL)
		return;
	dir = opendir(path);
	while (dir != NULL && (e = readdir(dir)) != NULL)
		unlinkat(dirfd(dir), e->d_name, 0);
	if (dir != NULL)
		closedir(dir);
	rmdir(path);
	free(path);
}

int
fd_temporary(int *read_only, struct error *err)
{
	char *name;
	int fd;

	if (read_only != NULL)
		*read_only = -1;
	name = xasprintf("%s/batch.XXXXXX", fd_temporary_dir());
	fd = mkostemp(name, O_CLOEXEC); /* mode 0600 */
	if (fd == -1) {
		error_set(err, "temporary file %s: %s", name, strerror(errno));
		free(name);
		return -1;
	}
	if (read_only != NULL) {
		*read_only = open(name, O_RDONLY | O_CLOEXEC);
		if (*read_only == -1) {
			error_set(err, "%s: %s", name, strerror(errno));
			fd_close(&fd);
		}
	}
	unlink(name);
	free(name);
	return fd;
}

int
fd_temporary_write(int fd, struct buf *b, struct error *err)
{
	if (fd_flush(fd, b) == -1)
		return error_set(err, "temporary file in $TMPDIR or /tmp: %s",
		    strerror(errno));
	return 0;
}

char *
file_read(const char *path, size_t max_bytes, size_t *len, struct error *err)
{
	struct buf b;
	char *text = NULL;
	int fd, rc;

	buf_init(&b, max_bytes + FD_READ_BYTES);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1) {
		error_set(err, "%s: %s", path, strerror(errno));
		return NULL;
	}
	rc = fd_read_all(fd, &b);
	if (buf_len(&b) > max_bytes || (rc == -1 && errno == ENOBUFS) ||
	    (rc == 0 && buf_append(&b, "", 1) == -1))
		error_set(err, "%s: larger than %zu bytes", path, max_bytes);
	else if (rc == -1)
		error_set(err, "%s: %s", path, strerror(errno));
	else {
		*len = buf_len(&b) - 1;
		text = xmemdup(buf_head(&b), buf_len(&b));
	}
	buf_clear(&b);
	close(fd);
	return text;
}

char *
path_expand_home(const char *path)
{
	const char *home;
	struct passwd *pw;

	if (path[0] != '~' || (path[1] != '/' && path[1] != '\0'))
		return xstrdup(path);
	home = getenv("HOME");
	if (home == NULL || home[0] == '\0') {
		pw = getpwuid(getuid());
		home = pw != NULL ? pw->pw_dir : "/";
	}
	return xconcat(home, path + 1, "");
}
