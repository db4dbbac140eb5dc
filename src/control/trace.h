/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * trace: the events of a run, in words, for -v, -vv and -debug. No secret is
 * among them: not the command, no password, no bytes of a frame.
 */
#ifndef CONTROL_TRACE_H
#define CONTROL_TRACE_H

#include <stdint.h>

#include "control/run.h"
#include "report/report.h"
#include "wire/frame.h"

/* Worker i is ready, with a sandbox, if it is on, that lacks that. */
void trace_ready(const struct run *run, uint32_t i, const char *missing);
/* An attempt begins: its job frame goes to worker i. */
void trace_begin(const struct run *run, uint32_t job, uint32_t i);
/* The host has presented a key, and this is the verdict. */
void trace_hostkey(const struct run *run, uint32_t job,
    const struct msg_hostkey *msg, const struct msg_verdict *verdict);
/* It is to be signed with the key that the job's note names. */
void trace_sign(const struct run *run, uint32_t job);
/* The server has refused a login with that key or method. */
void trace_auth_refused(
    const struct run *run, uint32_t job, const struct msg_auth_refused *msg);
void trace_authenticated(
    const struct run *run, uint32_t job, const char *method);
/* The command was sent, or the first write of a transfer. */
void trace_started(const struct run *run, uint32_t job);
/* The attempt has ended so, and another one will follow. */
void trace_retry(const struct record *record);
void trace_end(const struct record *record);

#endif
