/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * task_get: fetches what the sources name from one host. See get_walk.h for
 * what is found, get_place.h for where it goes, get_file.h for how.
 */
#ifndef WORKER_TASK_GET_H
#define WORKER_TASK_GET_H

#include "worker/transfer.h"

extern const struct transfer_ops task_get_ops;

#endif
