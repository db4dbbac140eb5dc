/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cage_calls: which system calls a worker can make, by seccomp. */
#ifndef WORKER_CAGE_CALLS_H
#define WORKER_CAGE_CALLS_H

#include <stdbool.h>

#include "wire/frame.h"

/*
 * From now on any system call but those that config's task needs ends the
 * process, by SIGSYS, after a line with the call's name on stderr. This holds
 * for this thread and those that it makes. may_ask: sockets in the file system
 * can be connected to.
 *
 * Returns NULL, or why that can't be had here, and then all is as before. The
 * text is valid until strerror(3) is called again.
 */
const char *cage_calls_limit(const struct msg_config *config, bool may_ask);

#endif
