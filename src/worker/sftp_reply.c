/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is received is one stream: packets are gathered in in, but for the
 * contents of DATA, which go straight to the function that waits for them.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "util/escape.h"
#include "util/log.h"
#include "worker/sftp_impl.h"

#define START_BYTES	  5u /* length, type */
#define DATA_HEADER_BYTES 13u

static void
version_received(struct sftp *f, struct cursor *body)
{
	uint32_t version;

	if (sftp_version_read(body, &version, &f->extensions) == -1) {
		sftp_fault(f, "its VERSION packet is malformed");
		return;
	}
	if (version < SFTP_VERSION_OURS) {
		sftp_fault(f, "it speaks SFTP version %u only", version);
		return;
	}
	f->has_version = true;
	if ((f->extensions & SFTP_LIMITS) != 0)
		sftp_request_limits(f);
}

/* A whole packet but DATA; body starts behind its type. */
static void
packet_received(struct sftp *f, enum sftp_type type, struct cursor body)
{
	struct sftp_request *r;
	struct sftp_reply reply;
	uint32_t id;

	if (!f->has_version) {
		if (type != SFTP_VERSION)
			sftp_fault(f, "packet %d in place of VERSION", type);
		else
			version_received(f, &body);
		return;
	}
	if (cursor_get_u32(&body, &id) == -1 ||
	    (r = sftp_request_find(f, id)) == NULL) {
		sftp_fault(f, "a reply to no request");
		return;
	}
	if (sftp_reply_read(&reply, type, &body) == -1) {
		sftp_fault(f, "malformed packet %d", type);
		return;
	}
	if (type != r->reply && type != SFTP_STATUS) {
		sftp_fault(f, "packet %d in place of %d", type, r->reply);
		return;
	}
	if (type == SFTP_STATUS && r->reply != SFTP_STATUS &&
	    reply.status == SFTP_OK) {
		sftp_fault(f, "status OK in place of packet %d", r->reply);
		return;
	}
	sftp_request_done(f, r, &reply);
}

/* The start of a DATA packet is in f->in: its contents follow. */
static void
data_begins(struct sftp *f, uint32_t packet_len)
{
	struct cursor c = {buf_head(&f->in) + 5, 8};
	struct sftp_request *r;
	uint32_t id, len;

	cursor_get_u32(&c, &id);
	cursor_get_u32(&c, &len);
	buf_consume(&f->in, DATA_HEADER_BYTES);
	r = sftp_request_find(f, id);
	if (r == NULL || r->reply != SFTP_DATA || len > r->len || len == 0 ||
	    len != packet_len - (DATA_HEADER_BYTES - 4)) {
		sftp_fault(f, "malformed DATA packet");
		return;
	}
	f->data.slot = (uint32_t)(r - f->requests);
	f->data.left = len;
}

static size_t
data_received(struct sftp *f, const uint8_t *p, size_t len)
{
	struct sftp_request *r = &f->requests[f->data.slot];
	struct sftp_reply reply = {.type = SFTP_DATA};
	uint64_t offset = r->offset + r->got;

	if (len > f->data.left)
		len = f->data.left;
	r->got += len;
	f->data.left -= len;
	/* It may make requests, and so move the table. */
	r->data(r->ctx, offset, p, len);
	if (f->data.left == 0) {
		r = &f->requests[f->data.slot];
		reply.length = r->got;
		sftp_request_done(f, r, &reply);
	}
	return len;
}

/*
 * There is no packet of that length. In place of the first one it may be what
 * a login script prints; more of it follows.
 */
static void
fault_length(struct sftp *f, const uint8_t *more, size_t more_len)
{
	char text[64] = "", *shown;
	size_t i, start = buf_len(&f->in);

	if (f->has_version || start != START_BYTES) {
		sftp_fault(f, "a packet of an impossible length");
		return;
	}
	memcpy(text, buf_head(&f->in), start);
	if (more_len > sizeof(text) - 1 - start)
		more_len = sizeof(text) - 1 - start;
	memcpy(text + start, more, more_len);
	text[strcspn(text, "\r\n")] = '\0';
	for (i = 0; text[i] >= ' ' && text[i] < 127; i++)
		;
	shown = escape_string(text);
	if (i >= 4 && text[i] == '\0')
		sftp_fault(f,
		    "it says \"%s\" first: does a login script print that?",
		    shown);
	else
		sftp_fault(f, "what it sends is no SFTP");
	free(shown);
}

/* The length of the packet that f->in begins with, and its type. */
static uint32_t
packet_length(const struct sftp *f, uint8_t *type)
{
	struct cursor c = {buf_head(&f->in), buf_len(&f->in)};
	uint32_t len = 0;

	cursor_get_u32(&c, &len);
	cursor_get_u8(&c, type);
	return len;
}

/* How many bytes f->in must hold before there is something to decide. */
static size_t
bytes_wanted(const struct sftp *f)
{
	uint32_t len;
	uint8_t type;

	if (buf_len(&f->in) < START_BYTES)
		return START_BYTES;
	len = packet_length(f, &type);
	return type == SFTP_DATA ? DATA_HEADER_BYTES : 4 + (size_t)len;
}

static bool
is_sane(uint32_t len, uint8_t type)
{
	return len <= SFTP_REPLY_BYTES_MAX && len >= SFTP_HEADER_BYTES - 4 &&
	    (type != SFTP_DATA || len >= DATA_HEADER_BYTES - 4);
}

/* f->in holds what bytes_wanted() asked for; more of the stream follows. */
static void
bytes_complete(struct sftp *f, const uint8_t *more, size_t more_len)
{
	struct cursor body;
	uint32_t len;
	uint8_t type;

	len = packet_length(f, &type);
	if (!is_sane(len, type) || (type == SFTP_DATA && !f->has_version)) {
		fault_length(f, more, more_len);
		return;
	}
	if (buf_len(&f->in) < bytes_wanted(f))
		return; /* only its start was asked for */
	if (type == SFTP_DATA) {
		data_begins(f, len);
		return;
	}
	body = (struct cursor){buf_head(&f->in) + START_BYTES, len - 1};
	packet_received(f, (enum sftp_type)type, body);
	buf_consume(&f->in, buf_len(&f->in));
}

size_t
sftp_reply_take(struct sftp *f, const uint8_t *p, size_t len)
{
	size_t missing, n;

	if (f->data.left > 0)
		return data_received(f, p, len);
	missing = bytes_wanted(f) - buf_len(&f->in);
	n = len < missing ? len : missing;
	if (buf_append(&f->in, p, n) == -1)
		fatal("SFTP reply overflow");
	if (n == missing)
		bytes_complete(f, p + n, len - n);
	return n;
}
