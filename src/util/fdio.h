/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fdio: small helpers for file descriptors. */
#ifndef UTIL_FDIO_H
#define UTIL_FDIO_H

#include <stddef.h>
#include <sys/types.h>

#include "util/buf.h"
#include "util/error.h"

/* Set O_NONBLOCK; fatal() on failure, which only a bad descriptor causes. */
void fd_set_nonblock(int fd);

/* close() if fd is not -1, and set it to -1. */
void fd_close(int *fd);

/*
 * Write as much of b as fd takes without blocking, and consume it.
 * Returns 0 (b may still hold bytes), or -1 with errno set.
 */
int fd_flush(int fd, struct buf *b);

/*
 * Append up to max_bytes from fd to b. Returns the number of bytes read, 0 at
 * end of file, or -1 with errno set (EAGAIN: nothing there now; ENOBUFS: b is
 * full).
 */
ssize_t fd_fill(int fd, struct buf *b, size_t max_bytes);

/*
 * Append all that fd has until its end to b. Returns 0, or -1 with errno set
 * (ENOBUFS: b is too small for it; its maximum has to be larger by
 * FD_READ_BYTES than what is to be read).
 */
#define FD_READ_BYTES 65536u
int fd_read_all(int fd, struct buf *b);

/* For temporary files: $TMPDIR if that is an absolute path, else /tmp. */
const char *fd_temporary_dir(void);

/*
 * Make a directory there that only its owner may use. Returns its path, for
 * fd_temporary_dir_remove(), or NULL with err.
 */
char *fd_temporary_dir_make(struct error *err);

/* Remove it, and the files in it, and free path; NULL is fine. */
void fd_temporary_dir_remove(char *path);

/*
 * A new, empty file without a name, in fd_temporary_dir(). Returns a
 * descriptor to read and write it, and in *read_only, unless that is NULL, a
 * second one that can only read it, with an offset of its own; both are closed
 * on exec and owned by the caller. Or returns -1 with err, and then *read_only
 * is -1.
 */
int fd_temporary(int *read_only, struct error *err);

/* Write all of b to such a file. Returns 0, or -1 with err. */
int fd_temporary_write(int fd, struct buf *b, struct error *err);

/*
 * Read a whole file of at most max_bytes. Returns the content, NUL-terminated
 * and owned by the caller, its length in *len; or NULL with err filled with
 * the path and the reason.
 */
char *file_read(
    const char *path, size_t max_bytes, size_t *len, struct error *err);

/* Expand a leading "~/" with $HOME (or the passwd entry); caller frees. */
char *path_expand_home(const char *path);

#endif
