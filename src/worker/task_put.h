/* SPDX-License-Identifier: GPL-3.0-or-later */
/* task_put: send the run's entries to one host. */
#ifndef WORKER_TASK_PUT_H
#define WORKER_TASK_PUT_H

#include "worker/transfer.h"

extern const struct transfer_ops task_put_ops;

#endif
