/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * target: a local directory that a get writes into, while the server chooses
 * the names.
 *
 * Nothing outside the root is created, changed or followed to: every name is
 * checked, every directory is opened from the one above it and must be a real
 * directory, never a symbolic link, and every file is made under the name of
 * a temporary (worker/temp_name.h) that did not exist before, then renamed
 * onto its target. What stands at the target is replaced, not opened: a
 * symbolic link there is replaced too, a directory never is.
 *
 * path is relative to the root: "a/b/c", components with one "/" between.
 * Each must pass target_name_is_safe() and must not be the name of a
 * temporary. All but the last must exist as directories.
 *
 * A function that fails returns -1 (or NULL), with err filled and errno set
 * to the cause: ENOSPC, EDQUOT and so on as the kernel gave them; EINVAL for
 * a bad name, ELOOP for a symbolic link and ENOTDIR for another file in place
 * of a directory, EISDIR for a directory in place of a file. The path in err
 * is base/below/path as the user knows it, cut at its front if it is long; it
 * may hold any bytes.
 *
 * One directory, the last used, stays open between calls: files are best
 * given sorted by directory.
 */
#ifndef WORKER_TARGET_H
#define WORKER_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "util/error.h"

/* The longest path below the root, with its NUL. */
#define TARGET_PATH_SIZE 4096
/* The longest text of a symbolic link, without NUL. */
#define TARGET_LINK_MAX 4095
/* Entries of a directory that target_clean() looks at. */
#define TARGET_CLEAN_MAX 10000
/* Entries of a directory that target_file_claim() looks at. */
#define TARGET_CLAIM_MAX 100000

struct target;
struct target_file;

/*
 * Whether the len bytes at name can be one component of a path: not empty,
 * not "." or "..", without "/" and NUL, at most 255 bytes.
 */
bool target_name_is_safe(const char *name, size_t len);

/*
 * Open the root, base/below. base is the user's directory, "" for the current
 * one; it may lead through symbolic links. below is a relative path, or "",
 * whose components must be real directories. What is missing is made with
 * mode 0777 less the umask. The caller ends with target_close().
 */
struct target *target_open(
    const char *base, const char *below, struct error *err);
/* NULL is fine. All its files have to be closed before. */
void target_close(struct target *t);

/*
 * What stands at path, not following a symbolic link. Returns 0 with *st
 * filled; 1 if it, or a directory above it, does not exist; or -1.
 */
int target_lookup(
    struct target *t, const char *path, struct stat *st, struct error *err);

/*
 * Make one directory with mode & 0777 less the umask. To be able to write
 * into it, make it with 0700 and set its own mode in target_dir_finish().
 * Returns 1 if it was made, 0 if it was there already, or -1.
 */
int target_mkdir(
    struct target *t, const char *path, mode_t mode, struct error *err);

/*
 * Set the mode (mode & 0777, and S_ISGID as it is) and, unless mtime is NULL
 * or the file system does not let us, the time of modification of a directory
 * that target_mkdir() made, when all is in it. Returns 0 or -1.
 */
int target_dir_finish(struct target *t, const char *path, mode_t mode,
    const struct timespec *mtime, struct error *err);

/*
 * Remove from the directory at path, "" for the root, the caller's own files
 * that are stale temporaries (see temp_name_is_stale()). Looks at no more
 * than TARGET_CLEAN_MAX entries. Returns how many were removed, or -1.
 */
int target_clean(
    struct target *t, const char *path, int64_t now_s, struct error *err);

/*
 * Make a symbolic link at path, whatever its text, 1 to TARGET_LINK_MAX
 * bytes, says: it is never followed here. token and seq name the temporary
 * and must not be in use for another; backup_suffix is as for
 * target_file_commit(). Returns 0; or -1, and no temporary is left.
 */
int target_symlink(struct target *t, const char *path, const char *text,
    const char *token, uint32_t seq, const char *backup_suffix,
    struct error *err);

/*
 * Make an empty temporary of mode 0600 for the file at path; token and seq
 * name it and must not be in use for another. Returns 0 with *out to be
 * closed by target_file_commit() or target_file_discard(), or -1.
 */
int target_file_create(struct target *t, const char *path, const char *token,
    uint32_t seq, struct target_file **out, struct error *err);

/*
 * Take over a stale temporary that an earlier run left for the file at path:
 * a regular file of the caller's with one name, that no process has open as a
 * target_file. It gets the name made of token and seq. Of several processes
 * that try at the same time, one succeeds. What it holds is for the caller
 * to check: it may be of another file (see worker/temp_name.h), and an
 * attribute of it may have been set already.
 *
 * A directory is read once, when the first file in it is asked for; what is
 * left there later is not seen until another directory was used.
 *
 * Returns 1 with *out as from target_file_create() and its size in *bytes; 0
 * if there is none; or -1.
 */
int target_file_claim(struct target *t, const char *path, const char *token,
    uint32_t seq, struct target_file **out, uint64_t *bytes, struct error *err);

/* The descriptor, open for reading and writing; it stays the file's. */
int target_file_fd(const struct target_file *f);

/*
 * Put the file at its path: set mode & 07777 (what a server says is for the
 * caller to cut) and, unless it is NULL, the time of modification, and rename
 * it there. With backup_suffix, not NULL, what
 * stood at path is kept under that name with the suffix; an older backup is
 * replaced. path exists all the time, as the old file or the new one, unless
 * the old one has to be kept where hard links are not possible.
 * Returns 0 and frees f; or -1, and f is to be discarded.
 */
int target_file_commit(struct target_file *f, mode_t mode,
    const struct timespec *mtime, const char *backup_suffix, struct error *err);

/*
 * Close and free f, and remove the temporary unless keep is set, for a later
 * run to claim it. errno is left as it is. NULL is fine.
 */
void target_file_discard(struct target_file *f, bool keep);

#endif
