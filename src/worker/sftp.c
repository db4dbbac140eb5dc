/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is sent is one stream: the packets in out, with at most one write's
 * contents after a part of them ("body").
 */
#include "config.h"

#include "worker/sftp.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "worker/session.h"
#include "worker/sftp_impl.h"
#include "worker/worker.h"

#define CHANNEL_PACKET_BYTES 32768u
#define CHUNK_BYTES	     32768u
/* What every server takes; more if it tells its limits. */
#define REQUEST_BYTES 32768u
/* Sent before other sessions have their turn. */
#define TURN_BYTES (1u << 20)
/* Writes on their way: at first, at least, at most. */
#define WRITES_START  (1u << 20)
#define WRITES_LEAST  (256u << 10)
#define WRITES_MOST   (4u << 20)
#define PACE_EVERY_MS 250u
#define OUT_HIGH      (64u * 1024)
#define REQUESTS_HIGH 512u

void
sftp_init(struct sftp *f)
{
	memset(f, 0, sizeof(*f));
	buf_init(&f->out, 16u << 20); /* a bound for bugs */
	buf_init(&f->in, SFTP_REPLY_BYTES_MAX + SFTP_HEADER_BYTES);
	f->read_max = f->write_max = REQUEST_BYTES;
	f->writes_max = WRITES_START;
	f->free_slot = SFTP_SLOT_NONE;
}

void
sftp_clear(struct sftp *f)
{
	buf_clear(&f->out);
	buf_clear(&f->in);
	free(f->requests);
	sftp_init(f);
}

