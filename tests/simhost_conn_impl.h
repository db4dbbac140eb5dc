/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files share that serve a connection: simhost_conn.c (its states,
 * libssh), _stage.c (faults), _rekey.c, _auth.c, _chan.c (what channels are
 * asked for), _chan_run.c (what goes through them).
 */
#ifndef TESTS_SIMHOST_CONN_IMPL_H
#define TESTS_SIMHOST_CONN_IMPL_H

#include <libssh/callbacks.h>
#include <stdbool.h>
#include <stdint.h>

#include "simhost_conn.h"
#include "simhost_raw.h"
#include "simhost_sftp.h"
#include "simhost_sim.h"
#include "util/buf.h"

/* Of what a client sent and nobody took yet. */
#define IN_HIGH (1u << 20)

struct chan;
LIST_HEAD(chan_list, chan);

enum conn_state {
	CONN_CONNECT,
	CONN_BANNER,
	CONN_KEX,
	CONN_SSH,
	CONN_RAW /* not SSH, or no more */
};

/* How a connection goes wrong. */
enum fault {
	FAULT_NONE,
	FAULT_SILENT,
	FAULT_RESET,
	FAULT_HANGUP,
	FAULT_DISCONNECT
};

struct conn {
	LIST_ENTRY(conn) entry;
	struct server *server;
	struct host *host;
	bool is_first; /* of its host */
	enum conn_state state;
	struct watch watch;
	struct task task;
	int fd;
	uint64_t due_ms;  /* of stage_pass() */
	uint64_t wake_ms; /* when to run again; 0: if something happens */
	bool is_dead;
	enum fault fault;	/* strikes when all was sent */
	const char *fault_text; /* what FAULT_DISCONNECT says */
	struct raw raw;

	ssh_session session; /* from the end of CONN_BANNER until CONN_RAW */
	ssh_event event;
	ssh_message message; /* that has no answer yet */
	bool has_begun_auth;
	bool is_let_in;
	bool has_key;	  /* partial: one was accepted */
	bool has_expired; /* change-password: it was told to */
	uint64_t denied;  /* authentication requests */
	struct chan_list chans;
	uint64_t stored; /* bytes of WRITEs */
};

enum chan_state { CHAN_RUNNING, CHAN_TOLD, CHAN_CLOSED };

struct chan {
	LIST_ENTRY(chan) entry;
	struct conn *conn;
	ssh_channel channel;
	struct ssh_channel_callbacks_struct callbacks;
	struct buf in, out;
	struct sftp *sftp;
	struct exec *exec;
	struct sim *sim;
	bool is_stalled;   /* exec-stall */
	bool is_past_half; /* of what sim writes */
	bool has_leftover; /* libssh holds data that in had no room for */
	bool has_eof;	   /* from the peer */
	bool has_close;
	bool is_over; /* what runs in it has ended; out is the rest */
	int exit_status;
	enum chan_state state;
	uint64_t due_ms; /* of stage_pass() */
};

/* Run the connection again at this time, or before. */
void conn_wake_at(struct conn *conn, uint64_t due_ms);

/* --- simhost_rekey.c --- */

void rekey_init(struct conn *conn);
/* Keys that are exchanged from now on are later ones. */
void rekey_let_in(struct conn *conn);
/* What libssh does from now on is for this connection; NULL: for no one. */
void rekey_serve(const struct conn *conn);

/* --- simhost_stage.c --- */

/*
 * The connection has come to this stage. Returns true if it goes on at once;
 * else it is to ask again when it runs again (delay=; due_ms is 0 at first and
 * tells then until when), or conn->fault is set.
 */
bool stage_pass(struct conn *conn, uint64_t *due_ms, enum stage stage);

/* The stage that a request brings; STAGE_COUNT: none. */
enum stage stage_of_request(const struct conn *conn, ssh_message message);

/* Whether anything happens at this stage. */
bool stage_has(const struct host *h, enum stage stage);

/* --- simhost_auth.c --- */

/* Answer an authentication request. */
void auth_serve(struct conn *conn, ssh_message message);
/* Offer the host's methods. */
void auth_init(struct conn *conn);

/* --- simhost_chan.c --- */

/* Answer a request to open a channel. */
void chan_open(struct conn *conn, ssh_message message);
/* Answer a request on a channel. */
void chan_request(struct conn *conn, ssh_message message);
/* Whether it is one of a command that will not be refused. */
bool chan_is_command(struct conn *conn, ssh_message message);
/* Forget a channel; libssh still has its own. */
void chan_free(struct chan *ch);
/* Forget all channels; the session is about to be freed. */
void chans_clear(struct conn *conn);

/* --- simhost_chan_run.c --- */

/*
 * One round over all channels. Returns whether another may do more;
 * conn->is_dead and conn->fault may be set.
 */
bool chans_round(struct conn *conn);

#endif
