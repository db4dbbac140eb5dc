/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "worker/sftp_packet.h"

#include <string.h>

#define ATTR_EXTENDED 0x80000000u

size_t
sftp_packet_begin(struct buf *out, enum sftp_type type, uint32_t id)
{
	size_t begin = buf_len(out);

	buf_put_u32(out, 0);
	buf_put_u8(out, (uint8_t)type);
	buf_put_u32(out, id);
	return begin;
}

void
sftp_packet_end(struct buf *out, size_t begin, size_t body_bytes)
{
	uint8_t *p = buf_head(out) + begin;
	size_t len = buf_len(out) - begin - 4 + body_bytes;

	p[0] = (uint8_t)(len >> 24);
	p[1] = (uint8_t)(len >> 16);
	p[2] = (uint8_t)(len >> 8);
	p[3] = (uint8_t)len;
}

void
sftp_put_attrs(struct buf *out, const struct sftp_attrs *attrs)
{
	buf_put_u32(out, attrs->flags);
	if (attrs->flags & SFTP_ATTR_SIZE)
		buf_put_u64(out, attrs->size);
	if (attrs->flags & SFTP_ATTR_IDS) {
		buf_put_u32(out, attrs->uid);
		buf_put_u32(out, attrs->gid);
	}
	if (attrs->flags & SFTP_ATTR_MODE)
		buf_put_u32(out, attrs->mode);
	if (attrs->flags & SFTP_ATTR_TIMES) {
		buf_put_u32(out, attrs->atime);
		buf_put_u32(out, attrs->mtime);
	}
}

static int
get_attrs(struct cursor *c, struct sftp_attrs *attrs)
{
	uint32_t count;
	const uint8_t *p;
	size_t len;

	memset(attrs, 0, sizeof(*attrs));
	if (cursor_get_u32(c, &attrs->flags) == -1)
		return -1;
	if ((attrs->flags & SFTP_ATTR_SIZE) &&
	    cursor_get_u64(c, &attrs->size) == -1)
		return -1;
	if ((attrs->flags & SFTP_ATTR_IDS) &&
	    (cursor_get_u32(c, &attrs->uid) == -1 ||
		cursor_get_u32(c, &attrs->gid) == -1))
		return -1;
	if ((attrs->flags & SFTP_ATTR_MODE) &&
	    cursor_get_u32(c, &attrs->mode) == -1)
		return -1;
	if ((attrs->flags & SFTP_ATTR_TIMES) &&
	    (cursor_get_u32(c, &attrs->atime) == -1 ||
		cursor_get_u32(c, &attrs->mtime) == -1))
		return -1;
	if ((attrs->flags & ATTR_EXTENDED) == 0)
		return 0;
	if (cursor_get_u32(c, &count) == -1)
		return -1;
	/* Each takes bytes, so the packet's end bounds a lying count. */
	for (; count > 0; count--) {
		if (cursor_get_string(c, &p, &len) == -1 ||
		    cursor_get_string(c, &p, &len) == -1)
			return -1;
	}
	return 0;
}

static int
get_status(struct cursor *c, struct sftp_reply *r)
{
	uint32_t status;

	if (cursor_get_u32(c, &status) == -1)
		return -1;
	r->status = status <= SFTP_OP_UNSUPPORTED ? (enum sftp_status)status
						  : SFTP_FAILURE;
	/* Old servers send no message. */
	if (c->left > 0 &&
	    cursor_get_string(c, &r->message.data, &r->message.len) == -1)
		return -1;
	return 0;
}

static int
get_handle(struct cursor *c, struct sftp_handle *handle)
{
	const uint8_t *p;
	size_t len;

	if (cursor_get_string(c, &p, &len) == -1 || len == 0 ||
	    len > sizeof(handle->data))
		return -1;
	memcpy(handle->data, p, len);
	handle->len = (uint32_t)len;
	return 0;
}

int
sftp_reply_read(struct sftp_reply *r, enum sftp_type type, struct cursor *body)
{
	/* The handle is large and has its own length: not cleared. */
	r->type = type;
	r->status = SFTP_OK;
	r->message = (struct bytes){NULL, 0};
	r->handle.len = 0;
	r->count = 0;
	r->length = 0;
	switch (type) {
	case SFTP_STATUS:
		return get_status(body, r);
	case SFTP_HANDLE:
		return get_handle(body, &r->handle);
	case SFTP_ATTRS:
		return get_attrs(body, &r->attrs);
	case SFTP_NAME:
		if (cursor_get_u32(body, &r->count) == -1)
			return -1;
		r->rest = *body;
		return 0;
	case SFTP_EXTENDED_REPLY:
		r->rest = *body;
		return 0;
	default:
		return -1;
	}
}

int
sftp_name_next(
    struct sftp_reply *r, struct bytes *name, struct sftp_attrs *attrs)
{
	const uint8_t *long_name;
	size_t long_len;

	if (r->count == 0)
		return 0;
	r->count--;
	if (cursor_get_string(&r->rest, &name->data, &name->len) == -1 ||
	    cursor_get_string(&r->rest, &long_name, &long_len) == -1 ||
	    get_attrs(&r->rest, attrs) == -1)
		return -1;
	return 1;
}

static bool
is_text(const struct bytes *bytes, const char *text)
{
	return bytes->len == strlen(text) &&
	    memcmp(bytes->data, text, bytes->len) == 0;
}

int
sftp_version_read(struct cursor *body, uint32_t *version, unsigned *extensions)
{
	static const struct {
		const char *name, *version;
		enum sftp_extension bit;
	} known[] = {{"posix-rename@openssh.com", "1", SFTP_POSIX_RENAME},
	    {"fsync@openssh.com", "1", SFTP_FSYNC},
	    {"hardlink@openssh.com", "1", SFTP_HARDLINK},
	    {"limits@openssh.com", "1", SFTP_LIMITS}};
	struct bytes name, value;
	size_t i;

	*extensions = 0;
	if (cursor_get_u32(body, version) == -1)
		return -1;
	while (body->left > 0) {
		if (cursor_get_string(body, &name.data, &name.len) == -1 ||
		    cursor_get_string(body, &value.data, &value.len) == -1)
			return -1;
		for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
			if (is_text(&name, known[i].name) &&
			    is_text(&value, known[i].version))
				*extensions |= known[i].bit;
		}
	}
	return 0;
}

struct bytes
sftp_words(const struct sftp_reply *r)
{
	static const char *const words[] = {"no error", "End of file",
	    "No such file or directory", "Permission denied", "Failure",
	    "Bad message", "No connection", "Connection lost",
	    "Operation unsupported"};
	struct bytes b = r->message;

	/* OpenSSH says "No such file" for these two; the rest is as good. */
	if (b.len == 0 || r->status == SFTP_NO_SUCH_FILE) {
		b.data = (const uint8_t *)words[r->status];
		b.len = strlen(words[r->status]);
	}
	return b;
}
