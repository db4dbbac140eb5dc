/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/outdir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/dirs.h"
#include "util/fdio.h"
#include "util/log.h"
#include "util/xalloc.h"

struct outdir {
	const char *path;
	int fd;
	uint8_t *made; /* by host: 1 << (stream - 1) */
	bool is_broken;
};

struct outdir *
outdir_new(const char *path, size_t hosts, struct error *err)
{
	struct outdir *d;
	int fd;

	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT && dirs_make(path, NULL) == 0)
		fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) == -1) {
		error_set(err, "%s: %s", path, strerror(errno));
		fd_close(&fd);
		return NULL;
	}
	d = xcalloc(1, sizeof(*d));
	d->path = path;
	d->fd = fd;
	d->made = xcalloc(hosts, sizeof(*d->made));
	return d;
}

void
outdir_free(struct outdir *d)
{
	if (d == NULL)
		return;
	fd_close(&d->fd);
	free(d->made);
	free(d);
}

/* A new file, or, if it is ours already, the end of it. */
static int
file_open(struct outdir *d, const char *file, bool is_new)
{
	int flags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC;

	if (!is_new)
		return openat(d->fd, file, flags);
	if (unlinkat(d->fd, file, 0) == -1 && errno != ENOENT)
		return -1;
	return openat(d->fd, file, flags | O_CREAT | O_EXCL, 0666);
}

/* Returns 0, or -1 with errno. */
static int
file_append(struct outdir *d, const char *file, bool is_new,
    const uint8_t *data, size_t len)
{
	int fd = file_open(d, file, is_new);
	ssize_t n = 0;

	if (fd == -1)
		return -1;
	while (len > 0 && (n != -1 || errno == EINTR)) {
		n = write(fd, data, len);
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	/* A full disk may show only now (NFS). */
	if (len > 0) {
		fd_close(&fd);
		return -1;
	}
	return close(fd);
}

void
outdir_add(struct outdir *d, size_t host, const char *name, int stream,
    const uint8_t *data, size_t len)
{
	char file[OUTDIR_NAME_MAX + 5];
	uint8_t bit = (uint8_t)(1u << (stream - 1));

	if (d->is_broken)
		return;
	snprintf(file, sizeof(file), "%.*s.%s", OUTDIR_NAME_MAX, name,
	    stream == 1 ? "out" : "err");
	if (file_append(d, file, (d->made[host] & bit) == 0, data, len) == -1) {
		log_error("%s/%s: %s", d->path, file, strerror(errno));
		d->is_broken = true;
	}
	d->made[host] |= bit;
}

void
outdir_end(struct outdir *d, size_t host, const char *name)
{
	int stream;

	for (stream = 1; stream <= 2; stream++) {
		if ((d->made[host] & (1u << (stream - 1))) == 0)
			outdir_add(d, host, name, stream, NULL, 0);
	}
}

bool
outdir_is_broken(const struct outdir *d)
{
	return d != NULL && d->is_broken;
}
