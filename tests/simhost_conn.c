/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A connection is a libssh session in non-blocking mode with an ssh_event of
 * its own; the loop tells when its socket is ready, ssh_event_dopoll() then
 * lets libssh do its part. One ssh_event for all would be the usual way, but
 * libssh polls from within: ssh_channel_write() flushes by polling whatever
 * else is in the same event, and calls the callbacks of other sessions. So it
 * is kept to this one, and callbacks only append to buffers and set flags;
 * the work is done in conn_run(), the connection's task:
 *
 *   libssh --(data callback)--> chan.in --(sftp, exec)--> chan.out --> libssh
 *
 * Each step is bounded. libssh is given more only when it has sent all it had
 * (ssh_get_status() knows) and the peer's window is open; sftp and exec stop
 * when out is full; what then does not fit into in stays in libssh, which does
 * not open the window again before it is taken.
 */
#include "config.h"

#include "simhost_conn.h"

#include <libssh/callbacks.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "simhost_sftp.h"
#include "util/log.h"
#include "util/xalloc.h"

#define IN_HIGH	    (1u << 20)
#define WRITE_BYTES (64u << 10)
/* So many rounds a turn, for the others' sake. */
#define POLLS_PER_TURN	64
#define ROUNDS_PER_TURN 16

struct chan {
	LIST_ENTRY(chan) entry;
	struct conn *conn;
	ssh_channel channel;
	struct ssh_channel_callbacks_struct callbacks;
	struct buf in, out;
	struct sftp *sftp;
	struct exec *exec;
	bool is_stalled;   /* exec-stall */
	bool has_leftover; /* libssh holds data that in had no room for */
	bool has_eof;	   /* from the peer */
	bool has_close;
	bool is_over; /* what runs in it has ended; out is the rest */
	int exit_status;
	bool has_sent_end; /* exit status and EOF */
};
LIST_HEAD(chan_list, chan);

struct conn {
	LIST_ENTRY(conn) entry;
	struct server *server;
	struct host *host;
	ssh_session session;
	ssh_event event;
	struct ssh_server_callbacks_struct callbacks;
	struct watch watch;
	struct task task;
	int fd;
	struct chan_list chans;
	uint64_t stored; /* bytes of WRITEs */
	bool is_dead;
};

/* --- callbacks: buffers and flags only --- */

static int
on_data(ssh_session session, ssh_channel channel, void *data, uint32_t len,
    int is_stderr, void *arg)
{
	struct chan *ch = arg;
	size_t used = buf_len(&ch->in), n;

	(void)session;
	(void)channel;
	if (is_stderr)
		return (int)len;
	n = used < IN_HIGH ? IN_HIGH - used : 0;
	n = len < n ? len : n;
	buf_append(&ch->in, data, n);
	ch->has_leftover = n < len;
	return (int)n;
}

static void
on_eof(ssh_session session, ssh_channel channel, void *arg)
{
	struct chan *ch = arg;

	(void)session;
	(void)channel;
	ch->has_eof = true;
}

static void
on_close(ssh_session session, ssh_channel channel, void *arg)
{
	struct chan *ch = arg;

	(void)session;
	(void)channel;
	ch->has_close = true;
}

static bool
is_busy(const struct chan *ch)
{
	return ch->sftp != NULL || ch->exec != NULL || ch->is_stalled;
}

/* 0 accepts, 1 refuses. */
static int
on_exec(
    ssh_session session, ssh_channel channel, const char *command, void *arg)
{
	struct chan *ch = arg;
	struct conn *conn = ch->conn;
	struct host *host = conn->host;

	(void)session;
	(void)channel;
	host->counts[C_EXECS]++;
	if (is_busy(ch))
		return 1;
	if (host_has(host, B_EXEC_STALL))
		ch->is_stalled = true;
	else if (host_has(host, B_EXEC_SHA) || host_has(host, B_EXEC_LIES))
		ch->exec = exec_start(&conn->server->loop, &conn->server->execs,
		    host, command, &ch->in, &ch->out, &conn->task);
	else
		return 1;
	return 0;
}

