/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a worker writes to its stderr: lines of a bounded length and number,
 * with nothing that drives a terminal, whatever the pieces that it comes in.
 * The input is a byte with the size of the pieces, and the bytes.
 */
#include "config.h"

#include "fuzz.h"

#include <string.h>
#include <unistd.h>

#include "control/worker_log.h"

/* More than this does not go into the pipe before it is read. */
#define WHOLE_MAX 4096u
/* No more lines are told, and one that says so. */
#define TOLD_MAX 200u

/* Write and read c in pieces. last: what is kept of the last line. */
static void
run(struct cursor c, size_t piece, char last[WORKER_LOG_SIZE])
{
	const uint8_t *p = NULL;
	struct worker_log l;
	unsigned told = 0;
	int ends[2];
	size_t n;

	FUZZ_CHECK(pipe(ends) == 0);
	worker_log_open(&l, ends[0]);
	while (c.left > 0) {
		n = c.left < piece ? c.left : piece;
		FUZZ_CHECK(cursor_get_bytes(&c, &p, n) == 0);
		FUZZ_CHECK(write(ends[1], p, n) == (ssize_t)n);
		worker_log_read(&l, 0, &told);
		FUZZ_CHECK(memchr(l.last, '\0', WORKER_LOG_SIZE) != NULL);
	}
	close(ends[1]);
	worker_log_close(&l, 0, &told);
	FUZZ_CHECK(told <= TOLD_MAX && strchr(l.last, '\n') == NULL);
	memcpy(last, l.last, WORKER_LOG_SIZE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char whole[WORKER_LOG_SIZE], pieces[WORKER_LOG_SIZE];
	struct cursor c = {data, size};
	uint8_t piece = 0;

	cursor_get_u8(&c, &piece);
	run(c, WHOLE_MAX, whole);
	run(c, piece + 1u, pieces);
	FUZZ_CHECK(strcmp(whole, pieces) == 0);
	return 0;
}
