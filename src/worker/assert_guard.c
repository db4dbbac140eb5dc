/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libssh2 1.10 asserts what a server decides: that a packet's length is a
 * multiple of the cipher's block. One host, or who can flip bits on its way,
 * would end the worker, and cost all the hosts that it has in flight. So the
 * function that a failed assertion calls is the worker's (worker/interpose.c),
 * and leaves libssh2 by a jump. What libssh2 held is in the session's heap,
 * which is freed as a whole; a few contexts of libcrypto leak.
 */
#include "config.h"

#include "worker/assert_guard.h"

#include <assert.h>
#include <setjmp.h>

#include "worker/interpose.h"

typedef void assert_function(
    const char *assertion, const char *file, unsigned line, const char *name);

static jmp_buf *innermost;
static const char *failed;

const char *
assert_guarded(void (*work)(void *ctx), void *ctx)
{
	jmp_buf *const outer = innermost;
	const char *why = NULL;
	jmp_buf here;

	innermost = &here;
	if (setjmp(here) == 0)
		work(ctx);
	else
		why = failed;
	innermost = outer;
	return why;
}

void
__assert_fail(
    const char *assertion, const char *file, unsigned line, const char *name)
{
	assert_function *next;

	if (innermost != NULL &&
	    interpose_is_from(__builtin_return_address(0), "libssh2")) {
		failed = assertion;
		longjmp(*innermost, 1);
	}
	interpose_next("__assert_fail", &next);
	next(assertion, file, line, name);
	__builtin_unreachable();
}
