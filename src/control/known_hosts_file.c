/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text read once is kept as chunks that never move, because the lines of the
 * store point into them. Whether somebody else has changed the file since is
 * seen by its inode, size and time stamp; then it is read again, and if it
 * begins with what we have, only the rest is new. Editors and "ssh-keygen -R"
 * replace a file by renaming another onto it, without a lock: so after the
 * lock is held, the path must still lead to the file that was locked.
 */
#include "config.h"

#include "control/known_hosts_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/fdio.h"
#include "util/xalloc.h"

#define FILE_MAX_BYTES ((size_t)256 * 1024 * 1024)
#define LOCK_TRIES     500
#define LOCK_PAUSE_NS  10000000L /* 10 ms */
#define OPEN_TRIES     10

void
known_file_init(struct known_file *file, const char *path)
{
	memset(file, 0, sizeof(*file));
	file->path = path_expand_home(path);
}

static void
drop_chunks(struct known_file *file)
{
	size_t i;

	for (i = 0; i < file->chunk_count; i++)
		free(file->chunks[i].text);
	free(file->chunks);
	file->chunks = NULL;
	file->chunk_count = 0;
	file->bytes = 0;
}

void
known_file_clear(struct known_file *file)
{
	drop_chunks(file);
	free(file->path);
	file->path = NULL;
}

/* Keep what text holds from byte start on. */
static void
add_chunk(struct known_file *file, const void *text, size_t start, size_t end)
{
	struct file_chunk *chunk;
	size_t len = end - start;

	if (len == 0)
		return;
	file->chunks = xreallocarray(
	    file->chunks, file->chunk_count + 1, sizeof(*file->chunks));
	chunk = &file->chunks[file->chunk_count++];
	chunk->text = xmalloc(len + 1);
	memcpy(chunk->text, (const char *)text + start, len);
	chunk->text[len] = '\0';
	chunk->len = len;
	file->bytes += len;
}

static bool
ends_in_mid_line(const struct known_file *file)
{
	const struct file_chunk *last;

	if (file->chunk_count == 0)
		return false;
	last = &file->chunks[file->chunk_count - 1];
	return last->text[last->len - 1] != '\n';
}

static int
read_all(
    const struct known_file *file, int fd, struct buf *text, struct error *err)
{
	if (fd_read_all(fd, text) == 0)
		return 0;
	if (errno == ENOBUFS)
		return error_set(err, "%s: larger than %zu MB", file->path,
		    FILE_MAX_BYTES / 1024 / 1024);
	return error_set(err, "%s: %s", file->path, strerror(errno));
}

int
known_file_load(struct known_file *file, struct error *err)
{
	struct buf text;
	int fd, result = -1;

	fd = open(file->path, O_RDONLY | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT)
		return 0;
	if (fd == -1)
		return error_set(err, "%s: %s", file->path, strerror(errno));
	buf_init(&text, FILE_MAX_BYTES + FD_READ_BYTES);
	/* The state before reading: what is written meanwhile shows later. */
	file->is_in_step = fstat(fd, &file->st) == 0;
	if (read_all(file, fd, &text, err) == -1)
		goto out;
	add_chunk(file, buf_head(&text), 0, buf_len(&text));
	result = 0;
out:
	buf_clear(&text);
	close(fd);
	return result;
}

/* Make the folder that path is in, if that is all that is missing. */
static void
make_parent(const char *path)
{
	char *parent = xstrdup(path), *slash = strrchr(parent, '/');

	if (slash != NULL && slash != parent) {
		*slash = '\0';
		/* If this fails, the open() that follows tells why. */
		(void)mkdir(parent, 0700);
	}
	free(parent);
}

static int
lock(int fd)
{
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};
	int tries;

	for (tries = 0; tries < LOCK_TRIES; tries++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -1;
		nanosleep(&pause, NULL);
	}
	errno = EWOULDBLOCK;
	return -1;
}

static int
open_to_append(const char *path)
{
	const int flags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY;
	int fd = open(path, flags, 0600);

	if (fd == -1 && errno == ENOENT) {
		make_parent(path);
		fd = open(path, flags, 0600);
	}
	return fd;
}

