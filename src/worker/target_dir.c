/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "worker/target.h"
#include "worker/target_impl.h"

int
target_mkdir(struct target *t, const char *path, mode_t mode, struct error *err)
{
	struct place p;
	struct stat st;

	if (place_find(&p, t, path, err) == -1)
		return -1;
	if (mkdirat(p.dir, p.name, mode & 0777) == 0)
		return 1;
	if (errno != EEXIST)
		return target_fail(t, path, NULL, errno, err);
	if (fstatat(p.dir, p.name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return target_fail(t, path, NULL, errno, err);
	if (S_ISDIR(st.st_mode))
		return 0;
	return target_fail(
	    t, path, NULL, S_ISLNK(st.st_mode) ? ELOOP : ENOTDIR, err);
}

int
target_dir_finish(struct target *t, const char *path, mode_t mode,
    const struct timespec *mtime, struct error *err)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};
	struct place p;
	struct stat st;
	int fd, rc = 0;

	if (place_find(&p, t, path, err) == -1)
		return -1;
	fd = dir_open_at(p.dir, p.name, O_RDONLY);
	if (fd == -1)
		return target_fail(t, path, NULL, errno, err);
	if (mtime != NULL)
		times[1] = *mtime;
	/* The group may be inherited: so it stays for what is put into it. */
	if (fstat(fd, &st) == -1 ||
	    fchmod(fd, (mode & 0777) | (st.st_mode & S_ISGID)) == -1 ||
	    (mtime != NULL && futimens(fd, times) == -1 && errno != EPERM))
		rc = target_fail(t, path, NULL, errno, err);
	close_quietly(fd);
	return rc;
}

DIR *
dir_read(int dir)
{
	/* Another open file: the offset of the reading is not shared. */
	int fd = dir_open_at(dir, ".", O_RDONLY);
	DIR *d;

	if (fd == -1)
		return NULL;
	d = fdopendir(fd);
	if (d == NULL)
		close_quietly(fd);
	return d;
}

static int
clean(int dir, DIR *d, int64_t now_s)
{
	struct temp_name temp;
	struct dirent *e;
	struct stat st;
	int looked, count = 0;

	for (looked = 0; looked < TARGET_CLEAN_MAX; looked++) {
		e = readdir(d);
		if (e == NULL)
			break;
		if (!temp_name_parse(e->d_name, &temp) ||
		    fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
		    S_ISDIR(st.st_mode) || st.st_uid != geteuid())
			continue;
		if (temp_name_is_stale(&temp, st.st_mtime, now_s) &&
		    unlinkat(dir, e->d_name, 0) == 0)
			count++;
	}
	return count;
}

int
target_clean(
    struct target *t, const char *path, int64_t now_s, struct error *err)
{
	struct place p;
	int dir, count = -1;
	DIR *d;

	if (path[0] == '\0') {
		dir = dir_open_at(t->root, ".", O_PATH);
	} else {
		if (place_find(&p, t, path, err) == -1)
			return -1;
		dir = dir_open_at(p.dir, p.name, O_PATH);
	}
	d = dir != -1 ? dir_read(dir) : NULL;
	if (d != NULL) {
		count = clean(dir, d, now_s);
		closedir(d);
	} else {
		target_fail(t, path, NULL, errno, err);
	}
	close_quietly(dir);
	return count;
}
