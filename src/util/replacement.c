/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "util/replacement.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/path.h"
#include "util/run_token.h"
#include "util/xalloc.h"

#define OPEN_FILES "/proc/self/fd"

static char *
temporary_name(const char *path, const char *what)
{
	char *directory = path_parent(path), *token = run_token_make();
	char *name = xasprintf(".batch_%s.%s", what, token);
	char *temporary = path_join(directory, name);

	free(name);
	free(token);
	free(directory);
	return temporary;
}

/* Whether fd has the file open that is to be replaced. */
static bool
is_open_as(const struct stat *file, int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_dev == file->st_dev &&
	    st.st_ino == file->st_ino;
}

int
replacement_init(struct replacement *r, const char *path, const char *what,
    struct error *err)
{
	struct stat st;

	*r = (struct replacement){.path = NULL};
	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode)) {
		r->path = realpath(path, NULL);
		if (r->path == NULL)
			return error_set(err,
			    "%s: a symbolic link that leads nowhere: %s", path,
			    strerror(errno));
	} else {
		r->path = xstrdup(path);
	}
	r->temporary = temporary_name(r->path, what);
	if (stat(path, &st) == -1)
		return errno == ENOENT && path_base(path)[0] != '\0'
		    ? 0
		    : error_set(err, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return error_set(err, "%s: not a regular file", path);
	if (is_open_as(&st, STDOUT_FILENO) || is_open_as(&st, STDERR_FILENO))
		return error_set(err, "%s: other output goes there", path);
	return 0;
}

void
replacement_clear(struct replacement *r)
{
	free(r->path);
	free(r->temporary);
	*r = (struct replacement){.path = NULL};
}

/* Returns -1 where there are no such files, or no way to name them later. */
static int
open_unnamed(const char *temporary, mode_t mode)
{
	char *directory;
	int fd;

	if (access(OPEN_FILES, X_OK) == -1)
		return -1;
	directory = path_parent(temporary);
	fd = open(directory, O_WRONLY | O_TMPFILE | O_CLOEXEC, mode);
	free(directory);
	return fd;
}

int
replacement_open(struct replacement *r, mode_t mode, struct error *err)
{
	int fd = open_unnamed(r->temporary, mode);

	if (fd != -1)
		return fd;
	fd = open(r->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd == -1)
		error_set(err, "%s: %s", r->path, strerror(errno));
	r->has_temporary = fd != -1;
	return fd;
}

int
replacement_name(struct replacement *r, int fd, struct error *err)
{
	char file[sizeof(OPEN_FILES) + 16];

	if (r->has_temporary)
		return 0;
	snprintf(file, sizeof(file), OPEN_FILES "/%d", fd);
	if (linkat(AT_FDCWD, file, AT_FDCWD, r->temporary, AT_SYMLINK_FOLLOW) ==
	    -1)
		return error_set(err, "%s: %s", r->path, strerror(errno));
	r->has_temporary = true;
	return 0;
}

int
replacement_commit(struct replacement *r, struct error *err)
{
	int rc = rename(r->temporary, r->path);

	if (rc == 0)
		r->has_temporary = false;
	else
		error_set(err, "%s: %s", r->path, strerror(errno));
	replacement_drop(r);
	return rc;
}

void
replacement_drop(struct replacement *r)
{
	if (r->has_temporary)
		unlink(r->temporary);
	r->has_temporary = false;
}
