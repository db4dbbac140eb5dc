/* SPDX-License-Identifier: GPL-3.0-or-later */
/* event_loop: libuv, for a worker that ends with a message if it has to. */
#ifndef WORKER_EVENT_LOOP_H
#define WORKER_EVENT_LOOP_H

#include <uv.h>

/*
 * Set up the loop, with nothing to do yet; fatal() if that cannot be done. To
 * be called before anything else of libuv.
 */
void event_loop_init(uv_loop_t *loop);

#endif