void
sftp_fault(struct sftp *f, const char *fmt, ...)
{
	va_list ap;

	if (f->fault[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(f->fault, sizeof(f->fault), fmt, ap);
	va_end(ap);
}

/* --- how much at once ---------------------------------------------------- */

bool
sftp_has_room(const struct sftp *f)
{
	return f->count < REQUESTS_HIGH && buf_len(&f->out) < OUT_HIGH;
}

bool
sftp_can_write(const struct sftp *f)
{
	return sftp_has_room(f) && f->body.left == 0 &&
	    f->writing < f->writes_max && !sftp_turn_is_over(f);
}

bool
sftp_turn_is_over(const struct sftp *f)
{
	return f->turn_bytes >= TURN_BYTES;
}

void
sftp_pace(struct sftp *f, uint64_t now_ms)
{
	uint64_t ms = now_ms - f->paced_ms, per_s;

	if (ms < PACE_EVERY_MS)
		return;
	if (f->written > 0 && f->paced_ms > 0) {
		per_s = f->written * 1000 / ms;
		f->writes_max = per_s < WRITES_LEAST ? WRITES_LEAST
		    : per_s > WRITES_MOST	     ? WRITES_MOST
						     : (size_t)per_s;
	}
	f->written = 0;
	f->paced_ms = now_ms;
}

bool
sftp_can_read(const struct sftp *f, size_t in_flight_max)
{
	return sftp_has_room(f) && f->reading < in_flight_max;
}

/* --- sending ------------------------------------------------------------- */

/*
 * The next bytes of body into chunk. What can't be read is made up, since the
 * packet's length is out already, and its request will fail.
 */
static size_t
body_read(struct sftp *f, uint8_t *chunk)
{
	size_t len = f->body.left < CHUNK_BYTES ? f->body.left : CHUNK_BYTES;
	size_t got = 0;
	ssize_t n;

	while (got < len) {
		n = pread(f->body.fd, chunk + got, len - got,
		    (off_t)(f->body.offset + got));
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			f->requests[f->body.slot].error =
			    n == 0 ? ENODATA : errno;
			memset(chunk + got, 0, len - got);
			break;
		}
		got += (size_t)n;
	}
	return len;
}

/* Hand the channel the next bytes: how many it took, or libssh2's error. */
static ssize_t
flush_some(struct sftp *f)
{
	uint8_t chunk[CHUNK_BYTES];
	size_t len = buf_len(&f->out);
	ssize_t n;

	if (f->body.left > 0 && f->body.after == 0) {
		len = body_read(f, chunk);
		n = libssh2_channel_write_ex(f->channel, 0, (char *)chunk, len);
		if (n > 0) {
			f->body.offset += (uint64_t)n;
			f->body.left -= (size_t)n;
		}
		return n;
	}
	if (f->body.left > 0)
		len = f->body.after;
	if (len == 0)
		return LIBSSH2_ERROR_EAGAIN;
	n = libssh2_channel_write_ex(
	    f->channel, 0, (char *)buf_head(&f->out), len);
	if (n > 0) {
		buf_consume(&f->out, (size_t)n);
		if (f->body.left > 0)
			f->body.after -= (size_t)n;
	}
	return n;
}

int
sftp_flush(struct session *s, struct sftp *f)
{
	ssize_t n;

	while (!sftp_turn_is_over(f)) {
		if (buf_len(&s->transport.out) > TRANSPORT_QUEUE_HIGH) {
			transport_flush(&s->transport);
			if (transport_wants_write(&s->transport))
				break;
		}
		n = flush_some(f);
		if (n == LIBSSH2_ERROR_EAGAIN || n == 0)
			break;
		if (n < 0) {
			session_broken(s, STAGE_TRANSFER, (int)n,
			    "writing to the SFTP server");
			return -1;
		}
		f->turn_bytes += (size_t)n;
		f->sent += (uint64_t)n;
		session_active(s);
	}
	return 0;
}

/* --- receiving ----------------------------------------------------------- */

static int
channel_ended(struct session *s, struct sftp *f)
{
	if (!libssh2_channel_eof(f->channel))
		return 0;
	if (!f->has_version)
		session_end(s, STATUS_TRANSFER, STAGE_CHANNEL,
		    "the host has no SFTP server, or it ended at once");
	else
		session_end(s, s->is_started ? STATUS_LOST : STATUS_TRANSFER,
		    STAGE_TRANSFER, "the SFTP server has ended");
	return -1;
}

int
sftp_receive(struct session *s, struct sftp *f)
{
	uint8_t chunk[CHUNK_BYTES];
	size_t used, n;
	ssize_t got;

	got = libssh2_channel_read_ex(
	    f->channel, 0, (char *)chunk, sizeof(chunk));
	if (got == LIBSSH2_ERROR_EAGAIN || got == 0)
		return channel_ended(s, f);
	if (got < 0) {
		session_broken(s, STAGE_TRANSFER, (int)got,
		    "reading from the SFTP server");
		return -1;
	}
	session_active(s);
	for (used = 0; used < (size_t)got && f->fault[0] == '\0'; used += n)
		n = sftp_reply_take(f, chunk + used, (size_t)got - used);
	if (f->fault[0] == '\0')
		return 1;
	session_end(s, s->is_started ? STATUS_LOST : STATUS_TRANSFER,
	    STAGE_TRANSFER, "the SFTP server is broken: %s", f->fault);
	return -1;
}

/* --- start --------------------------------------------------------------- */

static enum want
start_channel(struct session *s, struct sftp *f)
{
	const struct msg_config *config = worker_config(s->worker);
	int rc;

	f->channel =
	    libssh2_channel_open_ex(s->ssh, "session", sizeof("session") - 1,
		config->channel_window, CHANNEL_PACKET_BYTES, NULL, 0);
	if (f->channel == NULL) {
		rc = libssh2_session_last_errno(s->ssh);
		if (rc == LIBSSH2_ERROR_EAGAIN)
			return session_again(s, STAGE_CHANNEL);
		return session_broken(s, STAGE_CHANNEL, rc,
		    "the server refused to open a session channel");
	}
	f->state = SFTP_STATE_SUBSYSTEM;
	return WANT_STEP;
}

static enum want
start_subsystem(struct session *s, struct sftp *f)
{
	int rc;

	rc = libssh2_channel_process_startup(f->channel, "subsystem",
	    sizeof("subsystem") - 1, "sftp", sizeof("sftp") - 1);
	if (rc == LIBSSH2_ERROR_EAGAIN)
		return session_again(s, STAGE_CHANNEL);
	if (rc == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED)
		return session_end(s, STATUS_TRANSFER, STAGE_CHANNEL,
		    "the host has no SFTP server (its sshd_config needs "
		    "\"Subsystem sftp internal-sftp\")");
	if (rc != 0)
		return session_broken(
		    s, STAGE_CHANNEL, rc, "starting the SFTP server");
	/* What it says on stderr would use up the window. */
	libssh2_channel_handle_extended_data2(
	    f->channel, LIBSSH2_CHANNEL_EXTENDED_DATA_IGNORE);
	/* INIT has its version where others have their id. */
	sftp_packet_end(&f->out,
	    sftp_packet_begin(&f->out, SFTP_INIT, SFTP_VERSION_OURS), 0);
	f->queued = buf_len(&f->out);
	f->state = SFTP_STATE_READY;
	return WANT_STEP;
}

enum want
sftp_start(struct session *s, struct sftp *f)
{
	int rc;

	switch (f->state) {
	case SFTP_STATE_OPEN:
		return start_channel(s, f);
	case SFTP_STATE_SUBSYSTEM:
		return start_subsystem(s, f);
	case SFTP_STATE_READY:
		break;
	}
	do {
		if (sftp_flush(s, f) == -1 || (rc = sftp_receive(s, f)) == -1)
			return WANT_END;
	} while (rc > 0 && !f->has_version);
	return f->has_version ? WANT_STEP : session_again(s, STAGE_CHANNEL);
}
