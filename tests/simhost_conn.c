/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A connection is in one of these states; a stage is passed at the end of each,
 * where the host may wait or go wrong (simhost_stage.c):
 *
 *   CONNECT  accepted, nothing was sent        -> BANNER
 *   BANNER   send the banner                   -> KEX, or RAW (banner=)
 *   KEX      wait for the client's KEXINIT     -> SSH
 *   SSH      libssh works; the later stages
 *   RAW      what is left when there is no SSH, or none any more
 *
 * In SSH it is a libssh session in non-blocking mode with an ssh_event of
 * its own; the loop tells when its socket is ready, ssh_event_dopoll() then
 * lets libssh do its part. One ssh_event for all would be the usual way, but
 * libssh polls from within: ssh_channel_write() flushes by polling whatever
 * else is in the same event, and calls the callbacks of other sessions. So it
 * is kept to this one, and callbacks only append to buffers and set flags;
 * the work is done in conn_run(), the connection's task:
 *
 *   libssh --(ssh_message_get)--> auth_serve(), chan_open(), chan_request()
 *   libssh --(data callback)--> chan.in --(sftp, exec)--> chan.out --> libssh
 *
 * Requests come as messages, so that an answer can be late or never come.
 * Each step is bounded. libssh is given more only when it has sent all it had
 * (ssh_get_status() knows) and the peer's window is open; sftp and exec stop
 * when out is full; what then does not fit into in stays in libssh, which does
 * not open the window again before it is taken.
 *
 * A fault strikes when libssh has sent all. The socket is then taken away from
 * it, and the session freed: a thousand silent hosts are a thousand sockets.
 */
#include "config.h"

#include "simhost_conn.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "simhost_conn_impl.h"
#include "util/fdio.h"
#include "util/log.h"
#include "util/xalloc.h"

/* So many rounds a turn, for the others' sake. */
#define POLLS_PER_TURN	64
#define ROUNDS_PER_TURN 16
/* More than a client sends before it has our KEXINIT. */
#define PEEK_BYTES  8192
#define MSG_KEXINIT 20

void
conn_wake_at(struct conn *conn, uint64_t due_ms)
{
	if (conn->wake_ms == 0 || due_ms < conn->wake_ms)
		conn->wake_ms = due_ms;
}

/*
 * All was sent, and libssh has learnt since that it may write: what it is told
 * to send now goes out at once. In CONN_SSH only.
 */
static bool
is_idle(const struct conn *conn)
{
	return ((ssh_get_status(conn->session) |
		    ssh_get_poll_flags(conn->session)) &
		   SSH_WRITE_PENDING) == 0;
}

/* --- the end --- */

/* No call of conn_ready() any more; fd will be closed. */
static void
conn_unwatch(struct conn *conn)
{
	struct loop *loop = &conn->server->loop;

	/* libssh closed the socket if the peer ended the connection. */
	if (conn->session == NULL || ssh_get_fd(conn->session) == conn->fd)
		loop_unwatch(loop, conn->fd, &conn->watch);
	else
		loop_forget(&conn->watch);
}

/* Closes libssh's descriptor, with SSH_MSG_DISCONNECT unless text is NULL. */
static void
session_free(struct conn *conn, const char *text)
{
	SSH_MESSAGE_FREE(conn->message);
	chans_clear(conn);
	ssh_event_remove_session(conn->event, conn->session);
	ssh_event_free(conn->event);
	if (text != NULL) {
		ssh_session_set_disconnect_message(conn->session, text);
		ssh_disconnect(conn->session);
	}
	ssh_free(conn->session);
	conn->session = NULL;
}

static void
conn_free(struct conn *conn)
{
	uint64_t *counts = conn->host->counts;

	loop_cancel(&conn->server->loop, &conn->task);
	conn_unwatch(conn);
	if (conn->session != NULL)
		session_free(conn, NULL);
	else
		close(conn->fd);
	raw_clear(&conn->raw);
	counts[C_OPEN]--;
	if (!conn->is_let_in)
		counts[C_STARTUPS]--;
	LIST_REMOVE(conn, entry);
	loop_free_later(&conn->server->loop, conn);
}

static void conn_ready(void *arg, uint32_t events);

/* Go on without libssh, but with the connection. */
static void
conn_cut(struct conn *conn, const char *text)
{
	int fd = fcntl(conn->fd, F_DUPFD_CLOEXEC, 0);

	if (fd == -1)
		fatal("dup: %s", strerror(errno));
	conn_unwatch(conn);
	session_free(conn, text);
	conn->fd = fd;
	conn->watch.fn = conn_ready;
}

