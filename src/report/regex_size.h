/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * regex_size: how large regcomp(3) makes a pattern. What is repeated is copied,
 * so that a short pattern with repetitions of repetitions takes all memory; and
 * of what may be left out it keeps what may come next, the square of that.
 */
#ifndef REPORT_REGEX_SIZE_H
#define REPORT_REGEX_SIZE_H

#include <stdint.h>

/* Takes up to 100 MB, "(x?){1000}" as of glibc 2.36. */
#define REGEX_SIZE_MAX 2000u

/*
 * An estimate of the parts of an extended regular expression (regex(7)), with
 * their copies; more than REGEX_SIZE_MAX if there are too many, whatever their
 * number.
 */
uint64_t regex_size(const char *pattern);

#endif
