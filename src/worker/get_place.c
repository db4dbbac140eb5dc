/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "worker/get_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "util/clock.h"
#include "util/fdio.h"
#include "util/path.h"
#include "util/xalloc.h"
#include "worker/session.h"
#include "worker/transfer.h"

void
get_place_init(struct get_place *p, struct transfer *t,
    const struct get_source *sources, size_t count)
{
	const struct msg_job *spec = &t->session->spec;
	size_t len = strlen(spec->local_below);
	bool has_slash = len > 0 && spec->local_below[len - 1] == '/';
	struct stat st;

	memset(p, 0, sizeof(*p));
	p->t = t;
	p->base = xstrdup(spec->local);
	p->prefix = xstrndup(spec->local_below, has_slash ? len - 1 : len);
	p->is_named = transfer_has(t, TRANSFER_NAMED);
	p->is_file = p->is_named && count == 1 && !sources[0].is_glob &&
	    !sources[0].has_slash && !has_slash &&
	    (get_place_lookup(p, p->prefix, &st) == -1 || !S_ISDIR(st.st_mode));
}

void
get_place_clear(struct get_place *p)
{
	target_close(p->target);
	free(p->base);
	free(p->prefix);
	free(p->parent);
	memset(p, 0, sizeof(*p));
}

/* --- names --------------------------------------------------------------- */

char *
get_place_path(struct get_place *p, const struct get_source *source,
    const char *remote, bool is_directory)
{
	if (is_directory)
		p->is_file = false;
	if (p->is_file || (p->is_named && is_directory && source->has_slash) ||
	    strcmp(remote, "/") == 0 || strcmp(remote, ".") == 0)
		return xstrdup(p->prefix);
	if (!p->is_named)
		return path_join(p->prefix, remote + (remote[0] == '/'));
	return path_join(p->prefix, path_base(remote));
}

char *
get_place_shown(const struct get_place *p, const char *path)
{
	return p->base[0] != '\0' ? path_join(p->base, path) : xstrdup(path);
}

/* --- directories --------------------------------------------------------- */

/* Returns 0, or -1: the user was told, once. */
static int
place_open(struct get_place *p)
{
	struct error err;

	if (p->target != NULL)
		return 0;
	if (p->is_failed)
		return -1;
	p->target = target_open(p->base, "", &err);
	if (p->target != NULL)
		return 0;
	p->is_failed = true;
	get_place_failed(p, &err);
	return -1;
}

/* Make every directory of path that is missing. Returns 0 or -1 with err. */
static int
make_path(struct get_place *p, const char *path, struct error *err)
{
	char *part = xstrdup(path), *end = part, kept;
	int rc = 0;

	do {
		end += strcspn(end, "/");
		kept = *end;
		*end = '\0';
		rc = target_mkdir(p->target, part, 0777, err);
		*end = kept;
		if (kept != '\0')
			end++;
	} while (rc != -1 && *end != '\0');
	free(part);
	return rc == -1 ? -1 : 0;
}

/*
 * Make what leads to the prefix, once, and see that nothing else stands at a
 * directory's place there. Returns 0, or -1: the user was told, once.
 */
static int
prefix_make(struct get_place *p)
{
	const char *slash = strrchr(p->prefix, '/');
	char *parent = xstrndup(
	    p->prefix, slash != NULL ? (size_t)(slash - p->prefix) : 0);
	struct error err;
	struct stat st;
	int rc = 0;

	if (parent[0] != '\0')
		rc = make_path(p, parent, &err);
	if (rc == 0 && !p->is_file &&
	    target_lookup(p->target, p->prefix, &st, &err) == 0 &&
	    !S_ISDIR(st.st_mode))
		rc = target_mkdir(p->target, p->prefix, 0777, &err);
	free(parent);
	p->has_prefix = rc != -1;
	p->is_failed = rc == -1;
	if (p->is_failed)
		get_place_failed(p, &err);
	return p->is_failed ? -1 : 0;
}

