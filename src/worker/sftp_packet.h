/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sftp_packet: the packets of SFTP version 3 (draft-ietf-secsh-filexfer-02),
 * and what of OpenSSH's extensions we use (its file PROTOCOL, section 4).
 */
#ifndef WORKER_SFTP_PACKET_H
#define WORKER_SFTP_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "wire/frame.h"

enum sftp_type {
	SFTP_INIT = 1,
	SFTP_VERSION = 2,
	SFTP_OPEN = 3,
	SFTP_CLOSE = 4,
	SFTP_READ = 5,
	SFTP_WRITE = 6,
	SFTP_LSTAT = 7,
	SFTP_FSTAT = 8,
	SFTP_SETSTAT = 9,
	SFTP_FSETSTAT = 10,
	SFTP_OPENDIR = 11,
	SFTP_READDIR = 12,
	SFTP_REMOVE = 13,
	SFTP_MKDIR = 14,
	SFTP_STAT = 17,
	SFTP_RENAME = 18,
	SFTP_READLINK = 19,
	SFTP_SYMLINK = 20,
	SFTP_STATUS = 101,
	SFTP_HANDLE = 102,
	SFTP_DATA = 103,
	SFTP_NAME = 104,
	SFTP_ATTRS = 105,
	SFTP_EXTENDED = 200,
	SFTP_EXTENDED_REPLY = 201,
};

enum sftp_status {
	SFTP_OK,
	SFTP_EOF,
	SFTP_NO_SUCH_FILE,
	SFTP_PERMISSION_DENIED,
	SFTP_FAILURE,
	SFTP_BAD_MESSAGE,
	SFTP_NO_CONNECTION,
	SFTP_CONNECTION_LOST,
	SFTP_OP_UNSUPPORTED,
};

/* pflags of SFTP_OPEN */
#define SFTP_FLAG_READ	 0x01u
#define SFTP_FLAG_WRITE	 0x02u
#define SFTP_FLAG_CREATE 0x08u
#define SFTP_FLAG_EXCL	 0x20u

enum sftp_attr_flag {
	SFTP_ATTR_SIZE = 0x01,
	SFTP_ATTR_IDS = 0x02,
	SFTP_ATTR_MODE = 0x04,
	SFTP_ATTR_TIMES = 0x08,
};

/* Extensions that a server may have. */
enum sftp_extension {
	SFTP_POSIX_RENAME = 1 << 0,
	SFTP_FSYNC = 1 << 1,
	SFTP_HARDLINK = 1 << 2,
	SFTP_LIMITS = 1 << 3,
};

#define SFTP_VERSION_OURS 3u
#define SFTP_HANDLE_MAX	  256u

struct sftp_attrs {
	uint32_t flags; /* which of these are there; the others are 0 */
	uint64_t size;
	uint32_t uid, gid;
	uint32_t mode; /* with the file's type, as st_mode */
	uint32_t atime, mtime;
};

struct sftp_handle {
	uint32_t len; /* 0: none */
	uint8_t data[SFTP_HANDLE_MAX];
};

/* What the server has answered. Everything in it is its word. */
struct sftp_reply {
	enum sftp_type type;
	enum sftp_status status; /* of SFTP_STATUS, else SFTP_OK */
	struct bytes message;	 /* of SFTP_STATUS: its words, maybe none */
	struct sftp_handle handle;
	struct sftp_attrs attrs;
	uint32_t count;	    /* of SFTP_NAME: how many follow */
	struct cursor rest; /* of NAME and EXTENDED_REPLY */
	uint64_t length;    /* of DATA: bytes that came */
	int error; /* errno, of a write whose contents could not be read */
};

/* Append a packet's start: its length is set by sftp_packet_end(). */
size_t sftp_packet_begin(struct buf *out, enum sftp_type type, uint32_t id);
/* body_bytes: what is sent of the packet by other means. */
void sftp_packet_end(struct buf *out, size_t begin, size_t body_bytes);
void sftp_put_attrs(struct buf *out, const struct sftp_attrs *attrs);

/*
 * Read the body of a reply, behind its id; DATA is not for here. Returns 0, or
 * -1 if it is malformed.
 */
int sftp_reply_read(
    struct sftp_reply *r, enum sftp_type type, struct cursor *body);

/*
 * The next name of a NAME reply. Returns 1, 0 if there is none left, -1 if the
 * reply is malformed.
 */
int sftp_name_next(
    struct sftp_reply *r, struct bytes *name, struct sftp_attrs *attrs);

/* The extensions (enum sftp_extension) of a VERSION packet's body. */
int sftp_version_read(
    struct cursor *body, uint32_t *version, unsigned *extensions);

/* The server's words, or those of the draft for its status; for %.*s. */
struct bytes sftp_words(const struct sftp_reply *r);

#endif
