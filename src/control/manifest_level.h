/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * manifest_level: a directory that the walk of manifest_walk.c is in. Its
 * names are read all at once, so that its descriptor may be closed while the
 * walk is far below.
 */
#ifndef CONTROL_MANIFEST_LEVEL_H
#define CONTROL_MANIFEST_LEVEL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "util/buf.h"

struct walk_level {
	int fd;		/* -1: closed for now */
	struct stat st; /* of fd, as it was at the beginning */
	size_t len;	/* of the path to it */
	struct buf text;
	const char **names; /* in text, sorted by bytes; without "." and ".." */
	size_t count, next;
};

void walk_level_init(struct walk_level *l, size_t len);
void walk_level_clear(struct walk_level *l);

/* Read the names from l->fd. Returns 0, or -1 with errno set. */
int walk_level_read(struct walk_level *l);

/*
 * Make sure that l->fd is open; path leads to it. Returns 0, or -1 if there
 * is another directory now, or none.
 */
int walk_level_open(struct walk_level *l, const char *path);

/* Whether st is of the directory itself. */
bool walk_level_is(const struct walk_level *l, const struct stat *st);

#endif
