/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "control/secrets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/fdio.h"
#include "util/xalloc.h"

#define PASSWORD_FILE_MAX 4096u

/* The first line of the file at path; NULL with err. */
static char *
password_read(const char *path, struct error *err)
{
	struct stat st;
	char *text, *line;
	size_t len;

	if (stat(path, &st) == -1) {
		error_set(err, "%s: %s", path, strerror(errno));
		return NULL;
	}
	if (S_ISREG(st.st_mode) && (st.st_mode & 077) != 0) {
		error_set(err,
		    "%s: mode %04o lets others read the password in it: "
		    "chmod 600 %s",
		    path, (unsigned)st.st_mode & 07777, path);
		return NULL;
	}
	text = file_read(path, PASSWORD_FILE_MAX, &len, err);
	if (text == NULL)
		return NULL;
	line = xstrndup(text, strcspn(text, "\r\n"));
	explicit_bzero(text, len);
	free(text);
	if (line[0] == '\0') {
		error_set(
		    err, "%s: the first line is empty, not a password", path);
		free(line);
		return NULL;
	}
	return line;
}

static int
host_password(struct host *host, const char *previous_file,
    const char *previous, struct error *err)
{
	const char *value;
	struct error why;

	if (host->password != NULL)
		return 0;
	if (host->password_file != NULL) {
		/* Neighbours mostly share a file: it is read once. */
		if (previous_file != NULL &&
		    strcmp(previous_file, host->password_file) == 0)
			host->password = xstrdup(previous);
		else
			host->password =
			    password_read(host->password_file, &why);
		if (host->password == NULL)
			return error_set(err, "host %s: password_file: %s",
			    host->name, why.text);
	} else if (host->password_env != NULL) {
		value = getenv(host->password_env);
		if (value == NULL || value[0] == '\0')
			return error_set(err,
			    "host %s: password_env: the environment has no %s",
			    host->name, host->password_env);
		host->password = xstrdup(value);
	}
	return 0;
}

int
secrets_load(
    struct host *hosts, size_t count, const char *asked, struct error *err)
{
	const char *file = NULL, *password = NULL;
	size_t i;

	for (i = 0; i < count; i++) {
		if (asked != NULL) {
			secret_free(hosts[i].password);
			hosts[i].password = xstrdup(asked);
			continue;
		}
		if (host_password(&hosts[i], file, password, err) == -1)
			return -1;
		if (hosts[i].password_file != NULL) {
			file = hosts[i].password_file;
			password = hosts[i].password;
		}
	}
	return 0;
}
