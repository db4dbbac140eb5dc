/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "control/manifest_level.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/fdio.h"
#include "util/xalloc.h"

void
walk_level_init(struct walk_level *l, size_t len)
{
	memset(l, 0, sizeof(*l));
	l->fd = -1;
	l->len = len;
	/* As many names as the file system has: memory is the limit. */
	buf_init(&l->text, SIZE_MAX / 4);
}

void
walk_level_clear(struct walk_level *l)
{
	fd_close(&l->fd);
	buf_clear(&l->text);
	free(l->names);
	l->names = NULL;
}

static int
name_compare(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

int
walk_level_read(struct walk_level *l)
{
	struct dirent *d = NULL;
	size_t at = 0, i = 0;
	DIR *stream;
	int fd, error;

	fd = fcntl(l->fd, F_DUPFD_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	stream = fdopendir(fd);
	if (stream == NULL) {
		close(fd);
		return -1;
	}
	while (errno = 0, (d = readdir(stream)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		buf_append(&l->text, d->d_name, strlen(d->d_name) + 1);
		l->count++;
	}
	error = errno;
	closedir(stream);
	errno = error;
	if (error != 0)
		return -1;
	l->names = xreallocarray(NULL, l->count + 1, sizeof(*l->names));
	for (; at < buf_len(&l->text); at += strlen(l->names[i++]) + 1)
		l->names[i] = (const char *)buf_head(&l->text) + at;
	qsort(l->names, l->count, sizeof(*l->names), name_compare);
	return 0;
}

bool
walk_level_is(const struct walk_level *l, const struct stat *st)
{
	return l->st.st_dev == st->st_dev && l->st.st_ino == st->st_ino;
}

int
walk_level_open(struct walk_level *l, const char *path)
{
	struct stat st;

	if (l->fd != -1)
		return 0;
	l->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->fd != -1 && fstat(l->fd, &st) == 0 && walk_level_is(l, &st))
		return 0;
	fd_close(&l->fd);
	return -1;
}
