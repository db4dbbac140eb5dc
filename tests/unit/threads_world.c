/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "threads_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

/* There is no address space for such a stack. */
#define HUGE_STACK ((rlim_t)1 << 46)
#define STACK	   ((rlim_t)8 << 20)

struct threads *
world_begin(uv_loop_t *loop)
{
	assert_int_equal(uv_loop_init(loop), 0);
	return threads_new(loop);
}

void
world_end(uv_loop_t *loop, struct threads *threads)
{
	threads_free(threads);
	uv_run(loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(loop), 0);
}

void
world_forbid_threads(bool is_forbidden)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_STACK, &limit), 0);
	limit.rlim_cur = is_forbidden ? HUGE_STACK : STACK;
	assert_int_equal(setrlimit(RLIMIT_STACK, &limit), 0);
}
