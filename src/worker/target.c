/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "worker/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/dirs.h"
#include "util/xalloc.h"
#include "worker/target_impl.h"

#define NAME_SIZE 256
/* The end of a path that a message shows. */
#define SHOWN_MAX 800

bool
target_name_is_safe(const char *name, size_t len)
{
	if (len == 0 || len >= NAME_SIZE)
		return false;
	if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
		return false;
	return memchr(name, '/', len) == NULL &&
	    memchr(name, '\0', len) == NULL;
}

static const char *
reason(int errnum)
{
	switch (errnum) {
	case ELOOP:
		return "is a symbolic link";
	case ENOTDIR:
		return "is not a directory";
	case EISDIR:
		return "is a directory";
	default:
		return strerror(errnum);
	}
}

/* base/below, where either may be empty, with one "/" between. */
static char *
join(const char *base, const char *below)
{
	size_t len = strlen(base);
	bool has_slash = len == 0 || base[len - 1] == '/';

	return xasprintf(
	    "%s%s%s", base, has_slash || below[0] == '\0' ? "" : "/", below);
}

int
target_fail(const struct target *t, const char *path, const char *text,
    int errnum, struct error *err)
{
	char *whole = join(t->shown, path);
	size_t len = strlen(whole);
	bool is_cut = len > SHOWN_MAX;

	error_set(err, "%s%s: %s", is_cut ? "..." : "",
	    len == 0	 ? "."
		: is_cut ? whole + len - SHOWN_MAX
			 : whole,
	    text != NULL ? text : reason(errnum));
	free(whole);
	errno = errnum;
	return -1;
}

void
close_quietly(int fd)
{
	int saved = errno;

	if (fd != -1)
		close(fd);
	errno = saved;
}

void
unlink_quietly(int dir, const char *name)
{
	int saved = errno;

	unlinkat(dir, name, 0);
	errno = saved;
}

