/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * report_file: the file of option -report. A line is one write(2), and what
 * does not fit on the disk is taken back: the file holds whole lines, however
 * the program ends.
 */
#ifndef REPORT_REPORT_FILE_H
#define REPORT_REPORT_FILE_H

#include <stdbool.h>

#include "util/buf.h"
#include "util/error.h"

struct report_file;

/* path must stay valid. NULL with err if it can't be opened. */
struct report_file *report_file_new(const char *path, struct error *err);
/* NULL is fine. */
void report_file_free(struct report_file *f);

/* Before the first line: drop what is there. Returns 0, or -1 with err. */
int report_file_empty(struct report_file *f, struct error *err);

/*
 * line: with its newline; it is empty afterwards. The first failure is told
 * with log_error().
 */
void report_file_write(struct report_file *f, struct buf *line);
/* NULL lacks nothing, here and below. */
bool report_file_lacks(const struct report_file *f);
/* Whether all lines can be read again: they are in a file, not in a pipe. */
bool report_file_is_whole(const struct report_file *f);
/* After the last line: tell how many are missing, if any. */
void report_file_tell(const struct report_file *f);

#endif
