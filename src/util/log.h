/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * log: messages to the user on stderr, each one line, each with the program's
 * name; and, if asked for, events, each one line, "HOST stage: text". With a
 * file (option -log) events go there instead, and messages too, with times.
 * All lines but that of fatal() are escaped: what a host, a file or a path put
 * into one does not reach the terminal. A reader of stderr who has stopped
 * reading is waited for a second, then the line is lost; unless there is a
 * taker, who keeps it.
 */
#ifndef UTIL_LOG_H
#define UTIL_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

/* How much is told of a run; each has what the one before it has. */
enum log_level {
	LOG_MESSAGES,
	LOG_HOSTS,  /* -v: begin, retries, end */
	LOG_STAGES, /* -vv: what an attempt goes through */
	LOG_INSIDE, /* -debug: workers, frames, the scheduler */
};

/* Name the program in messages; name must stay valid. */
void log_init(const char *name);

/* Silence warnings (option -q); errors are still printed. */
void log_set_quiet(bool quiet);

/* Tell events up to that level; numbers beyond the last one are the last. */
void log_set_level(unsigned level);

/*
 * Append events and messages to the file at path, which must stay valid,
 * LOG_HOSTS at least. Returns 0, or -1 with err.
 */
int log_open(const char *path, struct error *err);
void log_close(void);

/* Who knows what else is under way to stderr, and shown there. */
struct log_taker {
	/* A line to be written; is_event: it may wait a little. */
	void (*take)(void *ctx, const char *line, size_t len, bool is_event);
	/*
	 * What has to be written before the message of fatal(): a string
	 * constant. It may allocate nothing.
	 */
	const char *(*clear_way)(void *ctx);
	void *ctx;
};

/* Hand all lines for stderr to taker, which is kept; NULL: write them. */
void log_set_taker(const struct log_taker *taker);

/* Whether events of that level are told: for those that cost to be made. */
bool log_has(enum log_level level);

/* An event. */
void log_event(enum log_level level, const char *host, const char *stage,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* "name: warning: text" on stderr. */
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * As log_warn(), of what may happen to every host: only the first few are
 * told. *told counts them, from 0.
 */
void log_warn_few(unsigned *told, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* "name: text" on stderr. */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Our own bug, no memory, a broken pipe between our own processes: print
 * "name: text" and _exit with status EXIT_LOCAL (util/exit_status.h).
 */
_Noreturn void fatal(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

#endif
