/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fs: the files of a host. Its directory is the root of what a client sees;
 * the kernel resolves every path below it as chroot(2) would, symlinks too
 * (openat2(2) with RESOLVE_IN_ROOT), so nothing leads out of it.
 *
 * A client's path that begins with the real path of the directory means the
 * same file: so one path fits SFTP and a command that exec-sha runs.
 *
 * Unless said otherwise these return -1 with errno set.
 */
#ifndef TESTS_SIMHOST_FS_H
#define TESTS_SIMHOST_FS_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "simhost_script.h"
#include "util/error.h"

/* A path from the root, without slash at either end; "." is the root. */
struct fs_path {
	char text[PATH_MAX];
};

/* Make the host's directory, root/ADDRESS, if it is missing. Fills err. */
int fs_make_root(const struct host *h, const char *root, struct error *err);
/*
 * The same, and open it, unless that was done before. To be called before what
 * follows. Fills err.
 */
int fs_root(struct host *h, const char *root, struct error *err);

/*
 * What a client sent; it may hold any byte. EACCES for "..", EINVAL for NUL,
 * ENAMETOOLONG.
 */
int fs_path_parse(const struct host *h, const uint8_t *data, size_t len,
    struct fs_path *path);

/* open(2), always close-on-exec; never waits for a FIFO's other end. */
int fs_open(
    const struct host *h, const struct fs_path *path, int flags, mode_t mode);

int fs_lstat(const struct host *h, const struct fs_path *path, struct stat *st);
int fs_stat(const struct host *h, const struct fs_path *path, struct stat *st);

/*
 * The directory that holds path, as an O_PATH descriptor, and in *name the last
 * component: for the calls of the mkdirat(2) kind.
 */
int fs_parent(
    const struct host *h, const struct fs_path *path, const char **name);

#endif
