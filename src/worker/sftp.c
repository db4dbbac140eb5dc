/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A request has a slot in a table that grows with their number. Its id is the
 * slot and, above it, a serial number, so that an answer to something that was
 * never asked, or twice, is noticed.
 *
 * What is sent is one stream: the packets in out, with at most one write's
 * contents after a part of them ("body"). What is received is one stream too:
 * packets are gathered in in, but for the contents of DATA, which go straight
 * to the function that waits for them.
 */
#include "config.h"

#include "worker/sftp.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/escape.h"
#include "util/log.h"
#include "util/xalloc.h"
#include "worker/session.h"
#include "worker/worker.h"

#define CHANNEL_PACKET_BYTES 32768u
#define CHUNK_BYTES	     32768u
/* What every server takes; more if it tells its limits. */
#define REQUEST_BYTES	  32768u
#define REQUEST_BYTES_MAX (255u * 1024)
#define REPLY_BYTES_MAX	  (257u * 1024)
#define START_BYTES	  5u /* length, type */
#define HEADER_BYTES	  9u /* and id */
#define DATA_HEADER_BYTES 13u
/* Sent before other sessions have their turn. */
#define TURN_BYTES (1u << 20)
/* Writes on their way: at first, at least, at most. */
#define WRITES_START  (1u << 20)
#define WRITES_LEAST  (256u << 10)
#define WRITES_MOST   (4u << 20)
#define PACE_EVERY_MS 250u
#define OUT_HIGH      (64u * 1024)
#define REQUESTS_HIGH 512u
/* More than a path of 4,096 bytes has directories to be made at once. */
#define SLOT_BITS 12u
#define SLOTS_MAX (1u << SLOT_BITS)
#define SLOT_NONE UINT32_MAX

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

