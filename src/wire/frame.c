/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The codec behind frame.h. Each message is described by a row of fields,
 * kind and place in its struct, so that one writer and one reader serve all
 * of them and a new message is a new row.
 */
#include "config.h"

#include "wire/frame.h"

#include <string.h>

#define HEADER_BYTES 9u /* length, type, job */

enum field_kind { END, U32, U64, STRING, BYTES };

struct field {
	enum field_kind kind;
	size_t offset;
};

#define FIELD(kind, msg, name)                   \
	{                                        \
		kind, offsetof(struct msg, name) \
	}
#define FIELDS_MAX 26

static const struct field frame_fields[FRAME_TYPE_COUNT][FIELDS_MAX] = {
    [FRAME_CONFIG] = {FIELD(U32, msg_config, task),
	FIELD(U32, msg_config, slots), FIELD(U32, msg_config, credit),
	FIELD(U32, msg_config, channel_window),
	FIELD(U32, msg_config, idle_timeout_ms),
	FIELD(U32, msg_config, has_input), FIELD(U64, msg_config, input_bytes),
	FIELD(STRING, msg_config, command), FIELD(BYTES, msg_config, env),
	FIELD(U32, msg_config, transfer_flags), FIELD(U32, msg_config, files),
	FIELD(U32, msg_config, file_mode), FIELD(U64, msg_config, total_files),
	FIELD(U64, msg_config, total_bytes), FIELD(U64, msg_config, max_bytes),
	FIELD(U64, msg_config, max_files), FIELD(U64, msg_config, left_out),
	FIELD(STRING, msg_config, left_out_why),
	FIELD(STRING, msg_config, destination),
	FIELD(BYTES, msg_config, sources),
	FIELD(STRING, msg_config, backup_suffix),
	FIELD(STRING, msg_config, token), FIELD(BYTES, msg_config, local),
	FIELD(U32, msg_config, has_sandbox)},
    [FRAME_JOB] = {FIELD(STRING, msg_job, address), FIELD(U32, msg_job, port),
	FIELD(STRING, msg_job, user),
	FIELD(STRING, msg_job, host_key_algorithms),
	FIELD(BYTES, msg_job, keys), FIELD(U32, msg_job, has_password),
	FIELD(U32, msg_job, connect_timeout_ms),
	FIELD(U32, msg_job, command_timeout_ms), FIELD(STRING, msg_job, local),
	FIELD(STRING, msg_job, local_below)},
    [FRAME_VERDICT] = {FIELD(U32, msg_verdict, verdict),
	FIELD(STRING, msg_verdict, text)},
    [FRAME_SIGNATURE] = {FIELD(BYTES, msg_signature, signature)},
    [FRAME_CREDIT] = {FIELD(U32, msg_credit, count)},
    [FRAME_CANCEL] = {FIELD(STRING, msg_cancel, message)},
    [FRAME_RATE] = {FIELD(U64, msg_rate, bytes_per_s)},
    [FRAME_READY] = {FIELD(U32, msg_ready, slots),
	FIELD(STRING, msg_ready, missing), FIELD(STRING, msg_ready, holes)},
    [FRAME_HOSTKEY] = {FIELD(BYTES, msg_hostkey, key),
	FIELD(STRING, msg_hostkey, peer)},
    [FRAME_SIGN] = {FIELD(U32, msg_sign, key), FIELD(BYTES, msg_sign, request),
	FIELD(BYTES, msg_sign, exchange)},
    [FRAME_OUTPUT] = {FIELD(U32, msg_output, stream),
	FIELD(BYTES, msg_output, data)},
    [FRAME_RESULT] = {FIELD(U32, msg_result, status),
	FIELD(U32, msg_result, stage), FIELD(U32, msg_result, has_exit_code),
	FIELD(U32, msg_result, exit_code), FIELD(STRING, msg_result, signal),
	FIELD(STRING, msg_result, message), FIELD(STRING, msg_result, peer),
	FIELD(U64, msg_result, stdout_bytes),
	FIELD(U64, msg_result, stderr_bytes),
	FIELD(U32, msg_result, connect_ms), FIELD(U32, msg_result, auth_ms),
	FIELD(U64, msg_result, bytes), FIELD(U64, msg_result, files),
	FIELD(U64, msg_result, unchanged), FIELD(STRING, msg_result, sha256),
	FIELD(U32, msg_result, is_final)},
    [FRAME_AUTHENTICATED] = {FIELD(STRING, msg_authenticated, method)},
    [FRAME_AUTH_REFUSED] = {FIELD(STRING, msg_auth_refused, method),
	FIELD(U32, msg_auth_refused, key),
	FIELD(U32, msg_auth_refused, is_signed)},
    [FRAME_PROGRESS] = {FIELD(U64, msg_progress, bytes),
	FIELD(U64, msg_progress, total)},
    [FRAME_ENTRY] = {FIELD(U32, msg_entry, type), FIELD(U32, msg_entry, mode),
	FIELD(U64, msg_entry, size), FIELD(U64, msg_entry, mtime_s),
	FIELD(U32, msg_entry, mtime_ns), FIELD(U64, msg_entry, ctime_s),
	FIELD(U32, msg_entry, ctime_ns), FIELD(U64, msg_entry, dev),
	FIELD(U64, msg_entry, ino), FIELD(BYTES, msg_entry, sha256),
	FIELD(STRING, msg_entry, path), FIELD(STRING, msg_entry, source),
	FIELD(STRING, msg_entry, link)},
};

