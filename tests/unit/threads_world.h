/* SPDX-License-Identifier: GPL-3.0-or-later */
/* threads_world: a loop with threads, or without any, for tests. */
#ifndef TESTS_UNIT_THREADS_WORLD_H
#define TESTS_UNIT_THREADS_WORLD_H

#include <stdbool.h>
#include <uv.h>

#include "worker/threads.h"

/* Both fail the test if anything is wrong or left over. */
struct threads *world_begin(uv_loop_t *loop);
void world_end(uv_loop_t *loop, struct threads *threads);

/* Let no new thread be made in this process, or let it be so again. */
void world_forbid_threads(bool is_forbidden);

#endif
