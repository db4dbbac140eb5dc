/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A request has a slot in a table that grows with their number. Its id is the
 * slot and, above it, a serial number, so that an answer to something that was
 * never asked, or twice, is noticed.
 */
#include "config.h"

#include <string.h>

#include "util/log.h"
#include "util/xalloc.h"
#include "worker/sftp_impl.h"

#define REQUEST_BYTES_MAX (255u * 1024)
/* More than a path of 4,096 bytes has directories to be made at once. */
#define SLOT_BITS 12u
#define SLOTS_MAX (1u << SLOT_BITS)

/* --- the table ----------------------------------------------------------- */

static struct sftp_request *
request_new(struct sftp *f, enum sftp_type reply, sftp_done done, void *ctx)
{
	struct sftp_request *r;
	uint32_t i, slot;

	if (f->free_slot == SFTP_SLOT_NONE) {
		if (f->size == SLOTS_MAX)
			fatal("too many SFTP requests");
		slot = f->size;
		f->size = f->size == 0 ? 16 : f->size * 2;
		f->requests =
		    xreallocarray(f->requests, f->size, sizeof(*f->requests));
		for (i = slot; i < f->size; i++) {
			f->requests[i].is_waiting = false;
			f->requests[i].next_free =
			    i + 1 < f->size ? i + 1 : SFTP_SLOT_NONE;
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

void
sftp_request_done(
    struct sftp *f, struct sftp_request *r, struct sftp_reply *reply)
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

struct sftp_request *
sftp_request_find(struct sftp *f, uint32_t id)
{
	uint32_t slot = id & (SLOTS_MAX - 1);

	/* Ids can be guessed: nothing is answered before it was sent. */
	if (slot >= f->size || !f->requests[slot].is_waiting ||
	    f->requests[slot].id != id || f->requests[slot].end > f->sent)
		return NULL;
	return &f->requests[slot];
}

/* --- the requests -------------------------------------------------------- */

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

void
sftp_request_limits(struct sftp *f)
{
	size_t begin =
	    packet_begin(f, SFTP_EXTENDED, SFTP_EXTENDED_REPLY, limits_done, f);

	put_path(f, "limits@openssh.com");
	packet_end(f, begin, 0);
}
