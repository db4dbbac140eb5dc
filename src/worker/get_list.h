/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * get_list: the names in one directory of a host, as they come. They are the
 * server's word: any bytes, of any number.
 */
#ifndef WORKER_GET_LIST_H
#define WORKER_GET_LIST_H

#include <stdbool.h>

#include "worker/sftp.h"

struct transfer;

/* A name but "." and ".."; returns false to end the listing. */
typedef bool (*get_list_name)(
    void *ctx, struct bytes name, const struct sftp_attrs *attrs);
/* The directory can't be opened, or not read to its end. */
typedef void (*get_list_refused)(void *ctx, const struct sftp_reply *reply);

enum get_list_state { GET_LIST_IDLE, GET_LIST_OPEN, GET_LIST_READ };

struct get_list {
	struct transfer *t;
	get_list_name name;
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
};

/* The functions are called within sftp_receive() only. */
void get_list_init(struct get_list *l, struct transfer *t, get_list_name name,
    get_list_refused refused, void *ctx);
void get_list_clear(struct get_list *l);

/* List path. Only when it is not busy. */
void get_list_start(struct get_list *l, const char *path);
bool get_list_is_busy(const struct get_list *l);
/* Call no function any more for this directory. */
void get_list_stop(struct get_list *l);

/* Go on. */
void get_list_step(struct get_list *l);

#endif
