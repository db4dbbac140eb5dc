/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The directories that the walk is in are a stack of levels, each with the
 * names that are in it, sorted, and how many of them are done. visit() looks
 * at one name: it writes its entry, or pushes a level for it, or leaves it
 * out. Its functions return 0 for all of that, and -1 only where the walk
 * as a whole has failed.
 */
#include "config.h"

#include "control/manifest_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/manifest_level.h"
#include "util/digest.h"
#include "util/escape.h"
#include "util/fdio.h"
#include "util/log.h"
#include "util/xalloc.h"

/* Lines on stderr about what is left out, and as many about special files. */
#define LINES_MAX 20
/* Levels whose descriptors stay open, seen from the deepest. */
#define OPEN_LEVELS_MAX 64

/* A path is said up to here, so that the reason stands in the line too. */
#define PATH_SHOWN_MAX 400

#define CHANGED	       "changed while it was read"

void
walk_init(struct walk *w, struct manifest *m,
    const struct manifest_options *options, struct entry_file *out)
{
	memset(w, 0, sizeof(*w));
	w->m = m;
	w->options = options;
	w->out = out;
}

void
walk_end(struct walk *w)
{
	if (w->m->left_out > LINES_MAX)
		log_error("%" PRIu64 " more files or directories are left out",
		    w->m->left_out - LINES_MAX);
	if (w->specials > LINES_MAX)
		log_warn("%" PRIu64 " more special files, not sent",
		    w->specials - LINES_MAX);
	while (w->depth > 0)
		walk_level_clear(&w->levels[--w->depth]);
	free(w->levels);
}

/* Append a name to the path. Returns 0, or -1 if no path is that long. */
static int
source_add(struct walk *w, const char *name)
{
	size_t len = strlen(name);
	bool has_slash = w->len == 0 || w->source[w->len - 1] == '/';

	if (len >= sizeof(w->source) - w->len - !has_slash)
		return -1;
	if (!has_slash)
		w->source[w->len++] = '/';
	memcpy(w->source + w->len, name, len + 1);
	w->len += len;
	return 0;
}

static void
source_cut(struct walk *w, size_t len)
{
	w->len = len;
	w->source[len] = '\0';
}

/* "path: text", where path is where the walk is, or name in there. */
static char *
describe(const struct walk *w, const char *name, const char *text)
{
	char *path, *line;
	bool is_long;

	path = xasprintf("%s%s%s", w->source, name != NULL ? "/" : "",
	    name != NULL ? name : "");
	is_long = strlen(path) > PATH_SHOWN_MAX;
	line = xasprintf(
	    "%.*s%s: %s", PATH_SHOWN_MAX, path, is_long ? "..." : "", text);
	free(path);
	return line;
}

/*
 * What the walk is at, or name in it, cannot be sent. Returns 0; or -1 with
 * err if that is all there would have been.
 */
static int
leave_out(struct walk *w, const char *name, const char *why, struct error *err)
{
	char *line = describe(w, name, why), *escaped;
	struct manifest *m = w->m;

	if (w->depth == 0 && w->is_alone) {
		error_set(err, "-local %s", line);
		free(line);
		return -1;
	}
	if (m->left_out++ < LINES_MAX) {
		escaped = escape_string(line);
		log_error("%s", escaped);
		free(escaped);
	}
	if (m->left_out_why == NULL)
		m->left_out_why = line;
	else
		free(line);
	return 0;
}

static int
pass_over_special(struct walk *w, mode_t mode, struct error *err)
{
	const char *kind = S_ISFIFO(mode) ? "a fifo, not sent"
	    : S_ISSOCK(mode)		  ? "a socket, not sent"
					  : "a device, not sent";
	char *line = describe(w, NULL, kind), *escaped;
	int rc = 0;

	if (w->depth == 0 && w->is_alone) {
		rc = error_set(err, "-local %s", line);
	} else if (w->specials++ < LINES_MAX) {
		escaped = escape_string(line);
		log_warn("%s", escaped);
		free(escaped);
	}
	free(line);
	return rc;
}

/* Why what was just looked at does not open. */
static const char *
open_reason(int error)
{
	return error == ELOOP || error == ENOTDIR ? CHANGED : strerror(error);
}

