/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sftp_impl: what the parts of sftp.h share: sftp.c has the channel and what is
 * sent, sftp_request.c the requests, sftp_reply.c what is received.
 */
#ifndef WORKER_SFTP_IMPL_H
#define WORKER_SFTP_IMPL_H

#include "worker/sftp.h"

#define SFTP_HEADER_BYTES    9u /* length, type, id */
#define SFTP_REPLY_BYTES_MAX (257u * 1024)
#define SFTP_SLOT_NONE	     UINT32_MAX

struct sftp_request {
	uint32_t id;
	bool is_waiting; /* for its reply; else the slot is free */
	enum sftp_type reply;
	uint32_t next_free;
	sftp_done done;
	sftp_data data;
	void *ctx;
	uint64_t offset; /* of a read */
	size_t len;	 /* of a read or write */
	bool is_write;
	int error;    /* of reading what was to be written */
	uint64_t end; /* of its packet in all that was ever queued */
	size_t got;
};

/* Ask for the server's limits, and keep to them. */
void sftp_request_limits(struct sftp *f);

/* The request of that id, if it was sent and waits for its reply, else NULL. */
struct sftp_request *sftp_request_find(struct sftp *f, uint32_t id);

/* That is its reply: the request is gone when its function is called. */
void sftp_request_done(
    struct sftp *f, struct sftp_request *r, struct sftp_reply *reply);

/*
 * Take bytes of what the server sends, as far as one packet goes. Returns how
 * many of the len at p; what is wrong with them is f->fault.
 */
size_t sftp_reply_take(struct sftp *f, const uint8_t *p, size_t len);

#endif
