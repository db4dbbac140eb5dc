/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "worker/transport.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/fdio.h"

#define PROPOSAL_MAX 8192u
#define EARLY_READ   512u

void
transport_init(struct transport *t)
{
	memset(t, 0, sizeof(*t));
	t->fd = -1;
	/* A bound for bugs only: writers stop at TRANSPORT_QUEUE_HIGH. */
	buf_init(&t->out, 4u << 20);
	buf_init(&t->proposal, PROPOSAL_MAX);
}

void
transport_open(struct transport *t, int fd)
{
	transport_close(t);
	t->fd = fd;
}

void
transport_close(struct transport *t)
{
	fd_close(&t->fd);
	buf_clear(&t->out);
	buf_clear(&t->proposal);
	transport_init(t);
}

void
transport_turn(struct transport *t)
{
	t->turn_bytes = TRANSPORT_TURN_BYTES;
	t->is_dry = false;
}

bool
transport_has_more(const struct transport *t)
{
	return t->turn_bytes == 0 && !t->is_dead;
}

void
transport_flush(struct transport *t)
{
	if (t->fd == -1 || t->is_dead)
		return;
	if (fd_flush(t->fd, &t->out) == -1) {
		/*
		 * The reading side reports it, after what is still to read.
		 * A connection may be alive all the same (ENOBUFS, ENOMEM).
		 */
		t->error = errno;
		buf_clear(&t->out);
		shutdown(t->fd, SHUT_RDWR);
	}
}

bool
transport_wants_write(const struct transport *t)
{
	return buf_len(&t->out) > 0;
}

void
transport_abort(struct transport *t)
{
	t->is_dead = true;
	buf_clear(&t->out);
}

ssize_t
transport_send(struct transport *t, const void *data, size_t len)
{
	if (t->is_dead)
		return (ssize_t)len;
	/* Flushed by the session when it waits: fewer, fuller segments. */
	return buf_append(&t->out, data, len) == -1 ? -ENOBUFS : (ssize_t)len;
}

/*
 * Follow the lines up to the banner (RFC 4253 section 4.2). Returns how many
 * bytes belong to them, or -1 if there are too many, it is no text, or not of
 * SSH 2.
 */
static ssize_t
greeting_bytes(struct transport *t, const uint8_t *data, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (++t->greeting_bytes > TRANSPORT_GREETING_MAX)
			return -1;
		if (data[i] == '\0')
			return -1;
		if (data[i] != '\n') {
			if (t->line_bytes < sizeof(t->line) - 1 &&
			    data[i] != '\r')
				t->line[t->line_bytes++] = (char)data[i];
			continue;
		}
		t->line[t->line_bytes] = '\0';
		t->line_bytes = 0;
		if (strncmp(t->line, "SSH-2.0-", 8) == 0 ||
		    strncmp(t->line, "SSH-1.99-", 9) == 0) {
			t->has_banner = true;
			return (ssize_t)i + 1;
		}
		if (t->greeting[0] == '\0')
			memcpy(t->greeting, t->line, sizeof(t->greeting));
		if (strncmp(t->line, "SSH-", 4) == 0)
			return -1; /* version 1 */
	}
	t->line[t->line_bytes] = '\0';
	return (ssize_t)len;
}

/* recv(2) with the end of the stream and errors noted; -1 for both. */
static ssize_t
socket_recv(struct transport *t, void *data, size_t len)
{
	ssize_t n;

	if (t->is_dry)
		return -EAGAIN;
	do
		n = recv(t->fd, data, len, 0);
	while (n == -1 && errno == EINTR);
	t->is_dry = n < (ssize_t)len;
	if (n > 0)
		return n;
	if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return -EAGAIN;
	if (n == -1 && t->error == 0)
		t->error = errno;
	t->is_closed = true;
	return -EAGAIN;
}

/*
 * Receive up to the banner, and fill the buffer with it and with what came
 * along. What is before it is not for libssh2, which gives up at an empty line.
 * Returns 0, or a negative errno.
 */
static ssize_t
early_fill(struct transport *t)
{
	uint8_t data[EARLY_READ];
	ssize_t n, used;

	while (!t->has_banner) {
		n = socket_recv(t, data, sizeof(data));
		if (n < 0)
			return n;
		used = greeting_bytes(t, data, (size_t)n);
		if (used == -1)
			return -EPROTO;
		if (!t->has_banner)
			continue;
		t->early_tail = strlen(t->line);
		memcpy(t->early, t->line, t->early_tail);
		t->early[t->early_tail++] = '\n';
		memcpy(
		    t->early + t->early_tail, data + used, (size_t)(n - used));
		t->early_tail += (size_t)(n - used);
	}
	return 0;
}

/* libssh2 reads the banner byte by byte: serve that from a buffer. */
static ssize_t
early_recv(struct transport *t, void *data, size_t len)
{
	ssize_t rc = early_fill(t);
	size_t left = t->early_tail - t->early_head;

	if (rc < 0)
		return rc;
	if (len > left)
		len = left;
	memcpy(data, t->early + t->early_head, len);
	t->early_head += len;
	return (ssize_t)len;
}

ssize_t
transport_recv(struct transport *t, void *data, size_t len)
{
	ssize_t n;

	if (t->is_dead)
		return -ECONNRESET;
	if (len > t->turn_bytes)
		len = t->turn_bytes;
	if (len == 0)
		return -EAGAIN;
	if (!t->has_banner || t->early_head < t->early_tail)
		n = early_recv(t, data, len);
	else
		n = socket_recv(t, data, len);
	if (n <= 0)
		return n;
	t->turn_bytes -= (size_t)n;
	/* libssh2 reads the greeting by single bytes, packets by blocks. */
	if (len > 1 && t->has_banner && t->proposal.max > 0 &&
	    (size_t)n <= t->proposal.max - buf_len(&t->proposal))
		buf_append(&t->proposal, data, (size_t)n);
	else if (len > 1)
		t->proposal.max = 0;
	return n;
}

const char *
transport_greeting(const struct transport *t)
{
	return t->greeting[0] != '\0' || t->has_banner ? t->greeting : t->line;
}

void
transport_forget_proposal(struct transport *t)
{
	buf_clear(&t->proposal);
	t->proposal.max = 0;
}

int
transport_proposal(
    const struct transport *t, unsigned index, char *list, size_t size)
{
	struct cursor c = {buf_head(&t->proposal), buf_len(&t->proposal)};
	const uint8_t *p;
	size_t len = 0;
	unsigned i;

	/* Packet length, padding length, SSH_MSG_KEXINIT, cookie. */
	if (cursor_get_bytes(&c, &p, 4 + 1 + 1 + 16) == -1 || p[5] != 20)
		return -1;
	for (i = 0; i <= index; i++) {
		if (cursor_get_string(&c, &p, &len) == -1)
			return -1;
	}
	if (len > size - 1)
		len = size - 1;
	memcpy(list, p, len);
	list[len] = '\0';
	return 0;
}
