/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * regex_size: how large regcomp(3) makes a pattern. What is repeated is copied,
 * so that a short pattern with repetitions of repetitions takes all memory.
 * Before each part that may be left out it has all those that may then come, so
 * that time and memory grow with the square of their number, and more.
 */
#ifndef REPORT_REGEX_SIZE_H
#define REPORT_REGEX_SIZE_H

#include <stdint.h>

/* Far below what takes a second, or 30 MB, as of glibc 2.36. */
#define REGEX_SIZE_MAX 2000u

/*
 * An estimate of the parts of an extended regular expression (regex(7)), with
 * their copies, of which those that may be left out count for many; more than
 * REGEX_SIZE_MAX if there are too many, whatever their number.
 */
uint64_t regex_size(const char *pattern);

#endif
