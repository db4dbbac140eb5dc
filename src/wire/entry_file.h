/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * entry_file: ENTRY frames one after the other, as many as there are files to
 * transfer, so the memory that they take does not depend on their number.
 *
 * Control writes down what a put sends and hands the file to every worker; a
 * worker writes down what it finds on a host that it gets from, and reads it
 * while it still writes. A short list stays in memory; a longer one goes to a
 * temporary file without a name. A place in it is the same in both: what is
 * in memory is always the end of the list.
 */
#ifndef WIRE_ENTRY_FILE_H
#define WIRE_ENTRY_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/error.h"
#include "wire/frame.h"

/* Embedded by the caller; the fields are the module's own. */
struct entry_file {
	int fd;		     /* the temporary file, -1 until it is needed */
	uint64_t disk_bytes; /* of it */
	struct buf tail;     /* frames that come after these */
	size_t spill_bytes;
};

/*
 * An empty list that makes no file as long as its frames take no more than
 * spill_bytes.
 */
void entry_file_init(struct entry_file *f, size_t spill_bytes);
void entry_file_clear(struct entry_file *f);

/*
 * Add an entry at the end; nothing of it is kept by reference. Returns 0, or
 * -1 with err if the disk does not take it or it exceeds FRAME_MAX. After a
 * failure nothing may be added any more.
 */
int entry_file_append(
    struct entry_file *f, const struct msg_entry *e, struct error *err);

/* Put all into the file, also if it is nothing. Returns 0, or -1 with err. */
int entry_file_flush(struct entry_file *f, struct error *err);

/* What all frames take, bytes; after a flush, the length of the file. */
uint64_t entry_file_length(const struct entry_file *f);

/*
 * A descriptor that can only read the file, to be handed on and closed by the
 * caller; it outlives f. It must be asked for before the first append, since
 * later the file has no name to open; from then on all goes to the file, by
 * entry_file_flush() at the latest. Returns -1 with err if there is no room
 * for a file.
 */
int entry_file_reader(struct entry_file *f, struct error *err);

/* One who reads a list from its beginning. Embedded; the fields are private. */
struct entry_cursor {
	const struct entry_file *file; /* NULL: fd and length tell */
	int fd;
	uint64_t length;
	uint64_t offset; /* up to where it is read into in */
	struct buf in;
	size_t used; /* of in, bytes of the entry given last */
};

/* Read f, which must outlive the cursor and may grow meanwhile. */
void entry_cursor_init(struct entry_cursor *c, const struct entry_file *f);

/*
 * Read length bytes of fd from offset 0. fd stays the caller's and may be
 * shared: it is read with pread(2).
 */
void entry_cursor_init_fd(struct entry_cursor *c, int fd, uint64_t length);
void entry_cursor_clear(struct entry_cursor *c);

/*
 * The next entry. Returns 1 with *e filled, whose pointers are valid until the
 * next call with this cursor; 0 if there is none, and then a later call gives
 * what was appended meanwhile; -1 with err if the file cannot be read or holds
 * something else.
 */
int entry_next(struct entry_cursor *c, struct msg_entry *e, struct error *err);

#endif