int
known_file_open(struct known_file *file, struct error *err)
{
	struct stat locked, there;
	int fd, tries;

	for (tries = 0; tries < OPEN_TRIES; tries++) {
		fd = open_to_append(file->path);
		if (fd == -1 || fstat(fd, &locked) == -1)
			goto fail;
		if (S_ISCHR(locked.st_mode))
			return fd;
		if (!S_ISREG(locked.st_mode)) {
			close(fd);
			return error_set(
			    err, "%s: not a regular file", file->path);
		}
		if (lock(fd) == -1)
			goto fail;
		if (stat(file->path, &there) == 0 &&
		    there.st_dev == locked.st_dev &&
		    there.st_ino == locked.st_ino)
			return fd;
		close(fd);
	}
	return error_set(err, "%s: replaced again and again", file->path);
fail:
	error_set(err, "%s: %s", file->path,
	    errno == EWOULDBLOCK ? "locked by another process"
				 : strerror(errno));
	fd_close(&fd);
	return -1;
}

static bool
is_same_state(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* text begins with all the chunks, and no line of theirs became longer. */
static bool
continues(const struct known_file *file, const struct buf *text)
{
	struct cursor c = {buf_head(text), buf_len(text)};
	const struct file_chunk *chunk;
	const uint8_t *p;
	size_t i;

	for (i = 0; i < file->chunk_count; i++) {
		chunk = &file->chunks[i];
		if (cursor_get_bytes(&c, &p, chunk->len) == -1 ||
		    memcmp(p, chunk->text, chunk->len) != 0)
			return false;
	}
	return !ends_in_mid_line(file) || c.left == 0 || c.p[0] == '\n';
}

int
known_file_catch_up(struct known_file *file, int fd, enum file_change *change,
    struct error *err)
{
	struct stat now;
	struct buf text;
	int result = -1;

	*change = FILE_SAME;
	if (fstat(fd, &now) == -1)
		return error_set(err, "%s: %s", file->path, strerror(errno));
	if (S_ISCHR(now.st_mode) ||
	    (file->is_in_step && is_same_state(&now, &file->st)))
		return 0;
	buf_init(&text, FILE_MAX_BYTES + FD_READ_BYTES);
	if (lseek(fd, 0, SEEK_SET) == -1) {
		error_set(err, "%s: %s", file->path, strerror(errno));
		goto out;
	}
	if (read_all(file, fd, &text, err) == -1)
		goto out;
	if (!continues(file, &text)) {
		*change = FILE_REPLACED;
		drop_chunks(file);
	} else if (buf_len(&text) > file->bytes) {
		*change = FILE_GREW;
	}
	add_chunk(file, buf_head(&text), file->bytes, buf_len(&text));
	file->st = now;
	file->is_in_step = true;
	result = 0;
out:
	buf_clear(&text);
	return result;
}

int
known_file_append(
    struct known_file *file, int fd, const char *line, struct error *err)
{
	char *text;
	struct stat before, after;
	ssize_t written;
	size_t len;

	text = xasprintf("%s%s\n", ends_in_mid_line(file) ? "\n" : "", line);
	len = strlen(text);
	if (fstat(fd, &before) == -1)
		goto fail;
	do
		written = write(fd, text, len);
	while (written == -1 && errno == EINTR);
	if (written == -1)
		goto fail;
	if (fstat(fd, &after) == -1)
		goto fail;
	if ((size_t)written < len) {
		/* The disk is full. Half a line would spoil the next one. */
		if (after.st_size == before.st_size + written &&
		    ftruncate(fd, before.st_size) == -1)
			file->is_in_step = false;
		errno = ENOSPC;
		goto fail;
	}
	add_chunk(file, text, 0, len);
	/* An ssh, which takes no lock, may have come between. */
	file->is_in_step =
	    S_ISREG(after.st_mode) && (size_t)after.st_size == file->bytes;
	file->st = after;
	free(text);
	return 0;
fail:
	error_set(err, "%s: %s", file->path, strerror(errno));
	free(text);
	return -1;
}
