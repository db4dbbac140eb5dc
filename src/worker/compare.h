/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * compare: whether a file on the host begins with the same bytes as a local
 * one, for -verify, -checksum and -resume.
 *
 * A short one is read back. Of a longer one the host computes the SHA-256, if
 * it runs commands and has sha256sum; what is not proven equal by that is read
 * back too, and then that counts. Reading back is under the rate limit.
 */
#ifndef WORKER_COMPARE_H
#define WORKER_COMPARE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "worker/compare_exec.h"

struct compare;
struct transfer;

/* What the comparisons of a transfer share; to be embedded in it. */
struct comparer {
	struct transfer *transfer;
	struct compare *compares; /* all, also those freed but not answered */
	struct compare *running;  /* the one that exec works for */
	struct compare_exec exec;
	unsigned jobs; /* local hashes in work */
	bool is_waking;
	uv_timer_t *timer;
};

void comparer_init(struct comparer *k, struct transfer *t);
/*
 * The session is over: free everything, without a call. Before or after
 * sftp_clear(), but after it no reply may come any more.
 */
void comparer_clear(struct comparer *k);

enum compare_result {
	COMPARE_SAME,
	COMPARE_DIFFERENT, /* or shorter */
	COMPARE_FAILED,	   /* one of them can't be read: see why */
};

/*
 * why: for FAILED the reason, any bytes; else "". sha256: of the local bytes,
 * 32 of them, if given or computed, else NULL. Both are valid until
 * the call ends, also after compare_free().
 */
typedef void (*compare_done)(void *ctx, enum compare_result result,
    const char *why, const uint8_t *sha256);

/*
 * Compare the first length bytes of path (copied) there with those of fd,
 * which must stay open until done is called or compare_free(). sha256: of the
 * local bytes if known (copied), else NULL; wants_sha256: done needs it, also
 * if the comparison could do without (not if it fails).
 *
 * done is called once, from compare_step() or from sftp_receive(), never from
 * here, and may call compare_free(). To be freed by compare_free() in any
 * case, or by comparer_clear().
 */
struct compare *compare_new(struct comparer *k, const char *path, int fd,
    uint64_t length, const uint8_t *sha256, bool wants_sha256,
    compare_done done, void *ctx);

/*
 * Start what can be started; to be called in every step of the task until done
 * was called, and harmless after that. May call done.
 */
void compare_step(struct compare *c);

/* done will not be called any more. NULL is fine. */
void compare_free(struct compare *c);

#endif
