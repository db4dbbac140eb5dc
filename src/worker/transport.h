/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * transport: the socket under one SSH session, as libssh2 sees it through its
 * SEND and RECV callbacks.
 *
 * Sending never blocks and never reports EAGAIN: what the socket does not
 * take waits in a queue of our own. libssh2 keeps one half-sent packet a
 * session and knows it by its address; another call that sends meanwhile
 * kills the session or corrupts it (its issues 1397, 1431, 1672). With this
 * queue no packet is ever half-sent.
 *
 * Receiving hands out a bounded number of bytes a turn, since libssh2 reads
 * until there is nothing left, and an endless stream could pin the worker.
 * Once the socket had less than was asked for it is not asked again in the same
 * turn: that saves a call that would find nothing, and nothing can come into
 * the library behind the back of a reader who has just been told that there is
 * nothing.
 * The end of the stream is kept from libssh2 until all before it was read.
 *
 * What a server sends before the encryption starts, its greeting and its key
 * exchange proposal, is kept for the messages to the user.
 */
#ifndef WORKER_TRANSPORT_H
#define WORKER_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/buf.h"

/* No new write is started above this many bytes in the queue. */
#define TRANSPORT_QUEUE_HIGH (256u * 1024)
/* Bytes that RECV hands out a turn. */
#define TRANSPORT_TURN_BYTES (128u * 1024)
/* Text before the banner, RFC 4253 section 4.2; more is no SSH server. */
#define TRANSPORT_GREETING_MAX (16u * 1024)

struct transport {
	int fd;
	struct buf out;	     /* accepted from libssh2, not yet sent */
	bool is_dry;	     /* the socket had no more in this turn */
	size_t turn_bytes;   /* still to be handed out in this turn */
	bool is_closed;	     /* end of stream or error was met */
	bool is_dead;	     /* aborted: everything fails from here on */
	bool has_banner;     /* the line "SSH-..." is complete */
	int error;	     /* errno of the failure, 0 for end of stream */
	uint8_t early[1024]; /* received, to be served before more is read */
	size_t early_head, early_tail;
	size_t greeting_bytes;
	size_t line_bytes;
	char line[256];	     /* the line of the greeting being received */
	char greeting[256];  /* the first line that is not the banner */
	struct buf proposal; /* the start of the server's first packet */
};

void transport_init(struct transport *t);
/* Take over a connected socket. */
void transport_open(struct transport *t, int fd);
/* Close the socket and forget everything; may be opened again. */
void transport_close(struct transport *t);

/* A new turn: RECV may hand out bytes again. */
void transport_turn(struct transport *t);
/* Whether RECV stopped only because the turn's bytes are used up. */
bool transport_has_more(const struct transport *t);

/* Send what the queue holds, as far as the socket takes it. */
void transport_flush(struct transport *t);
bool transport_wants_write(const struct transport *t);

/* From here on RECV fails and SEND swallows, so that libssh2's freeing
 * functions don't wait for the peer. */
void transport_abort(struct transport *t);

/* What libssh2's callbacks do: the number of bytes, or a negative errno. */
ssize_t transport_send(struct transport *t, const void *data, size_t len);
ssize_t transport_recv(struct transport *t, void *data, size_t len);

/*
 * What the server sent instead of, or before, its banner: the first line of
 * it, maybe unfinished; "" if nothing. Untrusted text.
 */
const char *transport_greeting(const struct transport *t);

/*
 * A name-list of the server's key exchange proposal (RFC 4253 section 7.1):
 * 0 kex, 1 host key, 2 cipher to the server, 3 cipher from it, 4 and 5 MAC.
 * Copies it to list, cut if needed. Returns 0, or -1 if the proposal was not
 * received.
 */
int transport_proposal(
    const struct transport *t, unsigned index, char *list, size_t size);
/* Give back the memory behind transport_proposal(). */
void transport_forget_proposal(struct transport *t);

#endif
