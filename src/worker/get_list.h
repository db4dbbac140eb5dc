/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * get_list: the names in one directory of a host. They are the server's word:
 * any bytes, of any number. One reply can hold ten thousand: it waits here, as
 * it came, until they are taken, and nothing more is asked for before.
 */
#ifndef WORKER_GET_LIST_H
#define WORKER_GET_LIST_H

#include <stdbool.h>

#include "worker/sftp.h"

struct transfer;

/*
 * The directory can't be opened, or not read to its end. Called within
 * sftp_receive().
 */
typedef void (*get_list_refused)(
    void *ctx, const struct sftp_reply *reply, bool is_opening);

/* READDIRs on their way at once: the second mostly tells of the end. */
#define GET_LIST_READING_MAX 2u

/* A reply whose names wait to be taken. */
struct get_list_names {
	uint8_t *data;
	struct sftp_reply reply; /* its rest is in data */
};

enum get_list_state { GET_LIST_IDLE, GET_LIST_OPEN, GET_LIST_READ };

struct get_list {
	struct transfer *t;
	get_list_refused refused;
	void *ctx;
	enum get_list_state state;
	bool is_at_end;	 /* nothing more is asked for */
	bool is_stopped; /* nor told */
	char *path;
	struct sftp_handle handle;
	unsigned reading; /* READDIRs on their way */
	unsigned closing; /* CLOSEs on their way */
	unsigned idle;	  /* replies in a row that named nothing */
	/* The oldest first; READDIR is sent only when there are none. */
	struct get_list_names names[GET_LIST_READING_MAX];
	unsigned names_count;
};

void get_list_init(struct get_list *l, struct transfer *t,
    get_list_refused refused, void *ctx);
void get_list_clear(struct get_list *l);

/* List path. Only when it is not busy. */
void get_list_start(struct get_list *l, const char *path);
bool get_list_is_busy(const struct get_list *l);
/* Tell nothing any more of this directory. */
void get_list_stop(struct get_list *l);

/*
 * Take a name, but "." and ".."; it is valid until the next call for l. Returns
 * false if there is none now.
 */
bool get_list_next(
    struct get_list *l, struct bytes *name, struct sftp_attrs *attrs);

/* Go on. */
void get_list_step(struct get_list *l);

#endif
