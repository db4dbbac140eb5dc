/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * frame: everything that control and a worker say to each other.
 *
 * A frame is a length (4 bytes, big-endian, of what follows), a type (1
 * byte), a job (4 bytes; the host's index in the run) and the fields of its
 * message, if it has any, in the order of the struct. Integers are big-endian;
 * a string is its bytes with a NUL at the end; bytes are a length (4 bytes) and
 * the bytes.
 *
 *   control                                        worker
 *   CONFIG  once, first                ──▶
 *                                      ◀──  READY       free slots
 *   JOB     for a free slot            ──▶
 *                                      ◀──  HOSTKEY     key presented
 *   VERDICT accepted, refused, retry   ──▶
 *                                      ◀──  SIGN        a userauth request
 *   SIGNATURE                          ──▶
 *                                      ◀──  AUTH_REFUSED   by that key
 *                                      ◀──  AUTHENTICATED  logged in
 *                                      ◀──  STARTED     command sent
 *                                      ◀──  OUTPUT      uses up credit
 *                                      ◀──  PROGRESS    of a transfer
 *   CREDIT  bytes printed              ──▶
 *   CANCEL  end what runs              ──▶
 *   RATE    bytes a second, its share  ──▶
 *   PING    still there?               ──▶            from time to time
 *                                      ◀──  PONG        its loop goes round
 *                                      ◀──  RESULT      the slot is free again
 *
 * The command of a job, or its first write, may start only after a VERDICT
 * that accepts. Before that verdict a worker may send HOSTKEY; from it to
 * AUTHENTICATED, SIGN and AUTH_REFUSED; after AUTHENTICATED, STARTED, OUTPUT
 * and PROGRESS; and RESULT at any time. What comes out of turn ends the worker.
 * A key is signed with once, in the order of the job's keys, and only for the
 * session that the accepted host key has signed. A PONG answers a PING. OUTPUT
 * is bounded by credit, as a channel by its window (RFC 4254 section 5.2): a
 * worker sends no more output bytes than it was granted (CONFIG, CREDIT), so
 * that a slow stdout never delays the other frames.
 *
 * ENTRY frames stand in files: what a put sends is written down once, by
 * control, and read by every worker at its own pace (WORKER_INPUT_FD).
 */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/buf.h"

enum frame_type {
	/* control to worker */
	FRAME_CONFIG = 1,
	FRAME_JOB,
	FRAME_VERDICT,
	FRAME_SIGNATURE,
	FRAME_CREDIT,
	FRAME_CANCEL,
	FRAME_PING,
	FRAME_RATE,
	/* worker to control */
	FRAME_READY,
	FRAME_HOSTKEY,
	FRAME_SIGN,
	FRAME_OUTPUT,
	FRAME_RESULT,
	FRAME_PONG,
	FRAME_PROGRESS,
	FRAME_AUTHENTICATED,
	FRAME_STARTED,
	FRAME_AUTH_REFUSED,
	/* in files */
	FRAME_ENTRY,
	FRAME_TYPE_COUNT
};

/* So often a worker with jobs is pinged, unless control does not run. */
#define PING_INTERVAL_MS 5000u
/* No frame is longer than this, header included. */
#define FRAME_MAX (4u << 20)
/* The most output bytes one OUTPUT frame carries. */
#define FRAME_OUTPUT_MAX 32768u
/* A worker's texts are shorter, with their NUL. */
#define FRAME_MESSAGE_MAX 512u
#define FRAME_SIGNAL_MAX  64u
#define FRAME_PEER_MAX	  64u
/* Its counts, of bytes and files, are no larger: any reader of JSON takes it.
 */
#define FRAME_COUNT_MAX (UINT64_C(1) << 53)
/* The job number of frames that belong to none. */
#define FRAME_NO_JOB UINT32_MAX

/* Descriptors that a worker inherits. */
#define WORKER_JOB_FD	 3 /* reads CONFIG, JOB, ... */
#define WORKER_RESULT_FD 4 /* writes READY, OUTPUT, ... */
#define WORKER_INPUT_FD	 5 /* a file: what every command reads, if any */

struct bytes {
	const uint8_t *data;
	size_t len;
};

enum task {
	TASK_EXEC, /* run a command */
	TASK_PUT,  /* send the entries of WORKER_INPUT_FD */
	TASK_GET,  /* fetch what sources name */
};

enum transfer_flag {
	TRANSFER_PRESERVE = 1 << 0, /* keep times */
	TRANSFER_FOLLOW = 1 << 1,   /* get: symlinks are what they point to */
	TRANSFER_UPDATE = 1 << 2,   /* skip files of equal size and time */
	TRANSFER_CHECKSUM = 1 << 3, /* skip files of equal content */
	TRANSFER_VERIFY = 1 << 4,   /* compare contents afterwards */
	TRANSFER_RESUME = 1 << 5,   /* go on from partial files, keep them */
	TRANSFER_MKDIR = 1 << 6,    /* put: make the destination, -p */
	TRANSFER_DRY_RUN = 1 << 7,  /* say what would go where */
	TRANSFER_INTO = 1 << 8,	    /* the destination must be a directory */
	TRANSFER_ROOT = 1 << 10,    /* put: it is the root of the one tree */
	TRANSFER_NAMED = 1 << 9,    /* get: a host's path is a template's */
};

/* msg_config.file_mode: as the file at the other side has it. */
#define FILE_MODE_KEEP UINT32_MAX

/* The run's configuration, the same for every worker. */
struct msg_config {
	uint32_t task;		  /* enum task */
	uint32_t slots;		  /* sessions at once in this worker */
	uint32_t credit;	  /* output bytes granted at the start */
	uint32_t channel_window;  /* receive window of a channel, bytes */
	uint32_t idle_timeout_ms; /* 0: none */
	uint32_t has_input;	  /* WORKER_INPUT_FD is there */
	uint64_t input_bytes;	  /* its length */
	/* TASK_EXEC */
	const char *command;
	struct bytes env; /* strings "NAME=value", each with its NUL */
	/* TASK_PUT, TASK_GET */
	uint32_t transfer_flags;   /* enum transfer_flag */
	uint32_t files;		   /* of a session open at once */
	uint32_t file_mode;	   /* permission bits, or FILE_MODE_KEEP */
	uint64_t total_files;	   /* put: of all entries, directories aside */
	uint64_t total_bytes;	   /* put */
	uint64_t max_bytes;	   /* get: of one host */
	uint64_t max_files;	   /* get: of one host, all kinds */
	uint64_t left_out;	   /* put: local files that can't be read */
	const char *left_out_why;  /* the first of them, with its path */
	const char *destination;   /* put: path there */
	struct bytes sources;	   /* get: paths there, each with its NUL */
	const char *backup_suffix; /* "": none */
	const char *token;	   /* of this run, for names of temporaries */
	/*
	 * Local paths, each with its NUL. put: what is sent is one of these or
	 * below; get: the directory that is written to.
	 */
	struct bytes local;
	uint32_t
	    has_sandbox; /* the worker confines itself, see worker/cage.h */
};

struct msg_job {
	const char *address; /* name or number to connect to */
	uint32_t port;
	const char *user;
	const char *host_key_algorithms; /* preference, comma-separated */
	struct bytes keys; /* to offer: string algorithm, string blob, ... */
	uint32_t has_password;
	uint32_t connect_timeout_ms;
	uint32_t command_timeout_ms; /* 0: none */
	/*
	 * TASK_GET: the user's local directory, "" for the current one; and,
	 * safe as names below it, what is the host's own part of the path. It
	 * ends in "/" if a template tells of a directory.
	 */
	const char *local;
	const char *local_below;
};

enum verdict {
	VERDICT_REFUSED,  /* text: the message for the result */
	VERDICT_ACCEPTED, /* text: the password, if the job has one */
	VERDICT_RETRY,	  /* text: host key algorithms to connect again with */
};

struct msg_verdict {
	uint32_t verdict;
	const char *text;
};

struct msg_signature {
	struct bytes signature; /* empty: refused */
};

struct msg_credit {
	uint32_t count; /* more output bytes may be sent */
};

struct msg_cancel {
	const char *message; /* for the results of what is cut short */
};

struct msg_rate {
	uint64_t
	    bytes_per_s; /* over all sessions of this worker; 0: no limit */
};

struct msg_ready {
	uint32_t slots;
	const char *missing; /* of the sandbox, and why; "" if nothing is */
	const char *holes;   /* of its libssh2, a sentence; "" if none */
};

struct msg_hostkey {
	struct bytes key; /* RFC 4253 section 6.6 */
	const char *peer; /* numeric address that presented it */
};

struct msg_sign {
	uint32_t key;	      /* which of msg_job.keys, from 0 */
	struct bytes request; /* what is to be signed */
	/* What the session's id is the hash of, RFC 4253 section 8. */
	struct bytes exchange;
};

/* msg_authenticated.method of a login with a key, RFC 4252 section 7. */
#define AUTH_PUBLICKEY "publickey"

struct msg_authenticated {
	const char *method; /* RFC 4252 */
};

/* An attempt to log in has failed; others may follow. */
struct msg_auth_refused {
	const char *method; /* RFC 4252 */
	uint32_t key;	    /* with AUTH_PUBLICKEY, as in msg_sign */
	uint32_t is_signed; /* the server took the key, not the signature */
};

struct msg_output {
	uint32_t stream; /* 1 stdout, 2 stderr */
	struct bytes data;
};

struct msg_result {
	uint32_t status; /* enum status */
	uint32_t stage;	 /* enum stage */
	uint32_t has_exit_code;
	uint32_t exit_code;
	const char *signal; /* name without SIG, "" if none */
	const char *message;
	const char *peer; /* as in msg_hostkey, "" if never connected */
	uint64_t stdout_bytes;
	uint64_t stderr_bytes;
	uint32_t connect_ms; /* until the host key was presented */
	uint32_t auth_ms;    /* from the verdict until authenticated */
	/* transfers */
	uint64_t bytes;	    /* of contents, confirmed */
	uint64_t files;	    /* transferred, or found unchanged */
	uint64_t unchanged; /* of these */
	const char *sha256; /* hex, of one file alone; "" if not computed */
	uint32_t is_final;  /* another attempt would end the same way */
};

struct msg_progress {
	uint64_t bytes; /* so far */
	uint64_t total; /* 0: not known */
};

enum entry_type { ENTRY_FILE, ENTRY_DIR, ENTRY_SYMLINK, ENTRY_DIR_END };

/* One thing to transfer; what is in a directory comes after it. */
struct msg_entry {
	uint32_t type;	  /* enum entry_type */
	uint32_t mode;	  /* permission bits */
	uint64_t size;	  /* of files, bytes */
	uint64_t mtime_s; /* two's complement */
	uint32_t mtime_ns;
	/* put: what makes sure that it is the very file and unchanged */
	uint64_t ctime_s;
	uint32_t ctime_ns;
	uint64_t dev, ino;
	struct bytes sha256; /* 32 bytes, or none */
	const char *path;    /* below the destination; "": itself */
	const char *source;  /* path to read it from */
	const char *link;    /* of symlinks, what they say */
};

/* A frame as it stands in a buffer. */
struct frame {
	enum frame_type type;
	uint32_t job;
	struct cursor payload;
};

/* As in enum frame_type; "?" for what is none. */
const char *frame_name(enum frame_type type);

/*
 * Append a frame to out. msg is the struct of that type; a string that is NULL
 * goes as "". Returns 0, or -1 if
 * it exceeds FRAME_MAX or the maximum of out; then nothing is appended.
 */
int frame_write(
    struct buf *out, enum frame_type type, uint32_t job, const void *msg);

/*
 * Look at the first frame of in. Returns its whole size in bytes (the caller
 * consumes them when done with it), 0 if it is not complete yet, or -1 if the
 * bytes are no frame.
 */
ssize_t frame_peek(const struct buf *in, struct frame *frame);

/*
 * Fill msg, the struct of frame's type, from its payload. Strings and bytes
 * point into the frame. Returns 0, or -1 if the payload does not fit exactly.
 */
int frame_read(const struct frame *frame, void *msg);

#endif
