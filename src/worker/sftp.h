/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sftp: an SFTP client over a channel of a session. Requests are queued, and
 * any number of them may be on their way at once; each has a function that is
 * called with its reply. The functions are called from sftp_receive() only,
 * may queue more requests, and must neither end nor free the session.
 *
 * Contents never stand in memory: a write is read from its file when the
 * channel takes it, and what a read brings is handed on as it comes.
 *
 * libssh2's own SFTP is not used: it knows one operation at a time for each
 * of its handles, drops the server's words, and has no posix-rename before
 * 1.11, without which no file can be replaced atomically.
 */
#ifndef WORKER_SFTP_H
#define WORKER_SFTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libssh2.h>

#include "util/buf.h"
#include "worker/sftp_packet.h"
#include "worker/want.h"

struct session;
struct sftp_request;

enum sftp_state {
	SFTP_STATE_OPEN,
	SFTP_STATE_SUBSYSTEM,
	SFTP_STATE_READY, /* requests can be made; VERSION may be awaited */
};

struct sftp {
	enum sftp_state state;
	LIBSSH2_CHANNEL *channel;
	struct buf out; /* packets to send */
	struct buf in;	/* the packet that is being received */
	struct {	/* contents that follow after the first bytes of out */
		uint32_t slot; /* of the write */
		int fd;
		uint64_t offset;
		size_t left;
		size_t after;
	} body;
	struct {	       /* contents that are being received */
		uint32_t slot; /* of the read */
		size_t left;
	} data;
	struct sftp_request *requests; /* by slot; see sftp_request.c */
	uint32_t size, free_slot, last_slot, count, serial;
	uint64_t queued, sent; /* bytes, ever */
	bool has_version;
	unsigned extensions;	      /* enum sftp_extension */
	uint32_t read_max, write_max; /* bytes of one request */
	size_t reading, writing;      /* bytes on their way */
	size_t turn_bytes;	      /* sent in this turn */
	/* No more writes on their way than the host took in a second. */
	size_t writes_max;
	uint64_t written, paced_ms;
	char fault[256]; /* what the server did wrong; "" if nothing */
};

typedef void (*sftp_done)(void *ctx, struct sftp_reply *reply);
typedef void (*sftp_data)(
    void *ctx, uint64_t offset, const uint8_t *data, size_t len);

void sftp_init(struct sftp *f);
/* Forgets requests without calling their functions. */
void sftp_clear(struct sftp *f);

/*
 * Open the channel and the protocol. WANT_STEP once f->has_version (call it
 * no more), else what to wait for; WANT_END: the session was ended.
 */
enum want sftp_start(struct session *s, struct sftp *f);

/* Send what is queued as far as possible. Returns -1 if the session ended. */
int sftp_flush(struct session *s, struct sftp *f);

/*
 * Receive and call the functions of what was answered. Returns 1 if something
 * came, 0 if not, -1 if the session was ended.
 */
int sftp_receive(struct session *s, struct sftp *f);

/* A reply makes no sense: the session will be ended with this reason. */
void sftp_fault(struct sftp *f, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Enough was sent for now: other sessions have their turn first. */
bool sftp_turn_is_over(const struct sftp *f);

/*
 * To be called now and then. What is on its way delays all that comes after
 * it, the cleaning up too, so it is bounded by how fast the host is.
 */
void sftp_pace(struct sftp *f, uint64_t now_ms);

/* Whether a small request, a write, a read may be made now. */
bool sftp_has_room(const struct sftp *f);
bool sftp_can_write(const struct sftp *f);
bool sftp_can_read(const struct sftp *f, size_t in_flight_max);

/* --- requests: done is called with the reply, STATUS if it is refused ---- */

void sftp_stat(
    struct sftp *f, const char *path, bool follow, sftp_done done, void *ctx);
void sftp_fstat(struct sftp *f, const struct sftp_handle *handle,
    sftp_done done, void *ctx);
void sftp_setstat(struct sftp *f, const char *path,
    const struct sftp_attrs *attrs, sftp_done done, void *ctx);
void sftp_fsetstat(struct sftp *f, const struct sftp_handle *handle,
    const struct sftp_attrs *attrs, sftp_done done, void *ctx);
/* flags: SFTP_FLAG_*; mode: for a new file. Replies HANDLE. */
void sftp_open(struct sftp *f, const char *path, unsigned flags, uint32_t mode,
    sftp_done done, void *ctx);
void sftp_opendir(struct sftp *f, const char *path, sftp_done done, void *ctx);
/* Replies NAME, or status EOF. */
void sftp_readdir(struct sftp *f, const struct sftp_handle *handle,
    sftp_done done, void *ctx);
void sftp_close(struct sftp *f, const struct sftp_handle *handle,
    sftp_done done, void *ctx);
/* fsync@openssh.com; only if f->extensions has it. */
void sftp_fsync(struct sftp *f, const struct sftp_handle *handle,
    sftp_done done, void *ctx);
void sftp_remove(struct sftp *f, const char *path, sftp_done done, void *ctx);
void sftp_mkdir(
    struct sftp *f, const char *path, uint32_t mode, sftp_done done, void *ctx);
/* Replaces "to" atomically if f->extensions has POSIX_RENAME, else fails if
 * "to" exists. */
void sftp_rename(struct sftp *f, const char *from, const char *to,
    sftp_done done, void *ctx);
/* hardlink@openssh.com; only if f->extensions has it. */
void sftp_link(struct sftp *f, const char *from, const char *to, sftp_done done,
    void *ctx);
/* In OpenSSH's order of arguments, which all servers have come to take. */
void sftp_symlink(struct sftp *f, const char *target, const char *path,
    sftp_done done, void *ctx);
/* Replies NAME with the one target. */
void sftp_readlink(struct sftp *f, const char *path, sftp_done done, void *ctx);

/*
 * Write len bytes of fd from offset to the same place there, at most
 * f->write_max. fd must stay open until done is called or the session ends.
 * If fd can't be read the reply's error tells why, ENODATA for a file that has
 * become shorter, and what arrived there is nonsense. Only when
 * sftp_can_write().
 */
void sftp_write(struct sftp *f, const struct sftp_handle *handle, int fd,
    uint64_t offset, size_t len, sftp_done done, void *ctx);

/*
 * Read at most len bytes (at most f->read_max) from offset. data is called
 * with each piece as it comes, then done with a DATA reply and their length in
 * it; or done with a STATUS, EOF at the end of the file.
 */
void sftp_read(struct sftp *f, const struct sftp_handle *handle,
    uint64_t offset, size_t len, sftp_data data, sftp_done done, void *ctx);

#endif
