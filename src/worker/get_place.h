/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * get_place: where what a get finds on one host goes to.
 *
 *   -local DIR        DIR/HOST/PATH, with the whole path there; a source that
 *                     is relative is so below DIR/HOST
 *   -local TEMPLATE   E, this host's own path: as rsync has it. SOURCE goes to
 *                     E/NAME, what is in "SOURCE/" to E. But one plain file
 *                     goes to E itself, unless E is a directory or ends in "/"
 *
 * With a template, what globs match in several directories under one name goes
 * to one place; the last one stays. Control refuses plain sources of one name.
 *
 * There is one base, DIR or what comes before the first component with a % in
 * it: that is the user's, and may be behind symbolic links. All below it, from
 * HOST or the rest of the template on ("the prefix"), is made of real
 * directories: a server may have made links there in an earlier run. Paths
 * are below the base and begin with the prefix, so are never "".
 *
 * The base is made when the first thing is written, not before.
 */
#ifndef WORKER_GET_PLACE_H
#define WORKER_GET_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "util/error.h"
#include "wire/frame.h"
#include "worker/get_source.h"
#include "worker/target.h"

struct transfer;

/* mtime_s of an entry of which the server does not tell it. */
#define GET_TIME_UNKNOWN UINT64_MAX
/* What a host has a say in of a mode: not that everybody may write. */
#define GET_MODE_BITS 0775u

struct get_place {
	struct transfer *t;
	bool is_named; /* a template's */
	bool is_file;  /* one file goes to the prefix itself */
	char *base, *prefix;
	struct target *target; /* of base; NULL until it is needed */
	bool has_prefix;       /* what leads to it is there */
	bool is_failed;	       /* nothing can be written at all */
	bool is_full;	       /* no space, quota or descriptor is left */
	char *parent;	       /* of the last get_place_parent(), or NULL */
	bool has_parent;       /* it is there */
};

void get_place_init(struct get_place *p, struct transfer *t,
    const struct get_source *sources, size_t count);
void get_place_clear(struct get_place *p);

/*
 * The path for something found at remote, which source has led to; the caller
 * frees. This decides also whether the prefix is that of a file.
 */
char *get_place_path(struct get_place *p, const struct get_source *source,
    const char *remote, bool is_directory);

/* path as the user knows it; the caller frees. */
char *get_place_shown(const struct get_place *p, const char *path);

/*
 * Make the base and what leads to path below it, and remove from there what
 * dead runs have left (not with -resume, which may go on with it). Returns 0,
 * or -1: the user was told, once for each directory.
 */
int get_place_parent(struct get_place *p, const char *path);

/*
 * What stands at path. Nothing is made. Returns 0, or -1 if there is nothing
 * or it cannot be seen.
 */
int get_place_lookup(struct get_place *p, const char *path, struct stat *st);

/* -update: whether what stands at the entry's path is up to date. */
bool get_place_is_current(struct get_place *p, const struct msg_entry *e);

/*
 * Open the regular file at path to read it, if it has that size. Returns its
 * descriptor, or -1.
 */
int get_place_open_file(struct get_place *p, const char *path, uint64_t size);

/* A target_*() failed: errno and err as it has left them. */
void get_place_failed(struct get_place *p, const struct error *err);
/* The same for a system call on the open file for path. */
void get_place_file_failed(struct get_place *p, const char *path, int errnum);

#endif