int
dir_open_at(int dir, const char *name, int flags)
{
	struct stat st;
	int fd, saved;

	fd = openat(
	    dir, name, flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
	if (fd != -1 || (errno != ENOTDIR && errno != ELOOP))
		return fd;
	saved = errno;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		saved = S_ISLNK(st.st_mode) ? ELOOP : ENOTDIR;
	errno = saved;
	return -1;
}

/*
 * Copy the component of a checked path that begins at *at, and move *at to
 * the next. Returns false at the end.
 */
static bool
next_component(const char **at, char name[static NAME_SIZE])
{
	size_t len = strcspn(*at, "/");

	if (len == 0)
		return false;
	memcpy(name, *at, len);
	name[len] = '\0';
	*at += len;
	if (**at == '/')
		(*at)++;
	return true;
}

/* Returns 0 if every component is fit to be one, or -1. */
static int
path_check(const struct target *t, const char *path, struct error *err)
{
	struct temp_name temp;
	char name[NAME_SIZE];
	const char *at = path;
	size_t len;

	if (strnlen(path, TARGET_PATH_SIZE) == TARGET_PATH_SIZE)
		return target_fail(t, path, NULL, ENAMETOOLONG, err);
	for (;; at++) {
		len = strcspn(at, "/");
		if (!target_name_is_safe(at, len))
			return target_fail(
			    t, path, "not a safe file name", EINVAL, err);
		memcpy(name, at, len);
		name[len] = '\0';
		/* Else a server could have one file put over another's. */
		if (temp_name_parse(name, &temp))
			return target_fail(t, path,
			    "is the name of a temporary file", EINVAL, err);
		at += len;
		if (*at == '\0')
			return 0;
	}
}

/* --- the root ------------------------------------------------------------ */

/* Open the user's directory, which may be made and be behind links. */
static int
base_open(const char *base)
{
	const int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
	int fd = open(base[0] != '\0' ? base : ".", flags);

	if (fd != -1 || errno != ENOENT)
		return fd;
	if (dirs_make(base, NULL) == -1)
		return -1;
	return open(base, flags);
}

static int
below_open(struct target *t, const char *below, struct error *err)
{
	char name[NAME_SIZE], *reached;
	const char *at = below;
	int fd;

	if (below[0] == '\0')
		return 0;
	if (path_check(t, below, err) == -1)
		return -1;
	while (next_component(&at, name)) {
		fd = dir_open_at(t->root, name, O_PATH);
		if (fd == -1 && errno == ENOENT) {
			if (mkdirat(t->root, name, 0777) == 0 ||
			    errno == EEXIST)
				fd = dir_open_at(t->root, name, O_PATH);
		}
		if (fd == -1) {
			reached = xstrndup(below,
			    (size_t)(at - below) - (at[-1] == '/' ? 1 : 0));
			target_fail(t, reached, NULL, errno, err);
			free(reached);
			return -1;
		}
		close(t->root);
		t->root = fd;
	}
	return 0;
}

struct target *
target_open(const char *base, const char *below, struct error *err)
{
	struct target *t = xcalloc(1, sizeof(*t));
	char *shown;
	int saved;

	t->dir = -1;
	t->shown = xstrdup(base);
	t->root = base_open(base);
	if (t->root == -1) {
		target_fail(t, "", strerror(errno), errno, err);
		goto fail;
	}
	if (below_open(t, below, err) == -1)
		goto fail;
	shown = join(base, below);
	free(t->shown);
	t->shown = shown;
	return t;
fail:
	saved = errno;
	target_close(t);
	errno = saved;
	return NULL;
}

/* Forget the directory last used. */
static void
leave(struct target *t)
{
	if (t->dir != t->root)
		close_quietly(t->dir);
	t->dir = -1;
	free(t->dir_path);
	t->dir_path = NULL;
	t->leftovers.is_read = false;
	t->leftovers.count = 0;
}

void
target_close(struct target *t)
{
	if (t == NULL)
		return;
	leave(t);
	close_quietly(t->root);
	free(t->shown);
	free(t);
}

/* --- the way to a file --------------------------------------------------- */

/* Make dir_path, which is checked, the directory last used; takes it over. */
static int
enter(struct target *t, char *dir_path, struct error *err)
{
	char name[NAME_SIZE];
	const char *at = dir_path;
	int dir = t->root, next;

	leave(t);
	while (next_component(&at, name)) {
		next = dir_open_at(dir, name, O_PATH);
		if (dir != t->root)
			close_quietly(dir);
		if (next == -1) {
			/* The message ends with the component that failed. */
			dir_path[(size_t)(at - dir_path) -
			    (at[-1] == '/' ? 1 : 0)] = '\0';
			target_fail(t, dir_path, NULL, errno, err);
			free(dir_path);
			return -1;
		}
		dir = next;
	}
	t->dir = dir;
	t->dir_path = dir_path;
	return 0;
}

int
place_find(
    struct place *p, struct target *t, const char *path, struct error *err)
{
	const char *slash;
	size_t len;

	if (path_check(t, path, err) == -1)
		return -1;
	slash = strrchr(path, '/');
	len = slash != NULL ? (size_t)(slash - path) : 0;
	if (t->dir_path == NULL || strlen(t->dir_path) != len ||
	    memcmp(t->dir_path, path, len) != 0) {
		if (enter(t, xstrndup(path, len), err) == -1)
			return -1;
	}
	p->t = t;
	p->path = path;
	p->dir = t->dir;
	p->name = slash != NULL ? slash + 1 : path;
	return 0;
}

int
target_lookup(
    struct target *t, const char *path, struct stat *st, struct error *err)
{
	struct place p;

	if (place_find(&p, t, path, err) == -1)
		return errno == ENOENT ? 1 : -1;
	if (fstatat(p.dir, p.name, st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (errno == ENOENT)
		return 1;
	return target_fail(t, path, NULL, errno, err);
}