static int
on_subsystem(
    ssh_session session, ssh_channel channel, const char *name, void *arg)
{
	struct chan *ch = arg;
	struct host *host = ch->conn->host;

	(void)session;
	(void)channel;
	if (strcmp(name, "sftp") != 0 || host_has(host, B_NO_SFTP) ||
	    is_busy(ch))
		return 1;
	host->counts[C_SFTPS]++;
	ch->sftp = sftp_new(host, &ch->conn->stored, &ch->out);
	return 0;
}

static ssh_channel
on_channel_open(ssh_session session, void *arg)
{
	struct conn *conn = arg;
	struct chan *ch = xcalloc(1, sizeof(*ch));

	ch->channel = ssh_channel_new(session);
	if (ch->channel == NULL)
		fatal("ssh_channel_new: %s", ssh_get_error(session));
	ch->conn = conn;
	buf_init(&ch->in, IN_HIGH);
	buf_init(&ch->out, SFTP_OUT_MAX);
	ch->callbacks.userdata = ch;
	ch->callbacks.channel_data_function = on_data;
	ch->callbacks.channel_eof_function = on_eof;
	ch->callbacks.channel_close_function = on_close;
	ch->callbacks.channel_exec_request_function = on_exec;
	ch->callbacks.channel_subsystem_request_function = on_subsystem;
	ssh_callbacks_init(&ch->callbacks);
	ssh_set_channel_callbacks(ch->channel, &ch->callbacks);
	LIST_INSERT_HEAD(&conn->chans, ch, entry);
	conn->host->counts[C_CHANNELS]++;
	return ch->channel;
}

static int
on_password(
    ssh_session session, const char *user, const char *password, void *arg)
{
	struct conn *conn = arg;

	(void)session;
	(void)user;
	(void)password;
	conn->host->counts[C_AUTHS]++;
	return SSH_AUTH_SUCCESS;
}

static int
on_pubkey(ssh_session session, const char *user, struct ssh_key_struct *key,
    char state, void *arg)
{
	struct conn *conn = arg;

	(void)session;
	(void)user;
	(void)key;
	if (state == SSH_PUBLICKEY_STATE_NONE) /* only asked whether it may */
		return SSH_AUTH_SUCCESS;
	if (state != SSH_PUBLICKEY_STATE_VALID)
		return SSH_AUTH_DENIED;
	conn->host->counts[C_AUTHS]++;
	return SSH_AUTH_SUCCESS;
}

/* --- channels --- */

static void
chan_free(struct chan *ch)
{
	LIST_REMOVE(ch, entry);
	sftp_free(ch->sftp);
	exec_free(ch->exec);
	buf_clear(&ch->in);
	buf_clear(&ch->out);
	free(ch);
}

/* Take what libssh kept for want of room. */
static void
chan_take_leftover(struct chan *ch)
{
	uint8_t *p;
	size_t room;
	int n;

	while (ch->has_leftover && buf_len(&ch->in) < IN_HIGH) {
		room = IN_HIGH - buf_len(&ch->in);
		if (room > WRITE_BYTES)
			room = WRITE_BYTES;
		p = xmalloc(room); /* it may call on_data(), which appends */
		n = ssh_channel_read_nonblocking(
		    ch->channel, p, (uint32_t)room, 0);
		if (n > 0)
			buf_append(&ch->in, p, (size_t)n);
		else
			ch->has_leftover = false;
		free(p);
	}
}

/* Whether libssh took some of out. */
static bool
chan_send(struct chan *ch)
{
	ssh_session session = ch->conn->session;
	size_t len;
	uint32_t window;
	int n;

	len = buf_len(&ch->out);
	window = ssh_channel_window_size(ch->channel);
	if (len == 0 || window == 0 ||
	    ssh_get_status(session) & SSH_WRITE_PENDING)
		return false;
	if (len > WRITE_BYTES)
		len = WRITE_BYTES;
	if (len > window)
		len = window;
	n = ssh_channel_write(ch->channel, buf_head(&ch->out), (uint32_t)len);
	if (n < 0) {
		ch->has_close = true;
		return false;
	}
	buf_consume(&ch->out, (size_t)n);
	return n > 0;
}

