/* SPDX-License-Identifier: GPL-3.0-or-later */
/* interpose: functions of a program in the place of a library's. */
#ifndef WORKER_INTERPOSE_H
#define WORKER_INTERPOSE_H

#include <stdbool.h>

/*
 * Put the function that one of ours, of this name, is in the place of into
 * *function, a pointer to a function. fatal() if there is none.
 */
void interpose_next(const char *name, void *function);

/* Whether the code at that address is of a library whose name has this part. */
bool interpose_is_from(const void *address, const char *library);

#endif
