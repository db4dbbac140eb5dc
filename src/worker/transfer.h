/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * transfer: what a put and a get have in common: the SFTP connection, the
 * counts, the lines for the user, the pace, and how the session ends. What is
 * moved, and how, is in task_put.c and task_get.c.
 *
 * Files fail one by one: transfer_failed() says so on stderr and counts, and
 * the rest goes on. Only what breaks the connection ends the session at once.
 */
#ifndef WORKER_TRANSFER_H
#define WORKER_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "wire/frame.h"
#include "wire/outcome.h"
#include "worker/compare.h"
#include "worker/sftp.h"
#include "worker/want.h"

struct session;
struct transfer;

struct transfer_ops {
	/* The protocol is ready: begin. Called once, before the first step. */
	void (*begin)(struct transfer *t);
	/*
	 * Start what can be started: new files, reads, writes. Called after
	 * every event. Returns true when nothing is left to do and nothing is
	 * on its way.
	 */
	bool (*step)(struct transfer *t);
	/* Start nothing more; remove the temporaries. step() goes on. */
	void (*stop)(struct transfer *t);
	/* Close and free everything; the connection is gone. */
	void (*free)(struct transfer *t);
};

struct transfer {
	struct session *session;
	const struct transfer_ops *ops;
	void *task; /* of ops */
	struct sftp sftp;
	struct comparer comparer;
	bool has_begun, is_stopping;
	bool is_held;	     /* step() waits for the rate limit */
	bool has_more;	     /* step() has more to do at once */
	unsigned local_jobs; /* slow work here: the host may be silent */

	uint64_t moved_bytes; /* sent or received so far, for the progress */
	uint64_t failures;
	enum status failure_status;
	char failure[384]; /* the first */
	char sha256[65];
	char route[512]; /* "FROM -> TO" for the user, escaped */
	uint64_t sha256_files;
	uint64_t began_ms, progress_ms, progress_bytes;
	struct buf lines[2]; /* for stdout and stderr, until there is credit */
};

struct transfer *transfer_new(
    struct session *s, const struct transfer_ops *ops);
void transfer_free(struct transfer *t);

/* Go on. WANT_END when the session was ended, with its result. */
enum want transfer_step(struct session *s);

/*
 * The session is to end early, with the result that session_end() has set, or
 * is about to set. Returns true if there is something to clean up first on the
 * host: then transfer_step() is to be called until it returns WANT_END, for at
 * most TRANSFER_STOP_MS.
 */
bool transfer_stop(struct session *s);
#define TRANSFER_STOP_MS 3000u

/* --- for task_put.c and task_get.c --------------------------------------- */

const struct msg_config *transfer_config(const struct transfer *t);
bool transfer_has(const struct transfer *t, enum transfer_flag flag);

/*
 * One file could not be transferred: say so on stderr and count. path may hold
 * any bytes; so may the words. STATUS_TRANSFER: the far side refused;
 * STATUS_ERROR: a fault on this side, which weighs more.
 */
void transfer_failed(struct transfer *t, enum status status, const char *path,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The same with the words of the server's reply. what: "opening it", ... */
void transfer_refused(struct transfer *t, const char *path, const char *what,
    const struct sftp_reply *reply);

/* A line on stderr about something that is no failure. */
void transfer_note(struct transfer *t, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * A file, symlink or such has arrived, or was found unchanged. Directories
 * are not counted.
 */
void transfer_done(struct transfer *t, uint64_t bytes, bool is_unchanged);
/* 32 bytes, of a file that was transferred; kept if it is the only one. */
void transfer_sha256(struct transfer *t, const uint8_t *sha256);
/* What the line at the end names; the first call counts. Any bytes. */
void transfer_route(struct transfer *t, const char *from, const char *to);
/* -dry-run: a line "would put FROM -> TO". */
void transfer_would(struct transfer *t, const char *from, const char *to);

/* Whether lines wait that nobody has read yet: start nothing more. */
bool transfer_is_clogged(const struct transfer *t);

/*
 * Ask to move len bytes of contents under the rate limit: how many may be
 * moved now. 0: t->is_held is set, and step() will be called again.
 */
size_t transfer_allowance(struct transfer *t, size_t len);
/* len bytes that were allowed did not come. */
void transfer_give_back(struct transfer *t, size_t len);
/* From step(): it has more to do at once, but others have their turn first. */
void transfer_again(struct transfer *t);
/* len bytes of contents were moved (for the progress). */
void transfer_moved(struct transfer *t, size_t len);

/* Session's next step, from a callback that is not the network's. */
void transfer_wake(struct transfer *t);

#endif
