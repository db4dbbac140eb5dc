/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * error: what a user did wrong, in words, on its way up to main().
 *
 * Functions that meet bad input (an option, the inventory, known_hosts, a
 * local file) return -1 with a filled struct error. Only main() prints it.
 */
#ifndef UTIL_ERROR_H
#define UTIL_ERROR_H

struct error {
	char text[1024]; /* one line, no newline at the end */
};

/*
 * Fill err from a printf format. A message that does not fit is cut.
 * err may be NULL. Always returns -1, so that a caller can write
 * "return error_set(err, ...)".
 */
int error_set(struct error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Fill err with what is wrong with the value of an option: "option -NAME: WHY".
 * Returns -1.
 */
int error_option(struct error *err, const char *name, const char *why);

#endif
