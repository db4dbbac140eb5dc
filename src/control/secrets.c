/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "control/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/fdio.h"
#include "util/xalloc.h"

#define PASSWORD_FILE_MAX 4096u

/* The last password file that was read: neighbours mostly share one. */
struct password_file {
	const char *path;
	char *password;
};

/* Refuse a file that others may read. Returns 0, or -1 with err. */
static int
check_mode(int fd, const char *path, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return error_set(err, "%s: %s", path, strerror(errno));
	if (S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
		return error_set(err,
		    "%s: mode %04o lets others read the password in it: "
		    "chmod 600 %s",
		    path, (unsigned)st.st_mode & 07777, path);
	return 0;
}

/* The first line of the file at path; NULL with err. */
static char *
password_read(const char *path, struct error *err)
{
	char *line = NULL;
	struct buf b;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1) {
		error_set(err, "%s: %s", path, strerror(errno));
		return NULL;
	}
	buf_init(&b, PASSWORD_FILE_MAX);
	if (check_mode(fd, path, err) == -1)
		goto out;
	if (fd_fill(fd, &b, PASSWORD_FILE_MAX - 1) == -1) {
		error_set(err, "%s: %s", path, strerror(errno));
		goto out;
	}
	buf_append(&b, "", 1);
	line = xstrndup((const char *)buf_head(&b),
	    strcspn((const char *)buf_head(&b), "\r\n"));
	if (line[0] == '\0') {
		error_set(
		    err, "%s: the first line is empty, not a password", path);
		free(line);
		line = NULL;
	}
out:
	buf_clear(&b);
	close(fd);
	return line;
}

static int
password_from_file(
    struct host *host, struct password_file *last, struct error *err)
{
	struct error why;

	if (last->path == NULL ||
	    strcmp(last->path, host->password_file) != 0) {
		secret_free(last->password);
		last->path = host->password_file;
		last->password = password_read(last->path, &why);
	}
	if (last->password == NULL)
		return error_set(
		    err, "host %s: password_file: %s", host->name, why.text);
	host->password = xstrdup(last->password);
	return 0;
}

static int
host_password(struct host *host, struct password_file *last, struct error *err)
{
	const char *value;

	if (host->password != NULL)
		return 0;
	if (host->password_file != NULL)
		return password_from_file(host, last, err);
	if (host->password_env == NULL)
		return 0;
	value = getenv(host->password_env);
	if (value == NULL || value[0] == '\0')
		return error_set(err,
		    "host %s: password_env: the environment has no %s",
		    host->name, host->password_env);
	host->password = xstrdup(value);
	return 0;
}

int
secrets_load(
    struct host *hosts, size_t count, const char *asked, struct error *err)
{
	struct password_file last = {NULL, NULL};
	int rc = 0;
	size_t i;

	for (i = 0; i < count && rc == 0; i++) {
		if (asked == NULL) {
			rc = host_password(&hosts[i], &last, err);
			continue;
		}
		secret_free(hosts[i].password);
		hosts[i].password = xstrdup(asked);
	}
	secret_free(last.password);
	return rc;
}
