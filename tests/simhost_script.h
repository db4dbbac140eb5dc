/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * script: which host (a loopback address) behaves how. A behaviour is one row
 * of the table in simhost_script.c and one name here; simhost.c tells what
 * each does.
 */
#ifndef TESTS_SIMHOST_SCRIPT_H
#define TESTS_SIMHOST_SCRIPT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/*
 * How far a connection comes, in this order; the words of silent=, reset=,
 * hangup=, disconnect= and delay=.
 */
enum stage {
	STAGE_CONNECT,
	STAGE_BANNER,
	STAGE_KEX,
	STAGE_AUTH,
	STAGE_CHANNEL,
	STAGE_EXEC,
	STAGE_STREAM,
	STAGE_EXIT,
	STAGE_CLOSE,
	STAGE_COUNT
};

enum behaviour {
	/* tcp */
	B_REFUSE,
	B_BLACKHOLE,
	/* stages */
	B_SILENT,
	B_RESET,
	B_HANGUP,
	B_DISCONNECT,
	B_DELAY, /* of the first stage; B_DELAY + enum stage */
	B_DELAY_LAST = B_DELAY + STAGE_COUNT - 1,
	/* banner, keys */
	B_BANNER,
	B_SAYS,
	B_OTHER_KEY,
	B_CHANGING_KEY,
	B_REKEY,
	B_REKEY_OFFERS,
	B_CIPHERS,
	B_REKEY_CIPHERS,
	B_MACS,
	B_REKEY_MACS,
	/* which connections */
	B_ONLY,
	B_AFTER,
	/* auth */
	B_DENY,
	B_METHODS,
	B_PARTIAL,
	B_PASSWORD,
	B_CHANGE_PASSWORD,
	B_OPEN,
	B_NO_AUTHS,
	B_HANGUP_DENIED,
	/* channels and commands */
	B_NO_CHANNEL,
	B_NO_EXEC,
	B_EXEC,
	/* sftp: what is offered */
	B_NO_SFTP,
	B_VERSION,
	B_TEXT_FIRST,
	B_NO_EXTENSIONS,
	B_NO_POSIX_RENAME,
	B_NO_FSYNC,
	B_NO_HARDLINK,
	B_NO_LIMITS,
	/* sftp: files that are not what they seem */
	B_NAMES,
	B_SYMLINK,
	B_GROWS,
	B_SHRINKS,
	B_SIZE,
	B_TYPE_CHANGE,
	/* sftp: requests that fail */
	B_DISK_FULL,
	B_WRITE_FAILS,
	B_OPEN_FAILS,
	B_CLOSE_FAILS,
	B_READ_FAILS,
	B_STAT_FAILS,
	B_SETSTAT_FAILS,
	B_OPENDIR_FAILS,
	B_READDIR_FAILS,
	B_REMOVE_FAILS,
	B_MKDIR_FAILS,
	B_RMDIR_FAILS,
	B_REALPATH_FAILS,
	B_RENAME_FAILS,
	B_SYMLINK_FAILS,
	B_READLINK_FAILS,
	B_FSYNC_FAILS,
	B_HARDLINK_FAILS,
	/* sftp: requests that succeed, and do something else */
	B_LIES_SIZE,
	B_CORRUPT,
	/* sftp: unusual, but allowed */
	B_SHORT_READ,
	B_SHUFFLE,
	B_SLOW,
	/* sftp: against the protocol */
	B_STALL,
	B_DROP,
	B_DROP_AFTER,
	B_GARBAGE,
	B_HUGE_PACKET,
	B_ZERO_PACKET,
	B_BAD_ID,
	B_BAD_TYPE,
	B_BAD_DATA,
	B_LONG_HANDLE,
	B_MORE_DATA,
	B_MANY_ATTRS,
	/* exec */
	B_EXEC_SHA,
	B_EXEC_LIES,
	B_EXEC_STALL,
	B_COUNT
};

/* Kinds of SFTP requests: the words of stall= and drop=, in this order. */
enum op {
	OP_INIT,
	OP_OPEN,
	OP_CLOSE,
	OP_READ,
	OP_WRITE,
	OP_STAT, /* and LSTAT, FSTAT */
	OP_SETSTAT,
	OP_OPENDIR,
	OP_READDIR,
	OP_REMOVE,
	OP_MKDIR,
	OP_RMDIR,
	OP_REALPATH,
	OP_RENAME, /* and posix-rename */
	OP_SYMLINK,
	OP_READLINK,
	OP_FSYNC,
	OP_HARDLINK,
	OP_STATVFS,
	OP_LIMITS,
	OP_COUNT
};

