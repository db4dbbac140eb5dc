/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * secret: the memory in which control keeps passwords and keys; what they pass
 * through is wiped, not locked. It is locked as far as RLIMIT_MEMLOCK allows,
 * so that it is not swapped; no core file and no forked child has it; and what
 * is freed is overwritten. A process that calls no secret_init(), or has filled
 * it (64 MB), gets ordinary memory instead.
 *
 * For one thread.
 */
#ifndef UTIL_SECRET_H
#define UTIL_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Let the process have no core file, and its memory not be open to other
 * processes of its user.
 */
void secret_hide_process(void);

/* Set that memory up, once, before anything is to be in it. */
void secret_init(void);

/* How much of it is locked, and whether what is in it, and what a run of some
 * hosts adds, is within that. */
size_t secret_locked_bytes(bool *is_all);

/* As malloc, realloc and free, but they do not fail; see xalloc.h. Ordinary
 * memory is not overwritten. */
void *secret_alloc(size_t size);
void *secret_realloc(void *p, size_t size);
void secret_release(void *p);

/* A copy, for secret_free(). */
char *secret_strdup(const char *s);
/* Overwrite a secret string, wherever it is, and free it. NULL is fine. */
void secret_free(char *s);

#endif