static void
entry_fill(struct msg_entry *e, const struct walk *w, enum entry_type type,
    const struct stat *st)
{
	memset(e, 0, sizeof(*e));
	e->type = type;
	e->mode = st->st_mode & 07777;
	e->mtime_s = (uint64_t)st->st_mtim.tv_sec;
	e->mtime_ns = (uint32_t)st->st_mtim.tv_nsec;
	e->ctime_s = (uint64_t)st->st_ctim.tv_sec;
	e->ctime_ns = (uint32_t)st->st_ctim.tv_nsec;
	e->dev = st->st_dev;
	e->ino = st->st_ino;
	e->path = w->source + w->below;
	e->source = w->source;
}

static bool
is_same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/*
 * Fill e for the open file; e->sha256 gets its bytes from sha256. Returns
 * NULL, or the reason why it cannot be sent.
 */
static const char *
file_examine(const struct walk *w, int fd, struct msg_entry *e,
    uint8_t sha256[static DIGEST_BYTES])
{
	struct stat st, after;
	uint64_t size;

	if (fstat(fd, &st) == -1)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return CHANGED;
	entry_fill(e, w, ENTRY_FILE, &st);
	e->size = (uint64_t)st.st_size;
	if (!w->options->has_hash)
		return NULL;
	if (digest_file(fd, sha256, &size) == -1 || fstat(fd, &after) == -1)
		return strerror(errno);
	if (size != e->size || after.st_size != st.st_size ||
	    !is_same_time(st.st_mtim, after.st_mtim) ||
	    !is_same_time(st.st_ctim, after.st_ctim))
		return CHANGED;
	e->sha256.data = sha256;
	e->sha256.len = DIGEST_BYTES;
	return NULL;
}

/* What is at path, with all below, is read from there. */
static void
add_tree(struct walk *w, const char *path)
{
	struct buf *trees = &w->m->trees;

	if (w->has_all || buf_append(trees, path, strlen(path) + 1) == 0)
		return;
	buf_clear(trees);
	buf_append(trees, "/", 2);
	w->has_all = true;
	if (w->options->has_sandbox)
		log_warn("the names of what is sent take too much room for the "
			 "sandbox: workers can read all files that you can");
}

/* is_link: a symlink, to be followed to the end. */
static int
visit_file(
    struct walk *w, int dir, const char *name, bool is_link, struct error *err)
{
	char *target = is_link ? realpath(w->source, NULL) : NULL;
	uint8_t sha256[DIGEST_BYTES];
	const char *why;
	struct msg_entry e = {0};
	int fd, rc;

	if (is_link && target == NULL)
		return leave_out(w, NULL, strerror(errno), err);
	/*
	 * A target is absolute, and dir of no account then. Should it be a
	 * fifo by now, O_NONBLOCK does not wait for a writer.
	 */
	fd = openat(dir, target != NULL ? target : name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	why = fd == -1 ? open_reason(errno) : file_examine(w, fd, &e, sha256);
	if (why != NULL) {
		rc = leave_out(w, NULL, why, err);
	} else {
		if (target != NULL)
			e.source = target;
		if (w->depth == 0 || is_link)
			add_tree(w, target != NULL ? target : w->source);
		rc = entry_file_append(w->out, &e, err);
		w->m->files++;
		w->m->bytes += e.size;
	}
	fd_close(&fd);
	free(target);
	return rc;
}

static int
visit_symlink(struct walk *w, int dir, const char *name, const struct stat *st,
    struct error *err)
{
	char link[PATH_MAX];
	struct msg_entry e;
	ssize_t len;

