/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * task_exec: run the command of the run on one host (RFC 4254 section 6):
 * open a channel, set the environment, send the command, move stdin to it and
 * its output to control, and learn how it ended.
 */
#ifndef WORKER_TASK_EXEC_H
#define WORKER_TASK_EXEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libssh2.h>

#include "wire/frame.h"
#include "worker/want.h"

struct session;

enum exec_state {
	EXEC_OPEN,
	EXEC_ENV,
	EXEC_START,
	EXEC_STREAM,
};

struct task_exec {
	enum exec_state state;
	LIBSSH2_CHANNEL *channel;
	struct cursor env;    /* variables not sent yet */
	const char *variable; /* the one being sent, "NAME=value" */
	char *command;	      /* with what of env the server refused */
	unsigned turns;
	uint64_t stdin_sent;
	bool is_stdin_done;
	bool has_exit_status; /* the server has sent one */
};

void task_exec_init(struct task_exec *e);
void task_exec_clear(struct task_exec *e);

/* Go on. WANT_END when the session was ended, with its result. */
enum want task_exec_step(struct session *s);

/*
 * The session ends before the end of the command's output. If the server has
 * told how the command ended, and nothing that it sent is left unread, that is
 * its result, with the reason why there is no more output. Returns whether it
 * was.
 */
bool task_exec_told(struct session *s, const char *why);

/*
 * The session ends early: tell the remote process, as far as libssh2 can
 * (channel signal TERM), and close the channel, without waiting.
 */
void task_exec_abort(struct session *s);

/* Every block libssh2 frees passes here: see has_exit_status. */
void task_exec_packet(struct task_exec *e, const uint8_t *data, size_t size);

#endif