/* Let sftp or exec work. Returns -1 if the connection is to be dropped. */
static int
chan_serve(struct chan *ch)
{
	if (ch->is_stalled)
		buf_consume(&ch->in, buf_len(&ch->in));
	if (ch->is_over)
		return 0;
	if (ch->sftp != NULL) {
		switch (sftp_serve(ch->sftp, &ch->in, &ch->out)) {
		case SFTP_GO_ON:
			ch->is_over = ch->has_eof && !ch->has_leftover &&
			    buf_len(&ch->out) == 0 &&
			    sftp_due_ms(ch->sftp) == 0 &&
			    !sftp_is_stalled(ch->sftp);
			break;
		case SFTP_CLOSE:
			ch->is_over = true;
			ch->exit_status = 255;
			break;
		case SFTP_DROP:
			return -1;
		}
	}
	if (ch->exec != NULL) {
		exec_pump(ch->exec, ch->has_eof && !ch->has_leftover);
		if (exec_is_done(ch->exec)) {
			ch->is_over = true;
			ch->exit_status = ch->exec->exit_status;
		}
	}
	return 0;
}

/*
 * When all is sent, send the exit status, EOF and CLOSE; when the peer has
 * closed too, free the channel. Returns whether it is gone.
 */
static bool
chan_end(struct chan *ch)
{
	bool may_send =
	    (ssh_get_status(ch->conn->session) & SSH_WRITE_PENDING) == 0;

	if (ch->is_over && buf_len(&ch->out) == 0 && !ch->has_sent_end &&
	    !ch->has_close && may_send) {
		ch->has_sent_end = true;
		ssh_channel_request_send_exit_status(
		    ch->channel, ch->exit_status);
		/* The first may return SSH_AGAIN after it sent the EOF only. */
		ssh_channel_close(ch->channel);
		ssh_channel_close(ch->channel);
	}
	if (!ch->has_close)
		return false;
	ssh_channel_close(ch->channel);
	ssh_channel_close(ch->channel);
	ssh_remove_channel_callbacks(ch->channel, &ch->callbacks);
	ssh_channel_free(ch->channel);
	chan_free(ch);
	return true;
}

/* --- connections --- */

static void
conn_free(struct conn *conn)
{
	struct loop *loop = &conn->server->loop;
	struct chan *ch;

	loop_cancel(loop, &conn->task);
	/* libssh closed the socket if the peer ended the connection. */
	if (ssh_get_fd(conn->session) == conn->fd)
		loop_unwatch(loop, conn->fd, &conn->watch);
	else
		loop_forget(&conn->watch);
	while ((ch = LIST_FIRST(&conn->chans)) != NULL) {
		ssh_remove_channel_callbacks(ch->channel, &ch->callbacks);
		chan_free(ch);
	}
	ssh_event_remove_session(conn->event, conn->session);
	ssh_event_free(conn->event);
	ssh_free(conn->session);
	LIST_REMOVE(conn, entry);
	loop_free_later(loop, conn);
}

static void
conn_poll(struct conn *conn)
{
	int i, rc = SSH_OK;

	for (i = 0; i < POLLS_PER_TURN && rc != SSH_AGAIN; i++) {
		rc = ssh_event_dopoll(conn->event, 0);
		if (rc == SSH_ERROR ||
		    ssh_get_status(conn->session) &
			(SSH_CLOSED | SSH_CLOSED_ERROR)) {
			conn->is_dead = true;
			return;
		}
	}
}