/* To be called when all was sent; libssh sends its last packet at once. */
static void
conn_strike(struct conn *conn)
{
	struct linger none = {.l_onoff = 1, .l_linger = 0};
	const char *text = NULL;

	if (conn->fault == FAULT_RESET) {
		setsockopt(
		    conn->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
		conn->is_dead = true;
		return;
	}
	if (conn->fault == FAULT_DISCONNECT)
		text = conn->fault_text;
	/* Before keys are agreed, with what libssh did not read, it can't. */
	if (text != NULL && conn->state == CONN_KEX)
		raw_put_disconnect(&conn->raw, text);
	if (conn->session != NULL)
		conn_cut(conn, conn->state == CONN_SSH ? text : NULL);
	conn->raw.ends = conn->fault != FAULT_SILENT;
	conn->fault = FAULT_NONE;
	conn->state = CONN_RAW;
}

/* --- before the keys are agreed --- */

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

/* Nothing is readable, for poll(2) and epoll(7), before so many bytes. */
static void
set_low_water(int fd, int bytes)
{
	if (setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof(bytes)) ==
	    -1)
		fatal("SO_RCVLOWAT: %s", strerror(errno));
}

static ssh_bind
bind_of(const struct conn *conn)
{
	const struct host *h = conn->host;

	return host_has(h, B_OTHER_KEY) ||
		(host_has(h, B_CHANGING_KEY) && !conn->is_first)
	    ? conn->server->other_bind
	    : conn->server->bind;
}

/*
 * Give the socket to libssh, which sends its banner. If something is to happen
 * before our KEXINIT, the client's banner is not read yet.
 */
static void
session_start(struct conn *conn)
{
	bool is_held = stage_has(conn->host, STAGE_KEX);
	ssh_bind bind = bind_of(conn);

	if (is_held)
		set_low_water(conn->fd, PEEK_BYTES);
	conn->session = ssh_new();
	conn->event = ssh_event_new();
	if (conn->session == NULL || conn->event == NULL)
		fatal("no memory for a session");
	if (ssh_bind_accept_fd(bind, conn->session, conn->fd) != SSH_OK)
		fatal("ssh_bind_accept_fd: %s", ssh_get_error(bind));
	auth_init(conn);
	rekey_init(conn);
	ssh_set_blocking(conn->session, 0);
	/* Sets up the state machine; it goes on in the callbacks of packets. */
	if (ssh_handle_key_exchange(conn->session) == SSH_ERROR ||
	    ssh_event_add_session(conn->event, conn->session) != SSH_OK) {
		conn->is_dead = true;
		return;
	}
	if (is_held) {
		conn_poll(conn);
		if (!conn->is_dead)
			set_low_water(conn->fd, 1);
	}
}

/* A socket that nothing was written to takes a few bytes. */
static void
say(struct conn *conn)
{
	if (fd_flush(conn->fd, &conn->raw.out) == -1 ||
	    buf_len(&conn->raw.out) > 0)
		conn->is_dead = true;
}

static uint32_t
step_connect(struct conn *conn)
{
	if (stage_pass(conn, &conn->due_ms, STAGE_CONNECT))
		conn->state = CONN_BANNER;
	return EPOLLRDHUP;
}

static uint32_t
step_banner(struct conn *conn)
{
	const struct host *h = conn->host;

	if (!stage_pass(conn, &conn->due_ms, STAGE_BANNER)) {
		if (conn->fault != FAULT_NONE) {
			buf_puts(&conn->raw.out, "SSH-2.0-sim");
			say(conn);
		}
		return EPOLLRDHUP;
	}
	if (host_has(h, B_BANNER)) {
		if (!raw_put_banner(&conn->raw,
			(enum banner_kind)host_number(h, B_BANNER),
			h->values[B_SAYS].text)) {
			conn->state = CONN_RAW;
			return EPOLLRDHUP;
		}
		say(conn);
	}
	session_start(conn);
	conn->state = CONN_KEX;
	return EPOLLIN;
}

/* Whether the client's banner and the head of its KEXINIT can be read. */
static bool
kexinit_has_come(const struct conn *conn)
{
	uint8_t bytes[PEEK_BYTES], *packet;
	ssize_t n = recv(conn->fd, bytes, sizeof(bytes), MSG_PEEK);

	packet = n > 0 ? memchr(bytes, '\n', (size_t)n) : NULL;
	/* length (4 bytes), length of padding, type */
	return packet != NULL && bytes + n - packet > 6 &&
	    packet[6] == MSG_KEXINIT;
}

/* What cannot be read yet is told once (EPOLLET): libssh does not take it. */
static uint32_t
step_kex(struct conn *conn)
{
	if (!stage_has(conn->host, STAGE_KEX) ||
	    (kexinit_has_come(conn) &&
		stage_pass(conn, &conn->due_ms, STAGE_KEX)))
		conn->state = CONN_SSH;
	return EPOLLIN | EPOLLRDHUP | (uint32_t)EPOLLET;
}

/* --- libssh --- */

static void
count_request(struct conn *conn, ssh_message message)
{
	if (ssh_message_type(message) == SSH_REQUEST_AUTH &&
	    ssh_message_subtype(message) != SSH_AUTH_METHOD_NONE &&
	    !ssh_message_auth_kbdint_is_response(message))
		conn->host->counts[C_AUTH_TRIES]++;
	if (chan_is_command(conn, message))
		conn->host->counts[C_EXECS]++;
}

