/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "simhost_fs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/fdio.h"
#include "util/xalloc.h"

static int
open_in_root(int root_fd, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
	    .flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC),
	    .mode = flags & O_CREAT ? mode & 07777 : 0,
	    .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	do
		fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
	while (fd == -1 && (errno == EAGAIN || errno == EINTR));
	return (int)fd;
}

int
fs_make_root(const struct host *h, const char *root, struct error *err)
{
	char *path = xasprintf("%s/%s", root, h->address);
	int rc = 0;

	if (mkdir(path, 0777) == -1 && errno != EEXIST)
		rc = error_set(err, "%s: %s", path, strerror(errno));
	free(path);
	return rc;
}

int
fs_root(struct host *h, const char *root, struct error *err)
{
	char *path;
	int fd = -1;

	if (h->root_fd != -1)
		return 0;
	if (fs_make_root(h, root, err) == -1)
		return -1;
	path = xasprintf("%s/%s", root, h->address);
	h->root = realpath(path, NULL);
	h->root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (h->root != NULL && h->root_fd != -1)
		fd = open_in_root(h->root_fd, ".", O_PATH, 0);
	if (fd == -1)
		error_set(err, "%s: %s%s", path, strerror(errno),
		    errno == ENOSYS ? " (openat2 needs Linux 5.6)" : "");
	free(path);
	if (fd == -1) {
		free(h->root);
		h->root = NULL;
		fd_close(&h->root_fd);
		return -1;
	}
	close(fd);
	return 0;
}

static int
fail_with(int error)
{
	errno = error;
	return -1;
}

int
fs_path_parse(
    const struct host *h, const uint8_t *data, size_t len, struct fs_path *path)
{
	size_t root_len = strlen(h->root), used = 0, n;
	const uint8_t *end = data + len, *slash;

	if (memchr(data, '\0', len) != NULL)
		return fail_with(EINVAL);
	if (len >= root_len && memcmp(data, h->root, root_len) == 0 &&
	    (len == root_len || data[root_len] == '/'))
		data += root_len;
	for (; data < end; data = slash < end ? slash + 1 : end) {
		slash = memchr(data, '/', (size_t)(end - data));
		if (slash == NULL)
			slash = end;
		n = (size_t)(slash - data);
		if (n == 0 || (n == 1 && data[0] == '.'))
			continue;
		if (n == 2 && memcmp(data, "..", 2) == 0)
			return fail_with(EACCES);
		if (used + n + 2 > sizeof(path->text))
			return fail_with(ENAMETOOLONG);
		if (used > 0)
			path->text[used++] = '/';
		memcpy(path->text + used, data, n);
		used += n;
	}
	if (used == 0)
		path->text[used++] = '.';
	path->text[used] = '\0';
	return 0;
}

int
fs_open(
    const struct host *h, const struct fs_path *path, int flags, mode_t mode)
{
	if (!(flags & O_PATH))
		flags |= O_NONBLOCK | O_NOCTTY;
	return open_in_root(h->root_fd, path->text, flags, mode);
}

static int
stat_with(const struct host *h, const struct fs_path *path, int flags,
    struct stat *st)
{
	int fd = fs_open(h, path, O_PATH | flags, 0), rc;

	if (fd == -1)
		return -1;
	rc = fstat(fd, st);
	close(fd);
	return rc;
}

int
fs_lstat(const struct host *h, const struct fs_path *path, struct stat *st)
{
	return stat_with(h, path, O_NOFOLLOW, st);
}

int
fs_stat(const struct host *h, const struct fs_path *path, struct stat *st)
{
	return stat_with(h, path, 0, st);
}

int
fs_parent(const struct host *h, const struct fs_path *path, const char **name)
{
	struct fs_path parent;
	const char *slash = strrchr(path->text, '/');

	if (strcmp(path->text, ".") == 0)
		return fail_with(EPERM);
	if (slash == NULL) {
		*name = path->text;
		strcpy(parent.text, ".");
	} else {
		*name = slash + 1;
		memcpy(parent.text, path->text, (size_t)(slash - path->text));
		parent.text[slash - path->text] = '\0';
	}
	return fs_open(h, &parent, O_PATH | O_DIRECTORY, 0);
}
