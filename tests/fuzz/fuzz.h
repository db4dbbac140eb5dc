/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz: what the fuzz targets share. A target is a file fuzz_NAME.c with a
 * function that takes any bytes, hands them to a parser as its caller would,
 * and checks what must hold whatever the bytes are. libFuzzer calls it with
 * bytes of its own making, replay.c with those of the folder corpus/NAME.
 *
 * No input changes what another leads to, so that an input alone shows what it
 * found; what takes long to make and no input changes may be made once.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/error.h"

/* Called once, before the first input: messages go nowhere. Returns 0. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
/* The target. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Something that must hold; if it does not, the program is aborted. */
#define FUZZ_CHECK(holds) \
	((holds) ? (void)0 : fuzz_failed(#holds, __FILE__, __LINE__))
_Noreturn void fuzz_failed(const char *what, const char *file, int line);

/* A result is 0, or it is -1 and err says something. */
void fuzz_check_result(int rc, const struct error *err);

/* Both buffers hold the same bytes. */
bool fuzz_equal(const struct buf *a, const struct buf *b);

/*
 * Whether a terminal shows all of it as text: valid UTF-8, no control
 * character but newline and tab, nothing that reorders or hides text. Written
 * apart from util/escape.c, on purpose.
 */
bool fuzz_is_shown(const void *data, size_t len);

/*
 * Take a line off the head of the input, or all that is left. The caller frees
 * the string, which ends at a NUL byte, if there is one.
 */
char *fuzz_line(struct cursor *c);

/* Take all that is left, likewise. */
char *fuzz_rest(struct cursor *c);

/* A file in memory, of mode 0600, with a path that can be opened. */
struct fuzz_file {
	int fd;
	char path[32];
	int lowest_fd;
};

void fuzz_file_open(struct fuzz_file *f, const void *data, size_t size);
/* Nothing that was opened meanwhile may still be open. */
void fuzz_file_close(struct fuzz_file *f);

#endif