static void
serve_request(struct conn *conn, ssh_message message)
{
	switch (ssh_message_type(message)) {
	case SSH_REQUEST_SERVICE:
		ssh_message_service_reply_success(message);
		break;
	case SSH_REQUEST_AUTH:
		auth_serve(conn, message);
		break;
	case SSH_REQUEST_CHANNEL_OPEN:
		chan_open(conn, message);
		break;
	case SSH_REQUEST_CHANNEL:
		chan_request(conn, message);
		break;
	default:
		ssh_message_reply_default(message);
	}
}

/* Answer requests until one must wait. Returns whether there was any. */
static bool
serve_requests(struct conn *conn)
{
	bool has_any = false;
	enum stage stage;

	for (;; has_any = true) {
		if (conn->message == NULL) {
			conn->message = ssh_message_get(conn->session);
			if (conn->message == NULL)
				return has_any;
			count_request(conn, conn->message);
		}
		stage = stage_of_request(conn, conn->message);
		if (stage != STAGE_COUNT &&
		    !stage_pass(conn, &conn->due_ms, stage))
			return has_any;
		if (stage == STAGE_AUTH)
			conn->has_begun_auth = true;
		serve_request(conn, conn->message);
		SSH_MESSAGE_FREE(conn->message);
		if (conn->fault != FAULT_NONE)
			return has_any;
	}
}

static uint32_t
step_ssh(struct conn *conn)
{
	bool has_moved = true;
	int i;

	rekey_serve(conn);
	conn_poll(conn);
	for (i = 0; i < ROUNDS_PER_TURN && has_moved && !conn->is_dead &&
	     conn->fault == FAULT_NONE;
	     i++) {
		has_moved = serve_requests(conn);
		if (conn->fault == FAULT_NONE && chans_round(conn))
			has_moved = true;
	}
	rekey_serve(NULL);
	if (ssh_get_status(conn->session) & (SSH_CLOSED | SSH_CLOSED_ERROR))
		conn->is_dead = true;
	if (has_moved && conn->fault == FAULT_NONE)
		loop_wake(&conn->server->loop, &conn->task);
	return EPOLLIN |
	    (ssh_get_poll_flags(conn->session) & SSH_WRITE_PENDING
		    ? (uint32_t)EPOLLOUT
		    : 0);
}

/* --- all states --- */

static uint32_t
step_raw(struct conn *conn)
{
	uint32_t events = raw_step(&conn->raw, conn->fd);

	if (events == 0)
		conn->is_dead = true;
	return events;
}

/* Returns the events of epoll to wait for. */
static uint32_t
conn_step(struct conn *conn)
{
	switch (conn->state) {
	case CONN_CONNECT:
		return step_connect(conn);
	case CONN_BANNER:
		return step_banner(conn);
	case CONN_KEX:
		return step_kex(conn);
	case CONN_SSH:
		return step_ssh(conn);
	case CONN_RAW:
		return step_raw(conn);
	}
	return 0;
}

static void
conn_run(void *arg)
{
	struct conn *conn = arg;
	struct loop *loop = &conn->server->loop;
	enum conn_state before;
	uint32_t events;

	do {
		before = conn->state;
		conn->wake_ms = 0;
		events = conn_step(conn);
		if (conn->fault != FAULT_NONE && !conn->is_dead &&
		    (conn->state != CONN_SSH || is_idle(conn)))
			conn_strike(conn);
	} while (conn->state != before && !conn->is_dead);
	if (conn->is_dead) {
		conn_free(conn);
		return;
	}
	loop_wake_at(loop, &conn->task, conn->wake_ms);
	loop_watch(loop, conn->fd, &conn->watch, events);
}

static void
conn_ready(void *arg, uint32_t events)
{
	struct conn *conn = arg;

	/* In CONN_SSH libssh sees it, after what came before. */
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR) &&
	    conn->state != CONN_SSH)
		conn_free(conn);
	else
		conn_run(conn);
}

void
conn_accept(struct server *server, struct host *listener, int fd)
{
	struct conn *conn = xcalloc(1, sizeof(*conn));
	struct host *host = host_for_connection(listener);
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	count_up(host->counts, C_OPEN, C_MAX_OPEN);
	count_up(host->counts, C_STARTUPS, C_MAX_STARTUPS);
	conn->server = server;
	conn->host = host;
	conn->fd = fd;
	conn->is_first = host->counts[C_CONNECTIONS] == 1;
	conn->state = CONN_CONNECT;
	LIST_INIT(&conn->chans);
	raw_init(&conn->raw);
	conn->task = (struct task){.fn = conn_run, .arg = conn};
	conn->watch = (struct watch){.fn = conn_ready, .arg = conn};
	LIST_INSERT_HEAD(&server->conns, conn, entry);
	loop_wake(&server->loop, &conn->task);
}

void
conns_clear(struct server *server)
{
	struct conn *conn;

	while ((conn = LIST_FIRST(&server->conns)) != NULL)
		conn_free(conn);
}
