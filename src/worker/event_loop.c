/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where libuv gets no memory, or no pipe for itself, it calls abort(3), and
 * nobody is told why. So its memory comes from functions that say so, and what
 * it calls instead of abort(3) is the worker's (see worker/interpose.c).
 */
#include "config.h"

#include "worker/event_loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/log.h"
#include "util/xalloc.h"
#include "worker/interpose.h"

typedef void abort_function(void);

void
abort(void)
{
	int error = errno; /* of the call that libuv cannot do without */
	abort_function *next;

	if (interpose_is_from(__builtin_return_address(0), "libuv"))
		fatal("libuv gives up: %s", strerror(error));
	interpose_next("abort", &next);
	next();
	__builtin_unreachable();
}

static void *
uv_realloc(void *p, size_t size)
{
	return xreallocarray(p, 1, size);
}

void
event_loop_init(uv_loop_t *loop)
{
	int rc;

	uv_replace_allocator(xmalloc, uv_realloc, xcalloc, free);
	rc = uv_loop_init(loop);
	if (rc != 0)
		fatal("cannot set up libuv: %s", uv_strerror(rc));
}
