/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rogue: what the files of the rogue worker share; see rogue_worker.c. */
#ifndef TESTS_ROGUE_H
#define TESTS_ROGUE_H

#include <stdbool.h>
#include <stdint.h>

#include "control/identity.h"
#include "util/buf.h"
#include "wire/frame.h"

/* A request to be signed is right, but for what is named here. */
#define ROGUE_HONEST ""

struct rogue {
	int log_fd;
	struct buf in, out;
	struct identity *host_key, *other_key;
	uint32_t task, slots;
	uint32_t job; /* the one in hand */
	bool has_job, is_rogues;
	bool has_acted;	       /* from now on only pings are answered */
	bool may_sign;	       /* a host key was shown, and nothing is signed */
	unsigned honest_signs; /* requests that are to be answered */
	uint8_t *frame;	       /* the job's */
	struct msg_job spec;
	uint64_t prng; /* of a fuzzer */
};

/* One line in the worker's log. */
void rogue_log(const struct rogue *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Queue a frame; and write all that is queued, or end with control. */
void rogue_send(
    struct rogue *r, enum frame_type type, uint32_t job, const void *msg);
void rogue_flush(struct rogue *r);

/* The bytes of a string. */
struct bytes rogue_text(const char *s);

/* "*N" is N letters, other values are themselves. The caller frees it. */
char *rogue_expand(const char *value);

/* Ask for a signature with the job's first key. wrong: see rogue_acts.c. */
void rogue_sign(struct rogue *r, uint32_t job, const char *wrong);

/* A RESULT that is ok but for what "NAME=VALUE ..." says. */
void rogue_result(struct rogue *r, uint32_t job, const char *settings);

/*
 * Do what "NAME", "NAME@JOB" says, with these arguments, for the job in hand
 * or for that JOB. Frames are queued. Exits with a message for an unknown NAME.
 */
void rogue_act(struct rogue *r, const char *name, const char *args);

/* Queue a frame or some that look valid, chosen by r->prng. */
void rogue_fuzz(struct rogue *r);

#endif
