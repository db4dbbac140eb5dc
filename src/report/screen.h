/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * screen: stdout and stderr, which are often the same terminal, and the
 * progress at its end. Both are queues: what is appended to their buf is
 * written as their readers take it, on a terminal line by line of either.
 *
 * If stdout is a pipe, what reads it, tee(1) or grep(1), may well print to that
 * terminal. So the progress makes way for what goes there, and comes back when
 * there was time to read it.
 */
#ifndef REPORT_SCREEN_H
#define REPORT_SCREEN_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/progress.h"
#include "report/sink.h"
#include "util/log.h"

struct screen {
	struct sink out, err;
	struct progress *progress; /* NULL: none */
	/*
	 * Lines to be printed above the progress, when it is shown and nothing
	 * else is to be; append to it.
	 */
	struct buf notes;
	bool is_held;	     /* the terminal is being asked on */
	bool is_stdout_told; /* that it is broken */
	uint64_t piped_ms;   /* when stdout, a pipe, took something */
	struct log_taker taker;
};

/*
 * The lines of log.h come here until screen_clear(), so s must not move. The
 * progress, if there is to be one, is the caller's to set.
 */
void screen_init(struct screen *s, enum color_mode color);
/* No progress stays behind, and no message, if stderr takes it. */
void screen_clear(struct screen *s);

/* To be called before something is appended for stream: 1 stdout, 2 stderr. */
void screen_make_way(struct screen *s, int stream);
/* While it is held, no progress is shown. */
void screen_hold(struct screen *s, bool is_held);
/* Take the progress off the terminal, now, until the next screen_flush(). */
void screen_wipe(struct screen *s);
/* There is no progress any more. */
void screen_end_progress(struct screen *s);

/* Bytes that wait. */
size_t screen_backlog(const struct screen *s);
/* Drop them. */
void screen_forget(struct screen *s);
/* Write what can be written now, and bring the progress up to date. */
void screen_flush(struct screen *s, uint64_t now_ms);
/* When screen_flush() is to be called at the latest; UINT64_MAX: never. */
uint64_t screen_due_ms(const struct screen *s);
/* Write all; see sink_drain(). */
void screen_drain(struct screen *s, int patience_ms);

/* For poll(2): fills fds (room for 2); events say what is waited for. */
size_t screen_poll(const struct screen *s, struct pollfd *fds);
/*
 * After poll(2) and screen_flush(): 0, or the errno that ended stdout; EPIPE if
 * its reader is gone, any other one is told with log_error().
 */
int screen_broken(struct screen *s, const struct pollfd *fds);

#endif
