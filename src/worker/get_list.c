/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "worker/get_list.h"

#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"
#include "worker/transfer.h"

/* Replies in a row without a name, after which there will be none. */
#define IDLE_MAX 1000u

void
get_list_init(
    struct get_list *l, struct transfer *t, get_list_refused refused, void *ctx)
{
	memset(l, 0, sizeof(*l));
	l->t = t;
	l->refused = refused;
	l->ctx = ctx;
}

/* The oldest reply is done with. */
static void
drop_names(struct get_list *l)
{
	free(l->names[0].data);
	l->names_count--;
	memmove(l->names, l->names + 1, l->names_count * sizeof(l->names[0]));
}

void
get_list_clear(struct get_list *l)
{
	while (l->names_count > 0)
		drop_names(l);
	free(l->path);
	l->path = NULL;
}

bool
get_list_is_busy(const struct get_list *l)
{
	return l->state != GET_LIST_IDLE;
}

void
get_list_stop(struct get_list *l)
{
	l->is_at_end = l->is_stopped = true;
	while (l->names_count > 0)
		drop_names(l);
}

/* --- replies ------------------------------------------------------------- */

static bool
is_dots(struct bytes name)
{
	return (name.len == 1 && memcmp(name.data, ".", 1) == 0) ||
	    (name.len == 2 && memcmp(name.data, "..", 2) == 0);
}

static void
names_received(struct get_list *l, const struct sftp_reply *reply)
{
	struct get_list_names *names = &l->names[l->names_count];
	struct sftp_reply all = *reply;
	struct sftp_attrs attrs;
	struct bytes name;
	int rc;

	while ((rc = sftp_name_next(&all, &name, &attrs)) == 1)
		;
	if (rc == -1) {
		sftp_fault(&l->t->sftp, "a malformed list of names");
		return;
	}
	if (++l->idle > IDLE_MAX) {
		get_list_stop(l);
		transfer_failed(l->t, STATUS_TRANSFER, l->path,
		    "the server goes on listing nothing");
		return;
	}
	if (reply->count == 0)
		return;
	names->reply = *reply;
	names->data = xmemdup(reply->rest.p, reply->rest.left);
	names->reply.rest.p = names->data;
	l->names_count++;
}

bool
get_list_next(struct get_list *l, struct bytes *name, struct sftp_attrs *attrs)
{
	while (l->names_count > 0) {
		/* It was read before: it is not malformed. */
		if (sftp_name_next(&l->names[0].reply, name, attrs) != 1) {
			drop_names(l);
		} else if (!is_dots(*name)) {
			l->idle = 0;
			return true;
		}
	}
	return false;
}

static void
readdir_done(void *ctx, struct sftp_reply *reply)
{
	struct get_list *l = ctx;

	l->reading--;
	if (l->is_stopped)
		return;
	if (reply->type == SFTP_NAME) {
		names_received(l, reply);
		return;
	}
	/* Names that were asked for before may come after it. */
	l->is_at_end = true;
	if (reply->status == SFTP_EOF)
		return;
	get_list_stop(l);
	l->refused(l->ctx, reply, false);
}

static void
close_done(void *ctx, struct sftp_reply *reply)
{
	struct get_list *l = ctx;

	/* It was open for reading only: whatever the server says to that. */
	(void)reply;
	l->closing--;
}

static void
opendir_done(void *ctx, struct sftp_reply *reply)
{
	struct get_list *l = ctx;

	if (reply->type != SFTP_HANDLE) {
		l->state = GET_LIST_IDLE;
		if (!l->is_stopped)
			l->refused(l->ctx, reply, true);
		return;
	}
	l->handle = reply->handle;
	l->state = GET_LIST_READ;
}

/* --- requests ------------------------------------------------------------ */

void
get_list_start(struct get_list *l, const char *path)
{
	free(l->path);
	l->path = xstrdup(path);
	l->is_at_end = l->is_stopped = false;
	l->idle = 0;
	l->state = GET_LIST_OPEN;
	sftp_opendir(&l->t->sftp, path, opendir_done, l);
}

void
get_list_step(struct get_list *l)
{
	struct sftp *f = &l->t->sftp;

	if (l->state != GET_LIST_READ)
		return;
	while (!l->is_at_end && l->names_count == 0 &&
	    l->reading < GET_LIST_READING_MAX && sftp_has_room(f) &&
	    !transfer_is_clogged(l->t)) {
		l->reading++;
		sftp_readdir(f, &l->handle, readdir_done, l);
	}
	if (!l->is_at_end || l->reading > 0 || l->names_count > 0)
		return;
	l->closing++;
	sftp_close(f, &l->handle, close_done, l);
	l->state = GET_LIST_IDLE;
}
