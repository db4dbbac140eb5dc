/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * known_hosts_file: the text of one known_hosts file, as far as it was read,
 * and a way to append to it while other processes do the same.
 */
#ifndef CONTROL_KNOWN_HOSTS_FILE_H
#define CONTROL_KNOWN_HOSTS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "util/error.h"

/* A run of the file's bytes, NUL-terminated; never moves while it exists. */
struct file_chunk {
	char *text;
	size_t len;
};

struct known_file {
	char *path;
	struct file_chunk *chunks; /* in order, the whole file as read */
	size_t chunk_count;
	size_t bytes;	 /* in all chunks */
	struct stat st;	 /* when it was last the same as chunks */
	bool is_in_step; /* st is valid */
};

/* What known_file_catch_up() found. */
enum file_change {
	FILE_SAME,
	FILE_GREW,    /* one chunk was added */
	FILE_REPLACED /* other chunks: forget all that pointed into the old */
};

void known_file_init(struct known_file *file, const char *path);
void known_file_clear(struct known_file *file);

/* Read it. An absent file is empty. Returns 0, or -1 with err filled. */
int known_file_load(struct known_file *file, struct error *err);

/*
 * Open it to append, created with mode 0600 (its directory: 0700) where
 * needed, and lock it against others who lock (flock). A device such as
 * /dev/null will do too. Returns the descriptor, which the caller closes, or
 * -1 with err filled. Waits 5 seconds at most for the lock.
 */
int known_file_open(struct known_file *file, struct error *err);

/*
 * Read what was written since, from a locked descriptor. Returns 0 with
 * *change set, or -1 with err filled.
 */
int known_file_catch_up(struct known_file *file, int fd,
    enum file_change *change, struct error *err);

/*
 * Append line (without its newline) with one write(2), after a newline if the
 * file's last line has none; one chunk is added. Returns 0, or -1 with err
 * filled and, as far as possible, the file as it was.
 */
int known_file_append(
    struct known_file *file, int fd, const char *line, struct error *err);

#endif
