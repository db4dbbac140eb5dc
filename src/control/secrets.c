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
#include "util/private_file.h"
#include "util/secret.h"

#define PASSWORD_FILE_MAX 4096u

/* The last password file that was read: neighbours mostly share one. */
struct password_file {
	const char *path;
	char *password;
};

/* The first line of the file at path; NULL with err. */
static char *
password_read(const char *path, struct error *err)
{
	char *line = NULL, *text;
	struct stat st;
	struct buf b;
	size_t len;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1) {
		error_set(err, "%s: %s", path, strerror(errno));
		return NULL;
	}
	buf_init(&b, PASSWORD_FILE_MAX);
	if (fstat(fd, &st) == -1 ||
	    fd_fill(fd, &b, PASSWORD_FILE_MAX - 1) == -1) {
		error_set(err, "%s: %s", path, strerror(errno));
		goto out;
	}
	if (private_file_check(&st, path, err) == -1)
		goto out;
	text = buf_append(&b, "", 1) == 0 ? (char *)buf_head(&b) : NULL;
	len = text != NULL ? strcspn(text, "\r\n") : 0;
	if (len > 0) {
		text[len] = '\0';
		line = secret_strdup(text);
	} else
		error_set(
		    err, "%s: the first line is empty, not a password", path);
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
	host->password = secret_strdup(last->password);
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
	host->password = secret_strdup(value);
	return 0;
}

/* Our children have nothing to do with them. */
static void
forget_environment(const struct host *hosts, size_t count)
{
	const char *name;
	char *value;
	size_t i;

	for (i = 0; i < count; i++) {
		name = hosts[i].password_env;
		if (name == NULL || (value = getenv(name)) == NULL)
			continue;
		explicit_bzero(value, strlen(value));
		unsetenv(name);
	}
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
		hosts[i].password = secret_strdup(asked);
	}
	secret_free(last.password);
	forget_environment(hosts, count);
	return rc;
}
