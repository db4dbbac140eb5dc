/* SPDX-License-Identifier: GPL-3.0-or-later */
/* assert_guard: an assertion of libssh2 ends a session, not the worker. */
#ifndef WORKER_ASSERT_GUARD_H
#define WORKER_ASSERT_GUARD_H

#include <stddef.h>

/*
 * Call work(ctx). Returns NULL; or, if an assertion of libssh2 failed on the
 * way, what it asserts, and then the libssh2 session is not to be used again,
 * not even to be freed. The text is valid until the library is unloaded.
 */
const char *assert_guarded(void (*work)(void *ctx), void *ctx);

#endif
