/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The SFTP client against a server that sends any bytes, in pieces of any
 * size: each request is answered once at most, by a reply of its kind or a
 * status, contents are what was asked for, and a directory's list never names
 * "." or "..". The input is a byte with the size of the pieces, one with the
 * number of requests, a byte for each, and what the server sends.
 *
 * Below the client there is no libssh2: its functions, and those of the
 * session, are here.
 */
#include "config.h"

#include "fuzz.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/get_list.h"
#include "worker/session.h"
#include "worker/target.h"
#include "worker/transfer.h"
#include "worker/worker.h"

#define REQUESTS_MAX 8u
#define READ_BYTES   1000u
#define WRITE_BYTES  100u
#define OFFSET	     5000u
#define PACKET_MAX   (257u * 1024)

/* --- in place of libssh2 and the session --------------------------------- */

/* What stands for the channel: the server's bytes. */
struct wire {
	struct cursor said;
	size_t piece;
	bool is_over; /* the session was ended */
};

static struct wire *
wire_of(LIBSSH2_CHANNEL *channel)
{
	return (struct wire *)(void *)channel;
}

ssize_t
libssh2_channel_read_ex(
    LIBSSH2_CHANNEL *channel, int stream_id, char *data, size_t size)
{
	struct wire *w = wire_of(channel);
	size_t n = w->said.left < w->piece ? w->said.left : w->piece;
	const uint8_t *p = NULL;

	FUZZ_CHECK(stream_id == 0);
	n = n < size ? n : size;
	FUZZ_CHECK(cursor_get_bytes(&w->said, &p, n) == 0);
	memcpy(data, p, n);
	return (ssize_t)n;
}

/* It takes all, so that every request is on its way. */
ssize_t
libssh2_channel_write_ex(
    LIBSSH2_CHANNEL *channel, int stream_id, const char *data, size_t size)
{
	(void)channel;
	(void)data;
	FUZZ_CHECK(stream_id == 0);
	return (ssize_t)size;
}

int
libssh2_channel_eof(LIBSSH2_CHANNEL *channel)
{
	return wire_of(channel)->said.left == 0;
}

LIBSSH2_CHANNEL *
libssh2_channel_open_ex(LIBSSH2_SESSION *session, const char *type,
    unsigned int type_len, unsigned int window, unsigned int packet,
    const char *message, unsigned int message_len)
{
	(void)session, (void)type, (void)type_len, (void)window;
	(void)packet, (void)message, (void)message_len;
	fuzz_failed("no channel is opened", __FILE__, __LINE__);
}

int
libssh2_channel_process_startup(LIBSSH2_CHANNEL *channel, const char *request,
    unsigned int request_len, const char *message, unsigned int message_len)
{
	(void)channel, (void)request, (void)request_len;
	(void)message, (void)message_len;
	fuzz_failed("nothing is started", __FILE__, __LINE__);
}

int
libssh2_channel_handle_extended_data2(LIBSSH2_CHANNEL *channel, int mode)
{
	(void)channel, (void)mode;
	return 0;
}

int
libssh2_session_last_errno(LIBSSH2_SESSION *session)
{
	(void)session;
	return 0;
}

static void
end_session(struct session *s)
{
	wire_of(s->transfer->sftp.channel)->is_over = true;
}

enum want
session_end(struct session *s, enum status status, enum stage stage,
    const char *fmt, ...)
{
	char text[512];
	va_list ap;

	(void)status, (void)stage;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	FUZZ_CHECK(fuzz_is_shown(text, strlen(text)));
	end_session(s);
	return WANT_END;
}

enum want
session_broken(struct session *s, enum stage stage, int rc, const char *what)
{
	(void)stage, (void)rc, (void)what;
	end_session(s);
	return WANT_END;
}

enum want
session_again(struct session *s, enum stage stage)
{
	(void)s, (void)stage;
	return WANT_NETWORK;
}

void
session_active(struct session *s)
{
	(void)s;
}

void
transport_flush(struct transport *t)
{
	(void)t;
}

bool
transport_wants_write(const struct transport *t)
{
	(void)t;
	return false;
}

const struct msg_config *
worker_config(const struct worker *w)
{
	(void)w;
	fuzz_failed("nothing is configured", __FILE__, __LINE__);
}

bool
transfer_is_clogged(const struct transfer *t)
{
	(void)t;
	return false;
}

void
transfer_failed(struct transfer *t, enum status status, const char *path,
    const char *fmt, ...)
{
	(void)t, (void)fmt;
	FUZZ_CHECK(status == STATUS_TRANSFER && strcmp(path, "/dir") == 0);
}

/* --- requests ------------------------------------------------------------ */

enum kind {
	KIND_STAT,
	KIND_OPEN,
	KIND_READLINK,
	KIND_REMOVE,
	KIND_READ,
	KIND_WRITE,
	KIND_LIST,
	KIND_COUNT
};

/* The reply to it, if it is no status; to lists there are many. */
static const enum sftp_type replies[KIND_COUNT] = {SFTP_ATTRS, SFTP_HANDLE,
    SFTP_NAME, SFTP_STATUS, SFTP_DATA, SFTP_STATUS, SFTP_NAME};

struct request {
	enum kind kind;
	bool is_done;
	size_t got;
};

struct world {
	struct wire wire;
	struct session session;
	struct transfer transfer;
	struct get_list list;
	struct fuzz_file file; /* what is written */
	struct request requests[REQUESTS_MAX];
	unsigned count;
};