	len = readlinkat(dir, name, link, sizeof(link));
	if (len == -1)
		return leave_out(
		    w, NULL, errno == EINVAL ? CHANGED : strerror(errno), err);
	if ((size_t)len == sizeof(link))
		return leave_out(w, NULL, strerror(ENAMETOOLONG), err);
	link[len] = '\0';
	entry_fill(&e, w, ENTRY_SYMLINK, st);
	e.link = link;
	w->m->files++;
	return entry_file_append(w->out, &e, err);
}

/* Enter the directory l, of which w now owns all. */
static int
level_push(struct walk *w, const struct walk_level *l, struct error *err)
{
	struct msg_entry e;

	/* One that goes under its name, or only its content. */
	if (w->depth == 0 && w->below < w->len)
		w->m->is_into = true;
	else if (w->depth == 0)
		w->m->is_root = !w->m->is_into;
	if (w->depth == w->room) {
		w->room = w->room > 0 ? w->room * 2 : 16;
		w->levels =
		    xreallocarray(w->levels, w->room, sizeof(*w->levels));
	}
	if (w->depth >= OPEN_LEVELS_MAX)
		fd_close(&w->levels[w->depth - OPEN_LEVELS_MAX].fd);
	w->levels[w->depth++] = *l;
	entry_fill(&e, w, ENTRY_DIR, &l->st);
	return entry_file_append(w->out, &e, err);
}

static int
level_pop(struct walk *w, struct error *err)
{
	struct walk_level *l = &w->levels[--w->depth];
	struct msg_entry e;

	entry_fill(&e, w, ENTRY_DIR_END, &l->st);
	walk_level_clear(l);
	return entry_file_append(w->out, &e, err);
}

/* Whether a directory is one of those that the walk is in. */
static bool
is_loop(const struct walk *w, const struct stat *st)
{
	size_t i;

	for (i = 0; i < w->depth; i++) {
		if (walk_level_is(&w->levels[i], st))
			return true;
	}
	return false;
}

static int
visit_dir(
    struct walk *w, int dir, const char *name, bool is_link, struct error *err)
{
	const char *why = NULL;
	struct walk_level l;

	walk_level_init(&l, w->len);
	l.fd = openat(dir, name,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC | (is_link ? 0 : O_NOFOLLOW));
	if (l.fd == -1)
		why = open_reason(errno);
	else if (fstat(l.fd, &l.st) == -1)
		why = strerror(errno);
	else if (w->options->follow && is_loop(w, &l.st))
		why = "a loop of symbolic links";
	else if (walk_level_read(&l) == -1)
		why = strerror(errno);
	if (why == NULL && (w->depth == 0 || is_link))
		add_tree(w, w->source);
	if (why == NULL)
		return level_push(w, &l, err);
	walk_level_clear(&l);
	return leave_out(w, NULL, why, err);
}

/* Look at name in the directory dir; it is where w->source says. */
static int
visit(struct walk *w, int dir, const char *name, struct error *err)
{
	bool is_link;
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return leave_out(w, NULL, strerror(errno), err);
	is_link = S_ISLNK(st.st_mode);
	if (is_link && !w->options->follow)
		return visit_symlink(w, dir, name, &st, err);
	if (is_link && fstatat(dir, name, &st, 0) == -1)
		return leave_out(w, NULL,
		    errno == ENOENT ? "a symbolic link to nothing"
				    : strerror(errno),
		    err);
	if (S_ISREG(st.st_mode))
		return visit_file(w, dir, name, is_link, err);
	if (S_ISDIR(st.st_mode))
		return visit_dir(w, dir, name, is_link, err);
	return pass_over_special(w, st.st_mode, err);
}

/* Go through all that is in the levels. */
static int
walk_levels(struct walk *w, struct error *err)
{
	struct walk_level *l;
	const char *name;
	int rc = 0;

	while (rc == 0 && w->depth > 0) {
		l = &w->levels[w->depth - 1];
		source_cut(w, l->len);
		if (l->next == l->count) {
			rc = level_pop(w, err);
			continue;
		}
		name = l->names[l->next++];
		if (walk_level_open(l, w->source) == -1) {
			l->next = l->count;
			rc = leave_out(w, NULL, CHANGED, err);
		} else if (source_add(w, name) == -1) {
			rc = leave_out(w, name, "path too long", err);
		} else {
			rc = visit(w, l->fd, name, err);
		}
	}
	return rc;
}

int
walk_local(
    struct walk *w, const char *local, const char *name, struct error *err)
{
	source_cut(w, 0);
	if (source_add(w, local) == -1 ||
	    (name == NULL && source_add(w, "") == -1))
		return error_set(err, "-local %s: path too long", local);
	w->below = name != NULL ? (size_t)(name - local) : w->len;
	if (visit(w, AT_FDCWD, w->source, err) == -1)
		return -1;
	return walk_levels(w, err);
}
