/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * worker: the loop of a worker process. It pulls jobs from control, drives
 * their sessions and sends what becomes of them.
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "wire/frame.h"

struct methods;
struct rate_limit;
struct session;
struct threads;
struct worker;

/* Run until control closes the job pipe. Never returns. */
_Noreturn void worker_main(void);

/* --- for sessions -------------------------------------------------------- */

uv_loop_t *worker_loop(struct worker *w);
struct threads *worker_threads(struct worker *w);
struct rate_limit *worker_rate_limit(struct worker *w);
const struct msg_config *worker_config(const struct worker *w);
const struct methods *worker_methods(const struct worker *w);

/* Queue a frame for control. */
void worker_send(
    struct worker *w, enum frame_type type, uint32_t job, const void *msg);

/* Whether control has not taken what was sent before. */
bool worker_is_behind(const struct worker *w);

/* The same for what is not urgent: it goes along with the next one, or soon. */
void worker_send_later(
    struct worker *w, enum frame_type type, uint32_t job, const void *msg);

/* Output bytes that control is ready to take now. */
size_t worker_credit(const struct worker *w);
/* Whether other sessions wait for a turn or for credit. */
bool worker_has_waiters(const struct worker *w);
/* Queue an OUTPUT frame, at most worker_credit() bytes. */
void worker_output(
    struct worker *w, uint32_t job, const struct msg_output *msg);

/*
 * For how long, in all, this worker could not take output because control had
 * not printed what it got: time in which no host is to blame for silence.
 */
uint64_t worker_paused_ms(const struct worker *w);

/* Let s run again after the other sessions. */
void worker_queue_turn(struct worker *w, struct session *s);

/* Let s run again when there is credit. */
void worker_queue_credit(struct worker *w, struct session *s);

/* The session is over: send its result, free it and its slot. */
void worker_session_ended(struct worker *w, struct session *s);

#endif
