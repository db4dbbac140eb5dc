/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sink: stdout or stderr, written without ever blocking the run. A terminal
 * or pipe is shared with other programs, so its O_NONBLOCK is not touched: it
 * is opened anew for ourselves. Where that is not allowed it is written in
 * pieces that poll(2) has promised room for; of a terminal it promises only
 * some room.
 */
#ifndef REPORT_SINK_H
#define REPORT_SINK_H

#include <stdbool.h>
#include <stddef.h>

#include "util/buf.h"

enum color_mode { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct sink {
	int fd;
	struct buf buf; /* to be written; append to it */
	bool is_tty;
	bool is_colored; /* for those who append to buf */
	bool is_owned;	 /* fd is our own, non-blocking */
	bool is_file;	 /* never blocks */
	bool is_pipe;
	bool is_socket;
	bool is_mid_line; /* the last byte written was no newline */
	int error; /* errno of the first failed write; then all is dropped */
};

void sink_init(struct sink *s, int fd);
void sink_clear(struct sink *s);

/* Of the terminal; 80 and 24 where it does not say. */
void sink_size(const struct sink *s, size_t *columns, size_t *rows);
/* Whether it is a terminal that understands escape sequences (TERM). */
bool sink_has_escapes(const struct sink *s);
/*
 * Set is_colored. COLOR_AUTO: a terminal with escape sequences, unless the
 * variable NO_COLOR is set.
 */
void sink_color(struct sink *s, enum color_mode mode);

/* Write what can be written now. */
void sink_flush(struct sink *s);

/*
 * Write all, waiting for the reader. If it takes nothing for patience_ms, the
 * rest is dropped, and all that may come; -1: it has all the time.
 */
void sink_drain(struct sink *s, int patience_ms);

#endif
