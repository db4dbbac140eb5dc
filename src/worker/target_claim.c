/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A stale temporary is claimed by renaming it: of several processes one
 * succeeds, the others find the old name gone. A lock keeps away from a file
 * that a worker still writes to whose control process died just now.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/clock.h"
#include "worker/target.h"
#include "worker/target_impl.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif

/* Remember the temporaries in the directory last used. Returns 0 or -1. */
static int
leftovers_read(struct target *t)
{
	struct leftovers *l = &t->leftovers;
	struct temp_name temp;
	struct dirent *e;
	DIR *d = dir_read(t->dir);
	int looked;

	if (d == NULL && errno != EACCES)
		return -1;
	for (looked = 0; d != NULL && looked < TARGET_CLAIM_MAX; looked++) {
		e = readdir(d);
		if (e == NULL || l->count == LEFTOVER_MAX)
			break;
		if (temp_name_parse(e->d_name, &temp) &&
		    run_token_state(temp.token) != RUN_TOKEN_ALIVE)
			memcpy(l->names[l->count++], e->d_name,
			    strlen(e->d_name) + 1);
	}
	if (d != NULL)
		closedir(d);
	l->is_read = true;
	return 0;
}

/* A regular file of ours that has no other name. */
static bool
is_claimable(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_uid == geteuid() &&
	    st->st_nlink == 1;
}

/* Open and lock the leftover name for target p; -1 if it is not to be had. */
static int
leftover_open(const struct place *p, const char *name, struct stat *st)
{
	const int flags =
	    O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int64_t now_s = (int64_t)(clock_wall_ms() / 1000);
	struct temp_name temp;
	int fd;

	if (!temp_name_parse(name, &temp) || !temp_name_is_of(&temp, p->name) ||
	    fstatat(p->dir, name, st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !is_claimable(st) ||
	    !temp_name_is_stale(&temp, st->st_mtime, now_s))
		return -1;
	fd = openat(p->dir, name, flags);
	if (fd == -1)
		return -1;
	/* Again: it may have become another file, or be another's by now. */
	if (fstat(fd, st) == -1 || !is_claimable(st) ||
	    (flock(fd, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Rename from to to, which must not exist. Returns 0, or -1 with errno. */
static int
rename_new(int dir, const char *from, const char *to)
{
#ifdef SYS_renameat2
	if (syscall(SYS_renameat2, dir, from, dir, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
#endif
	/* Several may make a link, but one removes the old name. */
	if (linkat(dir, from, dir, to, 0) == -1)
		return -1;
	if (unlinkat(dir, from, 0) == 0)
		return 0;
	unlink_quietly(dir, to);
	return -1;
}

/* Returns the descriptor, or -1 if another one was faster. */
static int
leftover_take(
    const struct place *p, const char *from, const char *to, struct stat *st)
{
	int fd = leftover_open(p, from, st);
	struct stat now;

	if (fd == -1)
		return -1;
	if (rename_new(p->dir, from, to) == 0 &&
	    fstatat(p->dir, to, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
	    now.st_dev == st->st_dev && now.st_ino == st->st_ino &&
	    fchmod(fd, 0600) == 0)
		return fd;
	close(fd);
	return -1;
}

int
target_file_claim(struct target *t, const char *path, const char *token,
    uint32_t seq, struct target_file **out, uint64_t *bytes, struct error *err)
{
	char temp[TEMP_NAME_SIZE];
	struct place p;
	struct stat st;
	size_t i;
	int fd = -1;

	if (place_find(&p, t, path, err) == -1 ||
	    place_check_free(&p, err) == -1)
		return -1;
	if (!t->leftovers.is_read && leftovers_read(t) == -1)
		return target_fail(t, path, NULL, errno, err);
	temp_name_make(temp, sizeof(temp), p.name, token, seq);
	for (i = 0; i < t->leftovers.count && fd == -1; i++)
		fd = leftover_take(&p, t->leftovers.names[i], temp, &st);
	if (fd == -1)
		return 0;
	*bytes = (uint64_t)st.st_size;
	*out = target_file_new(&p, fd, token, seq, err);
	return *out != NULL ? 1 : -1;
}
