/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * put: what the parts of a put share: task_put.c takes the run's entries one
 * after the other and makes an item of each; put_file.c sends files and
 * symlinks, put_dir.c makes directories and looks for what dead runs have left
 * in them.
 */
#ifndef WORKER_PUT_H
#define WORKER_PUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/entry_file.h"
#include "worker/compare.h"
#include "worker/transfer.h"

/* Partial files of earlier runs that are remembered, for -resume. */
#define PARTIALS_MAX 256u

struct put;
struct put_item;

/*
 * One thing in work. It goes on when all that it asked for was answered
 * (waiting is 0), by its step function, which asks for more or sets is_over.
 */
struct put_item {
	struct put *put;
	struct put_item *next;
	void (*step)(struct put_item *item);
	int state; /* of the step function */
	unsigned waiting;
	bool is_over;
	bool is_barrier; /* no entry is taken as long as it is there */
	bool is_failed;
	bool is_useless; /* what has arrived must not be resumed */
	struct msg_entry entry;
	struct bytes entry_bytes; /* behind the strings of entry */
	char *target;		  /* path there */

	/* files and symlinks */
	uint32_t number; /* of the item, for its temporaries */
	int fd;		 /* of the local file, or -1 */
	char *temp;
	bool has_temp; /* it may exist there */
	struct sftp_handle handle;
	uint64_t sent;
	struct compare *compare;
	bool is_same;	     /* what was compared */
	char *part;	     /* an earlier run's temporary, now ours */
	uint64_t part_bytes; /* its size */
	int64_t own_uid;     /* of what we make there; -1 not known */
	bool is_resumed;
	int replace;	     /* state of put_replace.c */
	bool is_committing;  /* the target is being replaced */
	char *old;	     /* where the old file goes, if anywhere */
	bool is_old_useless; /* once the new one is there */
	bool has_moved;	     /* the old file is there now */
	enum sftp_status link_status;

	struct sftp_attrs attrs; /* of the last answer */
	enum sftp_status status; /* of the last answer */
	char words[128];	 /* and what was said with it */

	/* directories */
	char **stale; /* names of temporaries of dead runs */
	size_t stale_count;
	unsigned listed; /* entries of the directory */
	bool is_second;	 /* look at the destination */
};

struct put {
	struct transfer *t;
	struct entry_cursor cursor;
	bool has_ended; /* no entry is left */
	bool is_ready;	/* the destination is known */
	char *base;	/* destination, without slash at its end */
	bool is_named;	/* it is the name of the one entry */
	struct put_item *items;
	uint32_t item_count;
	uint32_t item_number;
	unsigned depth;	     /* of the directory the next entry is in */
	unsigned skip_depth; /* what is below this depth can't arrive; 0 */
	uint64_t skipped;    /* files there */
	bool is_exhausted;   /* no further file can be opened */
	uint64_t *made;	     /* bit: the directory of that depth is new */
	size_t made_words;
	char **partials; /* paths */
	size_t partial_count;
};

/* A new item in put's list; entry may be NULL. target is taken over. */
struct put_item *put_item_new(struct put *put, const struct msg_entry *entry,
    char *target, void (*step)(struct put_item *item));

/* A path beside the target that no other item, host or run uses; which: 0, 1.
 */
char *put_temporary(const struct put_item *item, unsigned which);

/* The item can't be transferred: for its user, and for what comes next. */
void put_refused(
    struct put_item *item, const char *what, const struct sftp_reply *reply);
void put_failed(struct put_item *item, enum status status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Its local file is at fault. */
void put_local_failed(struct put_item *item, const char *why);

/*
 * Reply functions; ctx is the item. The first notes status, attributes and
 * words, the second all but the words, the third nothing.
 */
void put_reply(void *ctx, struct sftp_reply *reply);
void put_reply_look(void *ctx, struct sftp_reply *reply);
void put_reply_any(void *ctx, struct sftp_reply *reply);

/* --- steps of items ------------------------------------------------------ */

void put_file_step(struct put_item *item);
void put_link_step(struct put_item *item);
/* The new file, complete in item->temp, takes the target's place. */
void put_replace_step(struct put_item *item);
/* Stop at once; what it made is removed, or kept to be resumed. */
void put_file_stop(struct put_item *item);

void put_dir_step(struct put_item *item);
void put_dir_end_step(struct put_item *item);
/* Looks through the directory target for temporaries of dead runs. */
void put_sweep_step(struct put_item *item);

#endif
