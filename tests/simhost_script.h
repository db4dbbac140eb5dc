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

enum behaviour {
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

/* What COUNTS_FILE tells of each address. */
enum count {
	C_CONNECTIONS,
	C_AUTHS, /* connections let in */
	C_CHANNELS,
	C_EXECS,
	C_SFTPS, /* sftp subsystems started */
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
	uint64_t number; /* or the index of a word */
	char *text;
};

struct host {
	char address[INET_ADDRSTRLEN];
	struct in_addr in;
	struct value values[B_COUNT];
	uint64_t counts[C_COUNT];
	char *root; /* real path of its directory; set by fs_root() */
	int root_fd;
};

struct script {
	struct host *hosts;
	size_t count;
};

/*
 * Read a script: lines "ADDRESS behaviour[=value]...", "#" starts a comment.
 * In a text value \s is a space, \e ESC, \n, \r, \t, \\ and \xHH as usual.
 * Returns 0, or -1 with err telling file, line and fault.
 */
int script_load(struct script *s, const char *path, struct error *err);
void script_clear(struct script *s);

/* Write all counts, as lines "address name count". */
int script_write_counts(
    const struct script *s, const char *path, struct error *err);

static inline bool
host_has(const struct host *h, enum behaviour b)
{
	return h->values[b].is_on;
}

static inline uint64_t
host_number(const struct host *h, enum behaviour b)
{
	return h->values[b].number;
}

/* Whether the behaviour is on with this word (enum op, names_kind). */
static inline bool
host_is(const struct host *h, enum behaviour b, unsigned int word)
{
	return h->values[b].is_on && h->values[b].number == word;
}

#endif
