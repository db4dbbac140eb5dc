/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The old target is kept by a hard link, so that its name is never without a
 * file: link it to a temporary name, rename that over the backup, then rename
 * the new file over the target. Where there are no hard links the old target
 * is renamed to the backup, and for a moment nothing has its name.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/xalloc.h"
#include "worker/target.h"
#include "worker/target_impl.h"

int
place_check_free(const struct place *p, struct error *err)
{
	struct stat st;

	if (fstatat(p->dir, p->name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT
		    ? 0
		    : target_fail(p->t, p->path, NULL, errno, err);
	if (S_ISDIR(st.st_mode))
		return target_fail(p->t, p->path, NULL, EISDIR, err);
	return 0;
}

int
place_check_backup(const struct place *p, const char *suffix, struct error *err)
{
	char *name = xasprintf("%s%s", p->name, suffix);
	struct temp_name temp;
	int rc = 0;

	if (suffix[0] == '\0' || strchr(suffix, '/') != NULL)
		rc = target_fail(p->t, p->path,
		    "the suffix for backups is empty or holds a \"/\"", EINVAL,
		    err);
	else if (!target_name_is_safe(name, strlen(name)))
		rc = target_fail(p->t, p->path,
		    "the name of the backup is too long", ENAMETOOLONG, err);
	else if (temp_name_parse(name, &temp))
		rc = target_fail(p->t, p->path,
		    "the backup has the name of a temporary file", EINVAL, err);
	free(name);
	return rc;
}

/* Whether linkat() failed only for want of hard links. */
static bool
is_without_link(int errnum)
{
	switch (errnum) {
	case EPERM: /* also protected_hardlinks: another user's file */
	case EOPNOTSUPP:
	case ENOSYS:
	case EMLINK:
	case EXDEV:
	case EEXIST: /* the temporary name is taken */
		return true;
	default:
		return false;
	}
}

/*
 * Give the old target, if any, the name backup too, or, with *is_moved set,
 * only that. Returns 0, or -1 with errno.
 */
static int
keep_old(const struct place *p, const char *backup,
    const struct temp_name *temp, bool *is_moved)
{
	char link[TEMP_NAME_SIZE];
	int rc;

	temp_name_make(link, sizeof(link), backup, temp->token, temp->seq);
	if (linkat(p->dir, p->name, p->dir, link, 0) == 0) {
		rc = renameat(p->dir, link, p->dir, backup);
		/* Renaming leaves both names if they are the same file. */
		unlink_quietly(p->dir, link);
		return rc;
	}
	if (errno == ENOENT)
		return 0;
	if (!is_without_link(errno))
		return -1;
	rc = renameat(p->dir, p->name, p->dir, backup);
	*is_moved = rc == 0;
	return rc;
}

int
place_replace(const struct place *p, const char *temp,
    const char *backup_suffix, struct error *err)
{
	char *backup = NULL, *backup_path;
	struct temp_name parsed;
	bool is_moved = false;
	int rc = -1, saved;

	if (place_check_free(p, err) == -1)
		return -1;
	if (backup_suffix != NULL && temp_name_parse(temp, &parsed)) {
		backup = xasprintf("%s%s", p->name, backup_suffix);
		if (keep_old(p, backup, &parsed, &is_moved) == -1) {
			saved = errno;
			backup_path = xasprintf("%s%s", p->path, backup_suffix);
			target_fail(p->t, backup_path, NULL, saved, err);
			free(backup_path);
			goto out;
		}
	}
	rc = renameat(p->dir, temp, p->dir, p->name);
	if (rc == -1) {
		target_fail(p->t, p->path, NULL, errno, err);
		saved = errno;
		if (is_moved)
			renameat(p->dir, backup, p->dir, p->name);
		errno = saved;
	}
out:
	saved = errno;
	free(backup);
	errno = saved;
	return rc;
}