/* The values of names=, in this order. */
enum names_kind {
	NAMES_SLASH,
	NAMES_DOTDOT,
	NAMES_EMPTY,
	NAMES_ABSOLUTE,
	NAMES_NUL,
	NAMES_LONG,
	NAMES_CONTROL,
	NAMES_TWICE,
	NAMES_FILETHENDIR,
	NAMES_ENDLESS,
	NAMES_DEEP
};

/* The values of banner=, in this order. */
enum banner_kind {
	BANNER_GARBAGE,
	BANNER_HTTP,
	BANNER_SSH1,
	BANNER_ENDLESS,
	BANNER_LINES,
	BANNER_PREAMBLE,
	BANNER_BLANK,
	BANNER_MAXSTARTUPS,
	BANNER_PENALTY,
	BANNER_EMPTY,
	BANNER_SAYS
};

/* The words of deny= and methods=, in this order; a value is a set of bits. */
enum auth_method {
	AUTH_PASSWORD,
	AUTH_PUBLICKEY,
	AUTH_KEYBOARD_INTERACTIVE,
	AUTH_COUNT
};

/* What COUNTS_FILE tells of each address. */
enum count {
	C_CONNECTIONS,
	C_OPEN,	    /* connections that are open now */
	C_MAX_OPEN, /* and at most */
	C_STARTUPS, /* of these not let in yet */
	C_MAX_STARTUPS,
	C_AUTH_TRIES, /* authentication requests, but for "none" */
	C_AUTHS,      /* connections let in */
	C_REKEYS,     /* key exchanges begun later than that */
	C_CHANNELS,
	C_EXECS,   /* requests of commands that are not refused */
	C_STARTED, /* commands that began */
	C_SFTPS,   /* sftp subsystems started */
	C_REQUESTS,
	C_READ_OPENS,
	C_WRITE_OPENS,
	C_READ_BYTES,
	C_WRITE_BYTES, /* of accepted WRITEs */
	C_CLOSES,
	C_OPENDIRS,
	C_REMOVES,
	C_MKDIRS,
	C_RENAMES,
	C_FSYNCS,
	C_COUNT
};

struct value {
	bool is_on;
	uint64_t number; /* or the index of a word, or a set of these */
	char *text;
};

struct host {
	char address[INET_ADDRSTRLEN];
	struct in_addr in;
	const struct value *values; /* [B_COUNT], shared by a range */
	uint64_t *counts;	    /* [C_COUNT] */
	struct host *good;	    /* see host_for_connection() */
	bool is_of_range;
	char *root; /* real path of its directory; set by fs_root() */
	int root_fd;
};

/* A line of the script: the hosts from first to last, in host byte order. */
struct line {
	uint32_t first, last;
	struct value *values;
	struct value *good_values; /* its settings without its faults */
};

struct script {
	struct line *lines;
	size_t line_count;
	struct host *hosts;
	size_t count;
};

/*
 * Read a script: lines "ADDRESS behaviour[=value]..." or "ADDRESS-ADDRESS
 * behaviour[=value]...", "#" starts a comment. In a text value \s is a space,
 * \e ESC, \n, \r, \t, \\ and \xHH as usual. Returns 0, or -1 with err telling
 * file, line and fault.
 */
int script_load(struct script *s, const char *path, struct error *err);
void script_clear(struct script *s);

/*
 * Write all counts, as lines "address name count"; who sees the file can read
 * all of it.
 */
int script_write_counts(
    const struct script *s, const char *path, struct error *err);

/*
 * Count a new connection, and tell how it is to be served: h itself, or with
 * only= and after= a host with the same counts and no faults.
 */
struct host *host_for_connection(struct host *h);

/* Raise a count that tells what is so now, and the one of its maximum. */
static inline void
count_up(uint64_t *counts, enum count now, enum count max)
{
	counts[now]++;
	if (counts[max] < counts[now])
		counts[max] = counts[now];
}

static inline bool
host_has(const struct host *h, unsigned int b)
{
	return h->values[b].is_on;
}

static inline uint64_t
host_number(const struct host *h, unsigned int b)
{
	return h->values[b].number;
}

/* Whether the behaviour is on with this word (enum op, stage and so on). */
static inline bool
host_is(const struct host *h, unsigned int b, unsigned int word)
{
	return h->values[b].is_on && h->values[b].number == word;
}

#endif
