/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/metrics_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/fdio.h"
#include "util/log.h"
#include "util/replacement.h"
#include "util/xalloc.h"

#define INTERVAL_MS 10000u
#define TEXT_MAX    (4u << 20)

struct metrics_file {
	struct replacement file;
	uint64_t due_ms;
	bool has_warned;
};

static int
metrics_file_write(
    struct metrics_file *f, const struct metrics *m, struct error *err)
{
	struct buf text;
	int fd, rc;

	f->due_ms = clock_now_ms() + INTERVAL_MS;
	fd = replacement_open(&f->file, 0644, err);
	if (fd == -1)
		return -1;
	buf_init(&text, TEXT_MAX);
	metrics_render(m, &text);
	rc = fd_flush(fd, &text);
	buf_clear(&text);
	if (rc == -1)
		error_set(err, "%s: %s", f->file.path, strerror(errno));
	else
		rc = replacement_name(&f->file, fd, err);
	/* Some file systems tell only now that the disk is full. */
	if (close(fd) == -1 && rc == 0)
		rc = error_set(err, "%s: %s", f->file.path, strerror(errno));
	if (rc == 0)
		return replacement_commit(&f->file, err);
	replacement_drop(&f->file);
	return -1;
}

struct metrics_file *
metrics_file_new(const struct metrics *m, struct error *err)
{
	struct metrics_file *f = xcalloc(1, sizeof(*f));

	/* The collector passes over a name that does not end in ".prom". */
	if (replacement_init(&f->file, m->path, "metrics", err) == 0 &&
	    metrics_file_write(f, m, err) == 0)
		return f;
	metrics_file_free(f);
	return NULL;
}

void
metrics_file_free(struct metrics_file *f)
{
	if (f == NULL)
		return;
	replacement_clear(&f->file);
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
