/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * exec: a command of a host, run by /bin/sh in the host's directory. Its stdout
 * is collected in a buffer, its stderr is thrown away.
 */
#ifndef TESTS_SIMHOST_EXEC_H
#define TESTS_SIMHOST_EXEC_H

#include <stdbool.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "simhost_loop.h"
#include "simhost_script.h"
#include "util/buf.h"

struct exec {
	LIST_ENTRY(exec) entry;
	struct loop *loop;
	struct task *task; /* to wake when something happened */
	struct buf *in;	   /* for its stdin */
	struct buf *out;   /* from its stdout */
	struct watch stdin_watch, stdout_watch;
	int stdin_fd, stdout_fd;
	pid_t pid; /* reaped by exec_free() only */
	bool has_exited;
	int exit_status; /* as a shell tells it: 128 and up for a signal */
	bool is_liar;	 /* exec-lies */
	bool is_line_start;
};
LIST_HEAD(exec_list, exec);

/* Start command. in, out and task must outlive the result. */
struct exec *exec_start(struct loop *l, struct exec_list *list,
    const struct host *host, const char *command, struct buf *in,
    struct buf *out, struct task *task);

/* Pass on what is in in, and read more if out has room; eof: in is all. */
void exec_pump(struct exec *e, bool eof);

/* Ended, and all its output is in out. */
bool exec_is_done(const struct exec *e);

/* Kill what is left of it; e is then invalid. NULL is fine. */
void exec_free(struct exec *e);

/* After SIGCHLD: see who has ended, and wake those concerned. */
void exec_look(struct exec_list *list);

#endif
