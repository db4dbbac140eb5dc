/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * log: messages to the user on stderr, each one line, each with the program's
 * name. Nothing a host sent goes through here unescaped. A reader of stderr who
 * has stopped reading is waited for a second, then the message is lost.
 */
#ifndef UTIL_LOG_H
#define UTIL_LOG_H

#include <stdbool.h>

/* Name the program in messages; name must stay valid. */
void log_init(const char *name);

/*
 * What is written before each message: the escape sequence that erases a
 * status line while one is shown, else "". It must stay valid.
 */
void log_set_prelude(const char *prelude);

/* Silence warnings (option -q); errors are still printed. */
void log_set_quiet(bool quiet);

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
 * "name: text" and _exit with status 5 (local or internal error).
 */
_Noreturn void fatal(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

#endif
