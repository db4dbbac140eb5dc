/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/metrics_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/fdio.h"
#include "util/log.h"
#include "util/path.h"
#include "util/run_token.h"
#include "util/xalloc.h"

#define INTERVAL_MS 10000u
#define TEXT_MAX    (4u << 20)

struct metrics_file {
	char *path;	 /* no symbolic link */
	char *temporary; /* beside it */
	uint64_t due_ms;
	bool has_warned;
};

static bool
is_open_as(const struct stat *file, int fd)
{
	struct stat st;

	return fd != -1 && fstat(fd, &st) == 0 && st.st_dev == file->st_dev &&
	    st.st_ino == file->st_ino;
}

/* What is replaced, or NULL with err; the caller frees it. */
static char *
target_of(const char *path, int report_fd, struct error *err)
{
	struct stat st;
	char *target;

	if (stat(path, &st) == 0) {
		if (!S_ISREG(st.st_mode)) {
			error_set(err, "%s: not a regular file", path);
			return NULL;
		}
		if (is_open_as(&st, STDOUT_FILENO) ||
		    is_open_as(&st, STDERR_FILENO) ||
		    is_open_as(&st, report_fd)) {
			error_set(err, "%s: other output goes there", path);
			return NULL;
		}
	}
	if (lstat(path, &st) == -1 || !S_ISLNK(st.st_mode))
		return xstrdup(path);
	target = realpath(path, NULL);
	if (target == NULL)
		error_set(err, "%s: a symbolic link that leads nowhere: %s",
		    path, strerror(errno));
	return target;
}

static int
metrics_file_write(
    struct metrics_file *f, const struct metrics *m, struct error *err)
{
	struct buf text;
	int rc;

	f->due_ms = clock_now_ms() + INTERVAL_MS;
	buf_init(&text, TEXT_MAX);
	metrics_render(m, &text);
	rc = file_replace(f->path, f->temporary, &text, err);
	buf_clear(&text);
	return rc;
}

struct metrics_file *
metrics_file_new(const struct metrics *m, int report_fd, struct error *err)
{
	char *target, *directory, *token, *name;
	struct metrics_file *f;

	target = target_of(m->path, report_fd, err);
	if (target == NULL)
		return NULL;
	f = xcalloc(1, sizeof(*f));
	f->path = target;
	/* No ".prom" at its end: the collector passes it over. */
	directory = path_parent(f->path);
	token = run_token_make();
	name = xasprintf(".batch_metrics.%s", token);
	f->temporary = path_join(directory, name);
	free(name);
	free(token);
	free(directory);
	if (metrics_file_write(f, m, err) == -1) {
		metrics_file_free(f);
		return NULL;
	}
	return f;
}

void
metrics_file_free(struct metrics_file *f)
{
	if (f == NULL)
		return;
	free(f->path);
	free(f->temporary);
	free(f);
}

uint64_t
metrics_file_due_ms(const struct metrics_file *f)
{
	return f != NULL ? f->due_ms : UINT64_MAX;
}

void
metrics_file_update(struct metrics_file *f, const struct metrics *m)
{
	struct error err;

	if (metrics_file_write(f, m, &err) == 0 || f->has_warned)
		return;
	f->has_warned = true;
	log_warn("metrics are not written: %s", err.text);
}

int
metrics_file_end(struct metrics_file *f, const struct metrics *m)
{
	struct error err;

	if (metrics_file_write(f, m, &err) == 0)
		return 0;
	log_error("%s", err.text);
	return -1;
}
