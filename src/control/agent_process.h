/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * agent_process: the ssh-agent(1) behind a private agent (see agent.h), and
 * ssh-add(1) that fills it.
 */
#ifndef CONTROL_AGENT_PROCESS_H
#define CONTROL_AGENT_PROCESS_H

#include "util/error.h"

struct agent_process;

/*
 * Make a directory for the socket and start ssh-agent; its socket is not there
 * yet when this returns. Blocks SIGINT, SIGQUIT, SIGTERM and SIGHUP until
 * agent_process_seal() or _stop(). NULL with err on failure.
 */
struct agent_process *agent_process_start(struct error *err);

/* Path of the socket, owned by p. */
const char *agent_process_socket(const struct agent_process *p);

/* 0 as long as it runs; else -1 with err. */
int agent_process_check(struct agent_process *p, struct error *err);

/* Run ssh-add; see agent_private_add(). */
int agent_process_add(
    struct agent_process *p, const char *path, struct error *err);

/* Remove socket and directory; the process goes on. May be repeated. */
void agent_process_seal(struct agent_process *p);

/* Seal, kill, reap and free. NULL is fine. */
void agent_process_stop(struct agent_process *p);

#endif
