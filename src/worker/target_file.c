/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "util/xalloc.h"
#include "worker/target.h"
#include "worker/target_impl.h"

struct target_file *
target_file_new(const struct place *p, int fd, const char *token, uint32_t seq,
    struct error *err)
{
	struct target_file *f;
	int dir = fcntl(p->dir, F_DUPFD_CLOEXEC, 3);

	if (dir == -1) {
		target_fail(p->t, p->path, NULL, errno, err);
		close_quietly(fd);
		return NULL;
	}
	/*
	 * For target_file_claim(): a worker may outlive its control process,
	 * and so its token, by a moment. Where there are no locks, so be it.
	 */
	flock(fd, LOCK_EX | LOCK_NB);
	f = xcalloc(1, sizeof(*f));
	f->place.t = p->t;
	f->path = xstrdup(p->path);
	f->place.path = f->path;
	f->place.name = f->path + (p->name - p->path);
	f->place.dir = dir;
	f->fd = fd;
	temp_name_make(f->temp, sizeof(f->temp), p->name, token, seq);
	return f;
}

int
target_file_create(struct target *t, const char *path, const char *token,
    uint32_t seq, struct target_file **out, struct error *err)
{
	char temp[TEMP_NAME_SIZE];
	struct place p;
	int fd;

	if (place_find(&p, t, path, err) == -1 ||
	    place_check_free(&p, err) == -1)
		return -1;
	temp_name_make(temp, sizeof(temp), p.name, token, seq);
	fd = openat(p.dir, temp,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC,
	    0600);
	if (fd == -1)
		return target_fail(t, path, NULL, errno, err);
	*out = target_file_new(&p, fd, token, seq, err);
	if (*out == NULL) {
		unlink_quietly(p.dir, temp);
		return -1;
	}
	return 0;
}

int
target_file_fd(const struct target_file *f)
{
	return f->fd;
}

/* Returns 0 if the temporary's name still leads to the file, or -1. */
static int
check_temp(const struct target_file *f, struct error *err)
{
	const struct place *p = &f->place;
	struct stat file, entry;

	if (fstat(f->fd, &file) == -1 ||
	    fstatat(p->dir, f->temp, &entry, AT_SYMLINK_NOFOLLOW) == -1)
		return target_fail(p->t, p->path, NULL, errno, err);
	if (file.st_dev == entry.st_dev && file.st_ino == entry.st_ino)
		return 0;
	return target_fail(p->t, p->path,
	    "the temporary file was replaced by another", ESTALE, err);
}

int
target_file_commit(struct target_file *f, mode_t mode,
    const struct timespec *mtime, const char *backup_suffix, struct error *err)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};
	const struct place *p = &f->place;
	int fd = f->fd;

	if (backup_suffix != NULL &&
	    place_check_backup(p, backup_suffix, err) == -1)
		return -1;
	if (mtime != NULL)
		times[1] = *mtime;
	if (fchmod(fd, mode & 07777) == -1 ||
	    (mtime != NULL && futimens(fd, times) == -1))
		return target_fail(p->t, p->path, NULL, errno, err);
	if (check_temp(f, err) == -1)
		return -1;
	/* A network file system may report only here that it has no room. */
	f->fd = -1;
	if (close(fd) == -1 && errno != EINTR)
		return target_fail(p->t, p->path, NULL, errno, err);
	if (place_replace(p, f->temp, backup_suffix, err) == -1)
		return -1;
	target_file_discard(f, true);
	return 0;
}

void
target_file_discard(struct target_file *f, bool keep)
{
	if (f == NULL)
		return;
	if (!keep)
		unlink_quietly(f->place.dir, f->temp);
	close_quietly(f->fd);
	close_quietly(f->place.dir);
	free(f->path);
	free(f);
}

int
target_symlink(struct target *t, const char *path, const char *text,
    const char *token, uint32_t seq, const char *backup_suffix,
    struct error *err)
{
	size_t len = strnlen(text, TARGET_LINK_MAX + 1);
	char temp[TEMP_NAME_SIZE];
	struct place p;

	if (place_find(&p, t, path, err) == -1 ||
	    place_check_free(&p, err) == -1)
		return -1;
	if (len == 0 || len > TARGET_LINK_MAX)
		return target_fail(t, path,
		    "the text of the symbolic link is empty or too long",
		    EINVAL, err);
	if (backup_suffix != NULL &&
	    place_check_backup(&p, backup_suffix, err) == -1)
		return -1;
	temp_name_make(temp, sizeof(temp), p.name, token, seq);
	if (symlinkat(text, p.dir, temp) == -1)
		return target_fail(t, path, NULL, errno, err);
	if (place_replace(&p, temp, backup_suffix, err) == 0)
		return 0;
	unlink_quietly(p.dir, temp);
	return -1;
}
