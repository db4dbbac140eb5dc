/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conn: the connections of all hosts, each a libssh session and its channels.
 */
#ifndef TESTS_SIMHOST_CONN_H
#define TESTS_SIMHOST_CONN_H

#include <libssh/libssh.h>
#include <libssh/server.h>
#include <sys/queue.h>

#include "simhost_exec.h"
#include "simhost_loop.h"
#include "simhost_script.h"

struct conn;
LIST_HEAD(conn_list, conn);

struct server {
	struct loop loop;
	ssh_bind bind;	     /* keys and algorithms; it does not listen */
	ssh_bind other_bind; /* with the other key */
	const char *root;
	struct conn_list conns;
	struct exec_list execs;
};

/* Serve an accepted socket as host; fd is closed by and by. */
void conn_accept(struct server *server, struct host *host, int fd);

/* Close all without a word. */
void conns_clear(struct server *server);

#endif
