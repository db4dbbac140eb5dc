/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files simhost_sftp*.c share: _sftp.c (packets, replies, the table
 * of requests), _sftp_file.c (handles, what works on them), _sftp_path.c
 * (what works on paths).
 */
#ifndef TESTS_SIMHOST_SFTP_IMPL_H
#define TESTS_SIMHOST_SFTP_IMPL_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include "simhost_fake.h"
#include "simhost_fs.h"
#include "simhost_sftp.h"

#define SFTP_READ_MAX	 (SFTP_PACKET_MAX - 1024)
#define SFTP_HANDLES_MAX 1000u

enum packet_type {
	FXP_INIT = 1,
	FXP_VERSION,
	FXP_OPEN,
	FXP_CLOSE,
	FXP_READ,
	FXP_WRITE,
	FXP_LSTAT,
	FXP_FSTAT,
	FXP_SETSTAT,
	FXP_FSETSTAT,
	FXP_OPENDIR,
	FXP_READDIR,
	FXP_REMOVE,
	FXP_MKDIR,
	FXP_RMDIR,
	FXP_REALPATH,
	FXP_STAT,
	FXP_RENAME,
	FXP_READLINK,
	FXP_SYMLINK,
	FXP_STATUS = 101,
	FXP_HANDLE,
	FXP_DATA,
	FXP_NAME,
	FXP_ATTRS,
	FXP_EXTENDED = 200,
	FXP_EXTENDED_REPLY
};

enum status {
	FX_OK,
	FX_EOF,
	FX_NO_SUCH_FILE,
	FX_PERMISSION_DENIED,
	FX_FAILURE,
	FX_BAD_MESSAGE,
	FX_NO_CONNECTION,
	FX_CONNECTION_LOST,
	FX_OP_UNSUPPORTED
};

/* Section 5, "File Attributes". */
enum attr_flag {
	ATTR_SIZE = 1,
	ATTR_UIDGID = 2,
	ATTR_PERMISSIONS = 4,
	ATTR_ACMODTIME = 8
};
#define ATTR_EXTENDED 0x80000000u

struct attrs {
	uint32_t flags;
	uint64_t size;
	uint32_t uid, gid, permissions, atime, mtime;
};

enum handle_kind { HANDLE_FREE, HANDLE_FILE, HANDLE_DIR, HANDLE_FAKE_FILE };

struct handle {
	enum handle_kind kind;
	uint32_t generation; /* so that a closed handle is not mistaken */
	int fd;		     /* -1: none */
	DIR *dir;	     /* NULL: a faked directory */
	bool is_real_done;   /* the directory's real entries were listed */
	uint64_t pos;	     /* in its faked entries */
};

/* A reply that waits for its time (slow, shuffle). */
struct held {
	STAILQ_ENTRY(held) entry;
	uint64_t due_ms;
	size_t len;
	uint8_t bytes[];
};

struct sftp {
	struct host *host;
	uint64_t *stored;
	struct buf msg;	 /* the reply being made, without its length */
	struct buf *out; /* while requests are served */
	STAILQ_HEAD(held_list, held) held;
	size_t held_bytes;
	bool has_version; /* sent */
	bool is_stalled;
	uint64_t drop_count; /* requests so far of the kind to drop at */
	uint32_t random;
	struct handle *handles;
	size_t handle_count;
};

/* A request's own part, after type, id and the name of an extension. */
typedef void (*request_fn)(struct sftp *s, uint32_t id, struct cursor *c);

/* --- replies (simhost_sftp.c) --- */

/* Begin a reply; its parts are then appended to s->msg. */
void reply_begin(struct sftp *s, enum packet_type type, uint32_t id);
void reply_end(struct sftp *s);

/* message NULL: the usual one of the code. */
void reply_status(
    struct sftp *s, uint32_t id, enum status code, const char *message);
void reply_errno(struct sftp *s, uint32_t id, int error);
/* OK, or errno if rc is -1. */
void reply_rc(struct sftp *s, uint32_t id, int rc);
void reply_bad_message(struct sftp *s, uint32_t id);
void reply_attrs(struct sftp *s, uint32_t id, const struct stat *st);

void put_attrs(struct sftp *s, const struct stat *st);
int get_attrs(struct cursor *c, struct attrs *a);
/* A string that is a path, parsed. Replies to the request if it is not. */
int get_path(
    struct sftp *s, uint32_t id, struct cursor *c, struct fs_path *path);
/* Apply attributes to what fd (O_PATH is enough) refers to. */
int set_attrs(int fd, const struct attrs *a);

/* --- requests --- */

void request_open(struct sftp *s, uint32_t id, struct cursor *c);
void request_close(struct sftp *s, uint32_t id, struct cursor *c);
void request_read(struct sftp *s, uint32_t id, struct cursor *c);
void request_write(struct sftp *s, uint32_t id, struct cursor *c);
void request_fstat(struct sftp *s, uint32_t id, struct cursor *c);
void request_fsetstat(struct sftp *s, uint32_t id, struct cursor *c);
void request_opendir(struct sftp *s, uint32_t id, struct cursor *c);
void request_readdir(struct sftp *s, uint32_t id, struct cursor *c);
void request_fsync(struct sftp *s, uint32_t id, struct cursor *c);
/* Close all. */
void handles_clear(struct sftp *s);

void request_lstat(struct sftp *s, uint32_t id, struct cursor *c);
void request_stat(struct sftp *s, uint32_t id, struct cursor *c);
void request_setstat(struct sftp *s, uint32_t id, struct cursor *c);
void request_remove(struct sftp *s, uint32_t id, struct cursor *c);
void request_mkdir(struct sftp *s, uint32_t id, struct cursor *c);
void request_rmdir(struct sftp *s, uint32_t id, struct cursor *c);
void request_realpath(struct sftp *s, uint32_t id, struct cursor *c);
void request_rename(struct sftp *s, uint32_t id, struct cursor *c);
void request_posix_rename(struct sftp *s, uint32_t id, struct cursor *c);
void request_readlink(struct sftp *s, uint32_t id, struct cursor *c);
void request_symlink(struct sftp *s, uint32_t id, struct cursor *c);
void request_hardlink(struct sftp *s, uint32_t id, struct cursor *c);
void request_statvfs(struct sftp *s, uint32_t id, struct cursor *c);
void request_limits(struct sftp *s, uint32_t id, struct cursor *c);

#endif