static const char *const frame_names[FRAME_TYPE_COUNT] = {
    [FRAME_CONFIG] = "CONFIG",
    [FRAME_JOB] = "JOB",
    [FRAME_VERDICT] = "VERDICT",
    [FRAME_SIGNATURE] = "SIGNATURE",
    [FRAME_CREDIT] = "CREDIT",
    [FRAME_CANCEL] = "CANCEL",
    [FRAME_PING] = "PING",
    [FRAME_RATE] = "RATE",
    [FRAME_READY] = "READY",
    [FRAME_HOSTKEY] = "HOSTKEY",
    [FRAME_SIGN] = "SIGN",
    [FRAME_OUTPUT] = "OUTPUT",
    [FRAME_RESULT] = "RESULT",
    [FRAME_PONG] = "PONG",
    [FRAME_PROGRESS] = "PROGRESS",
    [FRAME_AUTHENTICATED] = "AUTHENTICATED",
    [FRAME_STARTED] = "STARTED",
    [FRAME_AUTH_REFUSED] = "AUTH_REFUSED",
    [FRAME_ENTRY] = "ENTRY",
};

const char *
frame_name(enum frame_type type)
{
	if ((unsigned)type >= FRAME_TYPE_COUNT || frame_names[type] == NULL)
		return "?";
	return frame_names[type];
}

static size_t
field_bytes(const struct field *f, const char *msg)
{
	const void *p = msg + f->offset;
	const char *s;
	struct bytes bytes;

	switch (f->kind) {
	case U32:
		return 4;
	case U64:
		return 8;
	case STRING:
		memcpy(&s, p, sizeof(s));
		return s != NULL ? strlen(s) + 1 : 1;
	case BYTES:
		memcpy(&bytes, p, sizeof(bytes));
		return 4 + bytes.len;
	case END:
		break;
	}
	return 0;
}

static void
field_write(struct buf *out, const struct field *f, const char *msg)
{
	const void *p = msg + f->offset;
	const char *s;
	struct bytes bytes;
	uint32_t u32;
	uint64_t u64;

	switch (f->kind) {
	case U32:
		memcpy(&u32, p, sizeof(u32));
		buf_put_u32(out, u32);
		break;
	case U64:
		memcpy(&u64, p, sizeof(u64));
		buf_put_u64(out, u64);
		break;
	case STRING:
		memcpy(&s, p, sizeof(s));
		s = s != NULL ? s : "";
		buf_append(out, s, strlen(s) + 1);
		break;
	case BYTES:
		memcpy(&bytes, p, sizeof(bytes));
		buf_put_string(out, bytes.data, bytes.len);
		break;
	case END:
		break;
	}
}

int
frame_write(
    struct buf *out, enum frame_type type, uint32_t job, const void *msg)
{
	const struct field *f;
	size_t size = HEADER_BYTES;

	for (f = frame_fields[type]; f->kind != END; f++) {
		size += field_bytes(f, msg);
		if (size > FRAME_MAX)
			return -1;
	}
	if (buf_reserve(out, size) == NULL)
		return -1;
	buf_put_u32(out, (uint32_t)size - 4);
	buf_put_u8(out, (uint8_t)type);
	buf_put_u32(out, job);
	for (f = frame_fields[type]; f->kind != END; f++)
		field_write(out, f, msg);
	return 0;
}

ssize_t
frame_peek(const struct buf *in, struct frame *frame)
{
	struct cursor c = {buf_head(in), buf_len(in)};
	uint32_t len;
	uint8_t type;

	if (c.left < HEADER_BYTES)
		return 0;
	cursor_get_u32(&c, &len);
	cursor_get_u8(&c, &type);
	cursor_get_u32(&c, &frame->job);
	if (len < HEADER_BYTES - 4 || len > FRAME_MAX - 4 || type == 0 ||
	    type >= FRAME_TYPE_COUNT)
		return -1;
	if (buf_len(in) - 4 < len)
		return 0;
	frame->type = (enum frame_type)type;
	c.left = len - (HEADER_BYTES - 4);
	frame->payload = c;
	return (ssize_t)len + 4;
}

static int
field_read(struct cursor *c, const struct field *f, char *msg)
{
	void *p = msg + f->offset;
	const uint8_t *nul;
	const char *s;
	struct bytes bytes;
	uint32_t u32;
	uint64_t u64;

	switch (f->kind) {
	case U32:
		if (cursor_get_u32(c, &u32) == -1)
			return -1;
		memcpy(p, &u32, sizeof(u32));
		break;
	case U64:
		if (cursor_get_u64(c, &u64) == -1)
			return -1;
		memcpy(p, &u64, sizeof(u64));
		break;
	case STRING:
		nul = c->left > 0 ? memchr(c->p, '\0', c->left) : NULL;
		if (nul == NULL)
			return -1;
		s = (const char *)c->p;
		c->left -= (size_t)(nul + 1 - c->p);
		c->p = nul + 1;
		memcpy(p, &s, sizeof(s));
		break;
	case BYTES:
		if (cursor_get_string(c, &bytes.data, &bytes.len) == -1)
			return -1;
		memcpy(p, &bytes, sizeof(bytes));
		break;
	case END:
		break;
	}
	return 0;
}

int
frame_read(const struct frame *frame, void *msg)
{
	struct cursor c = frame->payload;
	const struct field *f;

	for (f = frame_fields[frame->type]; f->kind != END; f++) {
		if (field_read(&c, f, msg) == -1)
			return -1;
	}
	return c.left == 0 ? 0 : -1;
}
