/* SPDX-License-Identifier: GPL-3.0-or-later */
/* interpose: functions of the worker in the place of libcrypto's. */
#ifndef WORKER_INTERPOSE_H
#define WORKER_INTERPOSE_H

/*
 * Put the function that one of ours, of this name, is in the place of into
 * *function, a pointer to a function. fatal() if there is none.
 */
void interpose_next(const char *name, void *function);

#endif