void
sftp_init(struct sftp *f)
{
	memset(f, 0, sizeof(*f));
	buf_init(&f->out, 16u << 20); /* a bound for bugs */
	buf_init(&f->in, REPLY_BYTES_MAX + HEADER_BYTES);
	f->read_max = f->write_max = REQUEST_BYTES;
	f->writes_max = WRITES_START;
	f->free_slot = SLOT_NONE;
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

/* --- requests ------------------------------------------------------------ */

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

static struct sftp_request *
request_new(struct sftp *f, enum sftp_type reply, sftp_done done, void *ctx)
{
	struct sftp_request *r;
	uint32_t i, slot;

	if (f->free_slot == SLOT_NONE) {
		if (f->size == SLOTS_MAX)
			fatal("too many SFTP requests");
		slot = f->size;
		f->size = f->size == 0 ? 16 : f->size * 2;
		f->requests =
		    xreallocarray(f->requests, f->size, sizeof(*f->requests));
		for (i = slot; i < f->size; i++) {
			f->requests[i].is_waiting = false;
			f->requests[i].next_free =
			    i + 1 < f->size ? i + 1 : SLOT_NONE;
		}
		f->free_slot = slot;
	}
	slot = f->free_slot;
	r = &f->requests[slot];
	f->free_slot = r->next_free;
	f->count++;
	*r = (struct sftp_request){.id = f->serial++ << SLOT_BITS | slot,
	    .is_waiting = true,
	    .reply = reply,
	    .done = done,
	    .ctx = ctx};
	return r;
}

static void
request_free(struct sftp *f, struct sftp_request *r)
{
	r->is_waiting = false;
	r->next_free = f->free_slot;
	f->free_slot = (uint32_t)(r - f->requests);
	f->count--;
}

/* Begin a packet for a new request. */
static size_t
packet_begin(struct sftp *f, enum sftp_type type, enum sftp_type reply,
    sftp_done done, void *ctx)
{
	struct sftp_request *r = request_new(f, reply, done, ctx);

	f->last_slot = (uint32_t)(r - f->requests);
	return sftp_packet_begin(&f->out, type, r->id);
}

/* Its end: body_bytes of it follow by other means. */
static void
packet_end(struct sftp *f, size_t begin, size_t body_bytes)
{
	sftp_packet_end(&f->out, begin, body_bytes);
	f->queued += buf_len(&f->out) - begin + body_bytes;
	f->requests[f->last_slot].end = f->queued;
}

static void
put_path(struct sftp *f, const char *path)
{
	if (buf_put_string(&f->out, path, strlen(path)) == -1)
		fatal("SFTP queue overflow");
}

static void
put_handle(struct sftp *f, const struct sftp_handle *handle)
{
	if (buf_put_string(&f->out, handle->data, handle->len) == -1)
		fatal("SFTP queue overflow");
}

static void
request_path(struct sftp *f, enum sftp_type type, enum sftp_type reply,
    const char *path, sftp_done done, void *ctx)
{
	size_t begin = packet_begin(f, type, reply, done, ctx);

	put_path(f, path);
	packet_end(f, begin, 0);
}

static void
request_handle(struct sftp *f, enum sftp_type type, enum sftp_type reply,
    const struct sftp_handle *handle, sftp_done done, void *ctx)
{
	size_t begin = packet_begin(f, type, reply, done, ctx);

	put_handle(f, handle);
	packet_end(f, begin, 0);
}

/* Two paths; extension: NULL for a type of its own. */
static void
request_paths(struct sftp *f, enum sftp_type type, const char *extension,
    const char *first, const char *second, sftp_done done, void *ctx)
{
	size_t begin = packet_begin(f, type, SFTP_STATUS, done, ctx);

	if (extension != NULL)
		put_path(f, extension);
	put_path(f, first);
	put_path(f, second);
	packet_end(f, begin, 0);
}

void
sftp_stat(
    struct sftp *f, const char *path, bool follow, sftp_done done, void *ctx)
{
	request_path(
	    f, follow ? SFTP_STAT : SFTP_LSTAT, SFTP_ATTRS, path, done, ctx);
}

void
sftp_fstat(
    struct sftp *f, const struct sftp_handle *handle, sftp_done done, void *ctx)
{
	request_handle(f, SFTP_FSTAT, SFTP_ATTRS, handle, done, ctx);
}

void
sftp_setstat(struct sftp *f, const char *path, const struct sftp_attrs *attrs,
    sftp_done done, void *ctx)
{
	size_t begin = packet_begin(f, SFTP_SETSTAT, SFTP_STATUS, done, ctx);

	put_path(f, path);
	sftp_put_attrs(&f->out, attrs);
	packet_end(f, begin, 0);
}

void
sftp_fsetstat(struct sftp *f, const struct sftp_handle *handle,
    const struct sftp_attrs *attrs, sftp_done done, void *ctx)
{
	size_t begin = packet_begin(f, SFTP_FSETSTAT, SFTP_STATUS, done, ctx);

	put_handle(f, handle);
	sftp_put_attrs(&f->out, attrs);
	packet_end(f, begin, 0);
}

void
sftp_open(struct sftp *f, const char *path, unsigned flags, uint32_t mode,
    sftp_done done, void *ctx)
{
	const struct sftp_attrs attrs = {
	    .flags = (flags & SFTP_FLAG_CREATE) != 0 ? SFTP_ATTR_MODE : 0,
	    .mode = mode};
	size_t begin = packet_begin(f, SFTP_OPEN, SFTP_HANDLE, done, ctx);

	put_path(f, path);
	buf_put_u32(&f->out, flags);
	sftp_put_attrs(&f->out, &attrs);
	packet_end(f, begin, 0);
}

void
sftp_opendir(struct sftp *f, const char *path, sftp_done done, void *ctx)
{
	request_path(f, SFTP_OPENDIR, SFTP_HANDLE, path, done, ctx);
}

void
sftp_readdir(
    struct sftp *f, const struct sftp_handle *handle, sftp_done done, void *ctx)
{
	request_handle(f, SFTP_READDIR, SFTP_NAME, handle, done, ctx);
}

void
sftp_close(
    struct sftp *f, const struct sftp_handle *handle, sftp_done done, void *ctx)
{
	request_handle(f, SFTP_CLOSE, SFTP_STATUS, handle, done, ctx);
}

void
sftp_fsync(
    struct sftp *f, const struct sftp_handle *handle, sftp_done done, void *ctx)
{
	size_t begin = packet_begin(f, SFTP_EXTENDED, SFTP_STATUS, done, ctx);

	put_path(f, "fsync@openssh.com");
	put_handle(f, handle);
	packet_end(f, begin, 0);
}

void
sftp_remove(struct sftp *f, const char *path, sftp_done done, void *ctx)
{
	request_path(f, SFTP_REMOVE, SFTP_STATUS, path, done, ctx);
}

void
sftp_mkdir(
    struct sftp *f, const char *path, uint32_t mode, sftp_done done, void *ctx)
{
	const struct sftp_attrs attrs = {.flags = SFTP_ATTR_MODE, .mode = mode};
	size_t begin = packet_begin(f, SFTP_MKDIR, SFTP_STATUS, done, ctx);

	put_path(f, path);
	sftp_put_attrs(&f->out, &attrs);
	packet_end(f, begin, 0);
}

void
sftp_rename(
    struct sftp *f, const char *from, const char *to, sftp_done done, void *ctx)
{
	bool is_posix = (f->extensions & SFTP_POSIX_RENAME) != 0;

	request_paths(f, is_posix ? SFTP_EXTENDED : SFTP_RENAME,
	    is_posix ? "posix-rename@openssh.com" : NULL, from, to, done, ctx);
}

void
sftp_link(
    struct sftp *f, const char *from, const char *to, sftp_done done, void *ctx)
{
	request_paths(
	    f, SFTP_EXTENDED, "hardlink@openssh.com", from, to, done, ctx);
}

void
sftp_symlink(struct sftp *f, const char *target, const char *path,
    sftp_done done, void *ctx)
{
	request_paths(f, SFTP_SYMLINK, NULL, target, path, done, ctx);
}

void
sftp_readlink(struct sftp *f, const char *path, sftp_done done, void *ctx)
{
	request_path(f, SFTP_READLINK, SFTP_NAME, path, done, ctx);
}

void
sftp_write(struct sftp *f, const struct sftp_handle *handle, int fd,
    uint64_t offset, size_t len, sftp_done done, void *ctx)
{
	size_t begin = packet_begin(f, SFTP_WRITE, SFTP_STATUS, done, ctx);
	struct sftp_request *r = &f->requests[f->last_slot];

	r->len = len;
	r->is_write = true;
	f->writing += len;
	put_handle(f, handle);
	buf_put_u64(&f->out, offset);
	buf_put_u32(&f->out, (uint32_t)len);
	packet_end(f, begin, len);
	f->body.slot = f->last_slot;
	f->body.fd = fd;
	f->body.offset = offset;
	f->body.left = len;
	f->body.after = buf_len(&f->out);
}

void
sftp_read(struct sftp *f, const struct sftp_handle *handle, uint64_t offset,
    size_t len, sftp_data data, sftp_done done, void *ctx)
{
	size_t begin = packet_begin(f, SFTP_READ, SFTP_DATA, done, ctx);
	struct sftp_request *r = &f->requests[f->last_slot];

	r->data = data;
	r->offset = offset;
	r->len = len;
	f->reading += len;
	put_handle(f, handle);
	buf_put_u64(&f->out, offset);
	buf_put_u32(&f->out, (uint32_t)len);
	packet_end(f, begin, 0);
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

static void
request_done(struct sftp *f, struct sftp_request *r, struct sftp_reply *reply)
{
	struct sftp_request own = *r;

	reply->error = own.error;
	if (own.is_write) {
		f->writing -= own.len;
		f->written += own.len;
	} else if (own.reply == SFTP_DATA) {
		f->reading -= own.len;
	}
	request_free(f, r);
	own.done(own.ctx, reply);
}

static struct sftp_request *
request_find(struct sftp *f, uint32_t id)
{
	uint32_t slot = id & (SLOTS_MAX - 1);

	/* Ids can be guessed: nothing is answered before it was sent. */
	if (slot >= f->size || !f->requests[slot].is_waiting ||
	    f->requests[slot].id != id || f->requests[slot].end > f->sent)
		return NULL;
	return &f->requests[slot];
}

static void
limits_done(void *ctx, struct sftp_reply *reply)
{
	struct sftp *f = ctx;
	uint64_t packet, read, write;

	if (reply->type != SFTP_EXTENDED_REPLY ||
	    cursor_get_u64(&reply->rest, &packet) == -1 ||
	    cursor_get_u64(&reply->rest, &read) == -1 ||
	    cursor_get_u64(&reply->rest, &write) == -1)
		return;
	/* A zero means that there is no limit. */
	if (read == 0 || read > REQUEST_BYTES_MAX)
		read = REQUEST_BYTES_MAX;
	if (write == 0 || write > REQUEST_BYTES_MAX)
		write = REQUEST_BYTES_MAX;
	if (read > f->read_max)
		f->read_max = (uint32_t)read;
	if (write > f->write_max)
		f->write_max = (uint32_t)write;
}

static void
version_received(struct sftp *f, struct cursor *body)
{
	uint32_t version;
	size_t begin;

	if (sftp_version_read(body, &version, &f->extensions) == -1) {
		sftp_fault(f, "its VERSION packet is malformed");
		return;
	}
	if (version < SFTP_VERSION_OURS) {
		sftp_fault(f, "it speaks SFTP version %u only", version);
		return;
	}
	f->has_version = true;
	if ((f->extensions & SFTP_LIMITS) == 0)
		return;
	begin =
	    packet_begin(f, SFTP_EXTENDED, SFTP_EXTENDED_REPLY, limits_done, f);
	put_path(f, "limits@openssh.com");
	packet_end(f, begin, 0);
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
	    (r = request_find(f, id)) == NULL) {
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
	request_done(f, r, &reply);
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
	r = request_find(f, id);
	if (r == NULL || r->reply != SFTP_DATA || len > r->len || len == 0 ||
	    len != packet_len - (DATA_HEADER_BYTES - 4)) {
		sftp_fault(f, "malformed DATA packet");
		return;
	}
	f->data.slot = id & (SLOTS_MAX - 1);
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
		request_done(f, r, &reply);
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
	return len <= REPLY_BYTES_MAX && len >= HEADER_BYTES - 4 &&
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

/* Take bytes of the stream, as far as one packet goes. Returns how many. */
static size_t
receive(struct sftp *f, const uint8_t *p, size_t len)
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
		n = receive(f, chunk + used, (size_t)got - used);
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