/* One round over all channels; returns whether another may do more. */
static bool
conn_round(struct conn *conn)
{
	struct chan *ch, *next;
	bool has_moved = false;
	size_t had;

	for (ch = LIST_FIRST(&conn->chans); ch != NULL; ch = next) {
		next = LIST_NEXT(ch, entry);
		chan_take_leftover(ch);
		had = buf_len(&ch->in);
		if (chan_serve(ch) == -1) {
			conn->is_dead = true;
			return false;
		}
		if (chan_send(ch) || buf_len(&ch->in) != had)
			has_moved = true;
		if (chan_end(ch))
			has_moved = true;
	}
	return has_moved;
}

static void
conn_run(void *arg)
{
	struct conn *conn = arg;
	struct loop *loop = &conn->server->loop;
	uint64_t due_ms = 0, first = 0;
	bool has_moved = true;
	struct chan *ch;
	int i;

	conn_poll(conn);
	for (i = 0; i < ROUNDS_PER_TURN && has_moved && !conn->is_dead; i++)
		has_moved = conn_round(conn);
	if (!conn->is_dead &&
	    ssh_get_status(conn->session) & (SSH_CLOSED | SSH_CLOSED_ERROR))
		conn->is_dead = true;
	if (conn->is_dead) {
		conn_free(conn);
		return;
	}
	if (has_moved)
		loop_wake(loop, &conn->task);
	LIST_FOREACH(ch, &conn->chans, entry)
	{
		due_ms = ch->sftp != NULL ? sftp_due_ms(ch->sftp) : 0;
		if (due_ms != 0 && (first == 0 || due_ms < first))
			first = due_ms;
	}
	loop_wake_at(loop, &conn->task, first);
	loop_watch(loop, conn->fd, &conn->watch,
	    EPOLLIN |
		(ssh_get_poll_flags(conn->session) & SSH_WRITE_PENDING
			? (uint32_t)EPOLLOUT
			: 0));
}

static void
conn_ready(void *arg, uint32_t events)
{
	struct conn *conn = arg;

	(void)events;
	conn_run(conn);
}

void
conn_accept(struct server *server, struct host *host, int fd)
{
	struct conn *conn = xcalloc(1, sizeof(*conn));
	struct ssh_server_callbacks_struct *cb = &conn->callbacks;

	conn->server = server;
	conn->host = host;
	conn->fd = fd;
	LIST_INIT(&conn->chans);
	conn->session = ssh_new();
	conn->event = ssh_event_new();
	if (conn->session == NULL || conn->event == NULL)
		fatal("no memory for a session");
	if (ssh_bind_accept_fd(server->bind, conn->session, fd) != SSH_OK)
		fatal("ssh_bind_accept_fd: %s", ssh_get_error(server->bind));
	cb->userdata = conn;
	cb->auth_password_function = on_password;
	cb->auth_pubkey_function = on_pubkey;
	cb->channel_open_request_session_function = on_channel_open;
	ssh_callbacks_init(cb);
	ssh_set_server_callbacks(conn->session, cb);
	ssh_set_auth_methods(conn->session,
	    SSH_AUTH_METHOD_PASSWORD | SSH_AUTH_METHOD_PUBLICKEY);
	ssh_set_blocking(conn->session, 0);
	conn->task = (struct task){.fn = conn_run, .arg = conn};
	conn->watch = (struct watch){.fn = conn_ready, .arg = conn};
	LIST_INSERT_HEAD(&server->conns, conn, entry);
	loop_watch(&server->loop, fd, &conn->watch, EPOLLIN);
	host->counts[C_CONNECTIONS]++;
	/* Sends the banner and sets up the state machine; it goes on in the
	 * callbacks of packets. */
	if (ssh_handle_key_exchange(conn->session) == SSH_ERROR ||
	    ssh_event_add_session(conn->event, conn->session) != SSH_OK) {
		conn_free(conn);
		return;
	}
	loop_wake(&server->loop, &conn->task);
}

void
conns_clear(struct server *server)
{
	struct conn *conn;

	while ((conn = LIST_FIRST(&server->conns)) != NULL)
		conn_free(conn);
}
