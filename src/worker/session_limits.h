/* SPDX-License-Identifier: GPL-3.0-or-later */
/* session_limits: how long a session may take over what. */
#ifndef WORKER_SESSION_LIMITS_H
#define WORKER_SESSION_LIMITS_H

#include "worker/session.h"

/* uv_now() of its loop: the time that the limits are in. */
uint64_t session_now(const struct session *s);

/* What s is at: the command's or transfer's stage once it may have begun. */
enum stage session_stage(const struct session *s);

/* Limits have changed: let the timer fire at the nearest. */
void session_set_timer(struct session *s);

/*
 * Note it if the next step is control's: no deadline of the host runs until
 * session_answered(). Returns true if that is new.
 */
bool session_asks(struct session *s);
void session_answered(struct session *s);

/* --- in session.c, for what ran out of time ------------------------------ */

bool session_is_transfer(const struct session *s);
/* End s, which has its result, whatever its task is about. May free s. */
void session_cut(struct session *s);

#endif
