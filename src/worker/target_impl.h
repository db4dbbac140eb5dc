/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * target_impl: what the files of target share.
 *
 *	target.c	 the root, the way to a file's directory, errors
 *	target_dir.c	 directories: make, finish, clean
 *	target_file.c	 temporaries: create, commit, discard; links
 *	target_claim.c	 temporaries that an earlier run left
 *	target_replace.c a temporary's renaming onto its target, with backup
 */
#ifndef WORKER_TARGET_IMPL_H
#define WORKER_TARGET_IMPL_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"
#include "worker/target.h"
#include "worker/temp_name.h"

/* Temporaries remembered of one directory. */
#define LEFTOVER_MAX 64

/* Temporaries of runs not known to go on, in the directory last used. */
struct leftovers {
	bool is_read;
	size_t count;
	char names[LEFTOVER_MAX][TEMP_NAME_SIZE];
};

struct target {
	char *shown;	/* base/below, for messages */
	int root;	/* O_PATH */
	int dir;	/* O_PATH, the directory last used; may be root */
	char *dir_path; /* its path; NULL if there is none */
	struct leftovers leftovers; /* of dir */
};

/* Where a path leads to: an entry of a directory. */
struct place {
	struct target *t;
	const char *path; /* the whole, for messages */
	int dir;	  /* O_PATH */
	const char *name; /* the last component, within path */
};

struct target_file {
	struct place place; /* its descriptor is the file's own */
	char *path;	    /* that of place */
	int fd;
	char temp[TEMP_NAME_SIZE];
};

/*
 * Fill err with "base/below/path: text" and set errno to errnum. A text of
 * NULL means that of errnum. Returns -1.
 */
int target_fail(const struct target *t, const char *path, const char *text,
    int errnum, struct error *err);

/* close() and unlinkat() that leave errno as it is; fd may be -1. */
void close_quietly(int fd);
void unlink_quietly(int dir, const char *name);

/*
 * Check path and open the directory it leads to. p->dir is the target's and
 * valid until the next call. Returns 0 or -1.
 */
int place_find(
    struct place *p, struct target *t, const char *path, struct error *err);

/*
 * Open the directory name in dir, which is not a symbolic link. flags are
 * O_PATH or O_RDONLY. Returns the descriptor, or -1 with errno ELOOP for a
 * link, ENOTDIR for another file, or as openat(2) gives it.
 */
int dir_open_at(int dir, const char *name, int flags);

/* Open the directory dir itself, maybe O_PATH, to read it; NULL with errno. */
DIR *dir_read(int dir);

/* Whether a file can be put at p: no directory is there. Returns 0 or -1. */
int place_check_free(const struct place *p, struct error *err);

/* Whether p can have a backup with that suffix. Returns 0 or -1. */
int place_check_backup(
    const struct place *p, const char *suffix, struct error *err);

/*
 * Rename the temporary temp, beside p, onto p. With backup_suffix, not NULL
 * and checked, what stood there is kept. Returns 0; or -1, temp then still
 * has its name.
 */
int place_replace(const struct place *p, const char *temp,
    const char *backup_suffix, struct error *err);

/*
 * A file around fd, the open temporary made of token and seq, which it takes
 * over and locks. Returns it, or NULL with err filled and fd closed.
 */
struct target_file *target_file_new(const struct place *p, int fd,
    const char *token, uint32_t seq, struct error *err);

#endif