/* Returns 0, or -1: the user was told, once. */
static int
place_ready(struct get_place *p)
{
	if (place_open(p) == -1 || p->is_failed)
		return -1;
	return p->has_prefix ? 0 : prefix_make(p);
}

static int
make_parent(struct get_place *p)
{
	struct error err;
	struct stat st;
	bool is_there = true;

	if (p->parent[0] != '\0')
		is_there =
		    target_lookup(p->target, p->parent, &st, &err) == 0 &&
		    S_ISDIR(st.st_mode);
	if (!is_there) {
		if (make_path(p, p->parent, &err) == 0)
			return 0;
		get_place_failed(p, &err);
		return -1;
	}
	/* One that can't be read or cleaned is no reason to fetch nothing. */
	if (!transfer_has(p->t, TRANSFER_RESUME))
		target_clean(p->target, p->parent,
		    (int64_t)(clock_wall_ms() / 1000), &err);
	return 0;
}

int
get_place_parent(struct get_place *p, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash != NULL ? (size_t)(slash - path) : 0;

	if (p->parent != NULL && strncmp(p->parent, path, len) == 0 &&
	    p->parent[len] == '\0')
		return p->has_parent ? 0 : -1;
	free(p->parent);
	p->parent = xstrndup(path, len);
	p->has_parent = place_ready(p) == 0 && make_parent(p) == 0;
	return p->has_parent ? 0 : -1;
}

int
get_place_lookup(struct get_place *p, const char *path, struct stat *st)
{
	const char *base = p->base[0] != '\0' ? p->base : ".";
	struct error err;

	/* It may be behind links: the user's, not the server's. */
	if (p->target == NULL &&
	    (stat(base, st) == -1 || !S_ISDIR(st->st_mode) ||
		place_open(p) == -1))
		return -1;
	return target_lookup(p->target, path, st, &err) == 0 ? 0 : -1;
}

bool
get_place_is_current(struct get_place *p, const struct msg_entry *e)
{
	struct stat st;

	return e->type == ENTRY_FILE && e->mtime_s != GET_TIME_UNKNOWN &&
	    get_place_lookup(p, e->path, &st) == 0 && S_ISREG(st.st_mode) &&
	    (uint64_t)st.st_size == e->size &&
	    (uint64_t)st.st_mtim.tv_sec == e->mtime_s;
}

int
get_place_open_file(struct get_place *p, const char *path, uint64_t size)
{
	struct stat st, opened;
	char *shown;
	int fd;

	if (get_place_lookup(p, path, &st) == -1 || !S_ISREG(st.st_mode))
		return -1;
	shown = get_place_shown(p, path);
	fd = open(
	    shown, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	free(shown);
	/*
	 * The lookup has not followed any link below the root; what is not the
	 * file that it saw is not taken.
	 */
	if (fd != -1 &&
	    (fstat(fd, &opened) == -1 || opened.st_dev != st.st_dev ||
		opened.st_ino != st.st_ino || (uint64_t)opened.st_size != size))
		fd_close(&fd);
	return fd;
}

/* --- failures ------------------------------------------------------------ */

static void
note_full(struct get_place *p, int errnum)
{
	if (errnum == ENOSPC || errnum == EDQUOT || errnum == EMFILE ||
	    errnum == ENFILE)
		p->is_full = true;
}

void
get_place_failed(struct get_place *p, const struct error *err)
{
	char *path;
	const char *reason = err->text, *at;

	note_full(p, errno);
	/* "PATH: REASON", and the reason has no ": " in it. */
	while ((at = strstr(reason, ": ")) != NULL)
		reason = at + 2;
	path = xstrndup(err->text,
	    reason > err->text ? (size_t)(reason - 2 - err->text) : 0);
	transfer_failed(p->t, STATUS_ERROR, path, "%s", reason);
	free(path);
}

void
get_place_file_failed(struct get_place *p, const char *path, int errnum)
{
	char *shown = get_place_shown(p, path);

	note_full(p, errnum);
	transfer_failed(p->t, STATUS_ERROR, shown, "%s", strerror(errnum));
	free(shown);
}
