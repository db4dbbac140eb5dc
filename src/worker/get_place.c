/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "worker/get_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "util/clock.h"
#include "util/fdio.h"
#include "util/xalloc.h"
#include "worker/session.h"
#include "worker/transfer.h"

static bool
is_directory_here(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Whether a template's path can be that of a file. */
static bool
may_be_file(const char *path, const struct get_source *sources, size_t count)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;

	return count == 1 && !sources[0].is_glob && !sources[0].has_slash &&
	    target_name_is_safe(name, strlen(name)) && !is_directory_here(path);
}

void
get_place_init(struct get_place *p, struct transfer *t,
    const struct get_source *sources, size_t count)
{
	const struct msg_job *spec = &t->session->spec;
	const char *slash = strrchr(spec->local, '/');

	memset(p, 0, sizeof(*p));
	p->t = t;
	p->is_named = transfer_has(t, TRANSFER_NAMED);
	p->below = xstrdup(p->is_named ? "" : spec->local_below);
	if (!p->is_named || !may_be_file(spec->local, sources, count)) {
		p->base = xstrdup(spec->local);
		return;
	}
	p->name = xstrdup(slash != NULL ? slash + 1 : spec->local);
	p->base = slash == NULL ? xstrdup("")
	    : slash == spec->local
	    ? xstrdup("/")
	    : xstrndup(spec->local, (size_t)(slash - spec->local));
}

void
get_place_clear(struct get_place *p)
{
	target_close(p->target);
	free(p->base);
	free(p->below);
	free(p->name);
	free(p->parent);
	memset(p, 0, sizeof(*p));
}

/* --- names --------------------------------------------------------------- */

char *
get_place_path(struct get_place *p, const struct get_source *source,
    const char *remote, bool is_directory)
{
	const char *slash;

	if (strcmp(remote, "/") == 0 || strcmp(remote, ".") == 0)
		return xstrdup("");
	if (!p->is_named)
		return xstrdup(remote[0] == '/' ? remote + 1 : remote);
	if (is_directory && p->name != NULL) {
		free(p->name);
		free(p->base);
		p->name = NULL;
		p->base = xstrdup(p->t->session->spec.local);
	}
	if (is_directory && source->has_slash)
		return xstrdup("");
	slash = strrchr(remote, '/');
	return xstrdup(p->name != NULL ? p->name
		: slash != NULL	       ? slash + 1
				       : remote);
}

char *
get_place_shown(const struct get_place *p, const char *path)
{
	char *root, *shown;

	root = p->below[0] == '\0' ? xstrdup(p->base)
	    : p->base[0] == '\0'   ? xstrdup(p->below)
				   : get_join(p->base, p->below);
	if (path[0] == '\0' && root[0] != '\0')
		return root;
	if (path[0] == '\0')
		shown = xstrdup(".");
	else if (root[0] == '\0')
		shown = xstrdup(path);
	else
		shown = get_join(root, path);
	free(root);
	return shown;
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
	p->target = target_open(p->base, p->below, &err);
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
	p->has_parent = place_open(p) == 0 && make_parent(p) == 0;
	return p->has_parent ? 0 : -1;
}

int
get_place_lookup(struct get_place *p, const char *path, struct stat *st)
{
	struct error err;
	char *root;
	bool is_there;

	if (p->target == NULL) {
		root = get_place_shown(p, "");
		is_there = is_directory_here(root);
		free(root);
		if (!is_there || place_open(p) == -1)
			return -1;
	}
	return target_lookup(p->target, path, st, &err) == 0 ? 0 : -1;
}

bool
get_place_is_current(struct get_place *p, const struct msg_entry *e)
{
	struct stat st;

	return e->type == ENTRY_FILE && e->mtime_s != 0 &&
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
	if (errnum == ENOSPC || errnum == EDQUOT)
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
