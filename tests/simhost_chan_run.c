/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What goes through a channel. When what runs in it is over and all its output
 * is sent, the channel ends in steps, each with a stage before it:
 *
 *   RUNNING --exit--> TOLD (exit status sent) --close--> CLOSED (EOF, CLOSE)
 */
#include "config.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "simhost_conn_impl.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/xalloc.h"

#define WRITE_BYTES (64u << 10)

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

/* How much libssh may be given now. */
static size_t
chan_room(const struct chan *ch, size_t max)
{
	uint32_t window = ssh_channel_window_size(ch->channel);

	if (ssh_get_status(ch->conn->session) & SSH_WRITE_PENDING)
		return 0;
	return window < max ? window : max;
}

/* Returns how much of b libssh took. */
static size_t
chan_write(struct chan *ch, struct buf *b)
{
	size_t len =
	    chan_room(ch, buf_len(b) < WRITE_BYTES ? buf_len(b) : WRITE_BYTES);
	int n;

	if (len == 0)
		return 0;
	n = ssh_channel_write(ch->channel, buf_head(b), (uint32_t)len);
	if (n < 0) {
		ch->has_close = true;
		return 0;
	}
	buf_consume(b, (size_t)n);
	return (size_t)n;
}

/* Returns how much was sent of what it makes up. */
static size_t
sim_send(struct chan *ch)
{
	uint64_t now = clock_now_ms(), left = sim_left(ch->sim);
	uint64_t half = sim_half(ch->sim);
	uint8_t piece[SIM_PIECE_MAX];
	size_t len = chan_room(ch, sizeof(piece));
	enum sim_stream stream;
	int n;

	if (!ch->is_past_half && left > half && left - half < len)
		len = (size_t)(left - half);
	len = sim_piece(ch->sim, now, piece, len, &stream);
	if (len == 0) {
		if (sim_due_ms(ch->sim, now) != 0)
			conn_wake_at(ch->conn, sim_due_ms(ch->sim, now));
		return 0;
	}
	n = stream == SIM_OUT
	    ? ssh_channel_write(ch->channel, piece, (uint32_t)len)
	    : ssh_channel_write_stderr(ch->channel, piece, (uint32_t)len);
	if (n < 0) {
		ch->has_close = true;
		return 0;
	}
	sim_sent(ch->sim, stream, (size_t)n);
	return (size_t)n;
}

/* Returns whether it may do more. */
static bool
sim_serve(struct chan *ch)
{
	struct conn *conn = ch->conn;
	struct sim *sim = ch->sim;
	bool has_moved;

	if (ch->is_over)
		return false;
	if (!sim->is_cat)
		buf_consume(&ch->in, buf_len(&ch->in));
	if (!ch->is_past_half && sim_left(sim) == sim_half(sim)) {
		if (!stage_pass(conn, &ch->due_ms, STAGE_STREAM))
			return false;
		ch->is_past_half = true;
	}
	has_moved = sim_send(ch) > 0;
	if (sim_left(sim) > 0 || clock_now_ms() < sim->start_ms)
		return has_moved;
	if (chan_write(ch, &ch->in) > 0)
		has_moved = true;
	ch->is_over = !sim->is_cat ||
	    (ch->has_eof && !ch->has_leftover && buf_len(&ch->in) == 0);
	ch->exit_status = sim->exit_status;
	return has_moved;
}

/* Let what runs work. Returns -1 if the connection is to be dropped. */
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
		if (sftp_due_ms(ch->sftp) != 0)
			conn_wake_at(ch->conn, sftp_due_ms(ch->sftp));
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

/* --- the end --- */

/*
 * libssh has no call for CLOSE without EOF before it: let it believe that it
 * has sent EOF. This is how its struct ssh_channel_struct begins, from 0.8 to
 * 0.12; compared with what its calls tell.
 */
struct channel_head {
	ssh_session session;
	uint32_t local_channel, local_window;
	int has_local_eof;
	uint32_t local_max_packet, remote_channel, remote_window;
};

static void
skip_eof(ssh_channel channel)
{
	struct channel_head *head = (struct channel_head *)(void *)channel;

	if (head->session != ssh_channel_get_session(channel) ||
	    head->remote_window != ssh_channel_window_size(channel) ||
	    head->has_local_eof != 0)
		fatal("no-eof: this libssh has other channels");
	head->has_local_eof = 1;
}

/* The first may return SSH_AGAIN after it sent the EOF only. */
static void
close_channel(ssh_channel channel)
{
	ssh_channel_close(channel);
	ssh_channel_close(channel);
}

/* Whether the command ends in an ordinary way. */
static bool
may_end(struct chan *ch)
{
	struct conn *conn = ch->conn;

	switch (ch->sim != NULL ? ch->sim->end : SIM_CLOSE) {
	case SIM_CLOSE:
	case SIM_HOLD:
	case SIM_NO_EOF:
		break;
	case SIM_RESET:
		conn->fault = FAULT_RESET;
		return false;
	case SIM_HANGUP:
		conn->fault = FAULT_HANGUP;
		return false;
	case SIM_SILENT:
		conn->fault = FAULT_SILENT;
		return false;
	case SIM_DIE:
		kill(getpid(), SIGKILL);
		return false;
	}
	return stage_pass(conn, &ch->due_ms, STAGE_EXIT);
}

static void
tell_exit(struct chan *ch)
{
	const struct sim *sim = ch->sim;

	if (sim != NULL && !sim->has_status)
		return;
	if (sim != NULL && sim->signal != NULL)
		ssh_channel_request_send_exit_signal(
		    ch->channel, sim->signal, 0, "", "");
	else
		ssh_channel_request_send_exit_status(
		    ch->channel, ch->exit_status);
}

/* All is sent. */
static void
chan_finish(struct chan *ch)
{
	if (ch->state == CHAN_RUNNING) {
		if (!may_end(ch))
			return;
		tell_exit(ch);
		ch->state = CHAN_TOLD;
	}
	if (ch->state == CHAN_TOLD) {
		if (ch->sim != NULL && ch->sim->end == SIM_HOLD)
			return;
		if (!stage_pass(ch->conn, &ch->due_ms, STAGE_CLOSE))
			return;
		if (ch->sim != NULL && ch->sim->end == SIM_NO_EOF)
			skip_eof(ch->channel);
		close_channel(ch->channel);
		ch->state = CHAN_CLOSED;
	}
}

/* Close what is over and free what both have closed; whether it is gone. */
static bool
chan_end(struct chan *ch)
{
	ssh_channel channel = ch->channel;

	if (ch->is_over && buf_len(&ch->out) == 0 && !ch->has_close &&
	    (ssh_get_status(ch->conn->session) & SSH_WRITE_PENDING) == 0)
		chan_finish(ch);
	if (!ch->has_close)
		return false;
	close_channel(channel);
	chan_free(ch);
	ssh_channel_free(channel);
	return true;
}

bool
chans_round(struct conn *conn)
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
		if (ch->sim != NULL && sim_serve(ch))
			has_moved = true;
		if (chan_write(ch, &ch->out) > 0 || buf_len(&ch->in) != had)
			has_moved = true;
		if (conn->fault == FAULT_NONE && chan_end(ch))
			has_moved = true;
		if (conn->fault != FAULT_NONE)
			return false;
	}
	return has_moved;
}