static void
take_done(void *ctx, struct sftp_reply *reply)
{
	struct request *r = ctx;
	struct sftp_attrs attrs;
	struct bytes name;

	FUZZ_CHECK(!r->is_done);
	r->is_done = true;
	FUZZ_CHECK(
	    reply->type == replies[r->kind] || reply->type == SFTP_STATUS);
	FUZZ_CHECK(reply->type != SFTP_STATUS ||
	    replies[r->kind] == SFTP_STATUS || reply->status != SFTP_OK);
	FUZZ_CHECK(reply->error == 0);
	if (reply->type == SFTP_DATA)
		FUZZ_CHECK(reply->length == r->got);
	if (reply->type == SFTP_HANDLE)
		FUZZ_CHECK(reply->handle.len > 0 &&
		    reply->handle.len <= SFTP_HANDLE_MAX);
	while (reply->type == SFTP_NAME &&
	    sftp_name_next(reply, &name, &attrs) == 1)
		r->got += 12 + strnlen((const char *)name.data, name.len);
	FUZZ_CHECK(r->got <= PACKET_MAX);
}

static void
take_data(void *ctx, uint64_t offset, const uint8_t *data, size_t len)
{
	struct request *r = ctx;

	FUZZ_CHECK(!r->is_done && data != NULL && len > 0);
	FUZZ_CHECK(offset == OFFSET + r->got);
	r->got += len;
	FUZZ_CHECK(r->got <= READ_BYTES);
}

static void
list_refused(void *ctx, const struct sftp_reply *reply, bool is_opening)
{
	(void)ctx, (void)is_opening;
	FUZZ_CHECK(reply->type == SFTP_STATUS);
}

static void
ask(struct world *w, struct request *r)
{
	static const struct sftp_handle handle = {4, {'f', 'i', 'l', 'e'}};
	struct sftp *f = &w->transfer.sftp;

	switch (r->kind) {
	case KIND_STAT:
		sftp_stat(f, "/path", false, take_done, r);
		break;
	case KIND_OPEN:
		sftp_open(f, "/path", SFTP_FLAG_READ, 0, take_done, r);
		break;
	case KIND_READLINK:
		sftp_readlink(f, "/path", take_done, r);
		break;
	case KIND_REMOVE:
		sftp_remove(f, "/path", take_done, r);
		break;
	case KIND_READ:
		sftp_read(
		    f, &handle, OFFSET, READ_BYTES, take_data, take_done, r);
		break;
	case KIND_WRITE:
		if (sftp_can_write(f))
			sftp_write(f, &handle, w->file.fd, 0, WRITE_BYTES,
			    take_done, r);
		break;
	case KIND_LIST:
		if (!get_list_is_busy(&w->list))
			get_list_start(&w->list, "/dir");
		break;
	case KIND_COUNT:
		break;
	}
}

/* --- the whole ----------------------------------------------------------- */

static void
world_open(struct world *w, struct cursor *c)
{
	static const uint8_t contents[WRITE_BYTES] = {0};
	uint8_t byte = 0;
	unsigned i;

	memset(w, 0, sizeof(*w));
	fuzz_file_open(&w->file, contents, sizeof(contents));
	sftp_init(&w->transfer.sftp);
	w->transfer.sftp.state = SFTP_STATE_READY;
	w->transfer.sftp.channel = (LIBSSH2_CHANNEL *)(void *)&w->wire;
	w->transfer.session = &w->session;
	w->session.transfer = &w->transfer;
	get_list_init(&w->list, &w->transfer, list_refused, w);
	cursor_get_u8(c, &byte);
	w->wire.piece = byte + 1u;
	byte = 0;
	cursor_get_u8(c, &byte);
	w->count = byte % (REQUESTS_MAX + 1);
	for (i = 0; i < w->count; i++) {
		byte = 0;
		cursor_get_u8(c, &byte);
		w->requests[i].kind = (enum kind)(byte % KIND_COUNT);
	}
	w->wire.said = *c;
}

static void
world_close(struct world *w)
{
	get_list_clear(&w->list);
	sftp_clear(&w->transfer.sftp);
	fuzz_file_close(&w->file);
}

static void
take_names(struct world *w)
{
	struct sftp_attrs attrs;
	struct bytes name;
	const uint8_t *end;

	while (get_list_next(&w->list, &name, &attrs)) {
		FUZZ_CHECK(name.len != 1 || name.data[0] != '.');
		FUZZ_CHECK(name.len != 2 || memcmp(name.data, "..", 2) != 0);
		if (!target_name_is_safe((const char *)name.data, name.len))
			continue;
		end = name.data + name.len;
		FUZZ_CHECK(name.len > 0 && name.len <= 255);
		for (const uint8_t *p = name.data; p < end; p++)
			FUZZ_CHECK(*p != '/' && *p != '\0');
	}
}

/* Send and receive until the server has no more to say. */
static void
talk(struct world *w)
{
	struct sftp *f = &w->transfer.sftp;
	bool has_asked = false;
	unsigned i;

	while (!w->wire.is_over) {
		f->turn_bytes = 0;
		if (f->has_version && !has_asked) {
			has_asked = true;
			for (i = 0; i < w->count; i++)
				ask(w, &w->requests[i]);
		}
		get_list_step(&w->list);
		FUZZ_CHECK(sftp_flush(&w->session, f) == 0);
		if (sftp_receive(&w->session, f) != 1)
			break;
		take_names(w);
	}
	FUZZ_CHECK(w->wire.is_over);
	FUZZ_CHECK(w->wire.said.left == 0 || f->fault[0] != '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = {data, size};
	struct world w;

	world_open(&w, &c);
	talk(&w);
	world_close(&w);
	return 0;
}
