/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * metrics_file: where a run's metrics are kept up to date: written at its
 * beginning, every 10 s and at its end. Each time the file is replaced in one
 * step, so a reader never sees a part of it.
 */
#ifndef REPORT_METRICS_FILE_H
#define REPORT_METRICS_FILE_H

#include <stdint.h>

#include "report/metrics.h"
#include "util/error.h"

struct metrics_file;

/*
 * Write m->path for the first time, with mode 0644 as far as the umask lets
 * it. If it is a symbolic link the file that it leads to is replaced, not the
 * link. Returns NULL with err if the file can't be written, is no regular file,
 * or is that of stdout or stderr.
 */
struct metrics_file *metrics_file_new(
    const struct metrics *m, struct error *err);
void metrics_file_free(struct metrics_file *f);

/* When it is to be written again; UINT64_MAX if f is NULL. */
uint64_t metrics_file_due_ms(const struct metrics_file *f);
/* Write it again. That this fails is warned of once, and tried again. */
void metrics_file_update(struct metrics_file *f, const struct metrics *m);
/* Write it for the last time. Returns 0, or -1 after an error message. */
int metrics_file_end(struct metrics_file *f, const struct metrics *m);

#endif
