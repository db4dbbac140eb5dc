/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A channel runs one thing: SFTP, a command of /bin/sh, a command that is
 * played (sim), or nothing for ever (exec-stall). Here it is opened, and told
 * what; simhost_chan_run.c does the rest.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "simhost_conn_impl.h"
#include "simhost_fs.h"
#include "util/log.h"
#include "util/xalloc.h"

/* --- callbacks: buffers and flags only --- */

static int
on_data(ssh_session session, ssh_channel channel, void *data, uint32_t len,
    int is_stderr, void *arg)
{
	struct chan *ch = arg;
	size_t used = buf_len(&ch->in), n;

	(void)session;
	(void)channel;
	if (is_stderr)
		return (int)len;
	n = used < IN_HIGH ? IN_HIGH - used : 0;
	n = len < n ? len : n;
	buf_append(&ch->in, data, n);
	ch->has_leftover = n < len;
	return (int)n;
}

static void
on_eof(ssh_session session, ssh_channel channel, void *arg)
{
	struct chan *ch = arg;

	(void)session;
	(void)channel;
	ch->has_eof = true;
}

static void
on_close(ssh_session session, ssh_channel channel, void *arg)
{
	struct chan *ch = arg;

	(void)session;
	(void)channel;
	ch->has_close = true;
}

/* --- requests --- */

void
chan_open(struct conn *conn, ssh_message message)
{
	struct chan *ch;
	ssh_channel channel = NULL;

	if (ssh_message_subtype(message) == SSH_CHANNEL_SESSION &&
	    !host_has(conn->host, B_NO_CHANNEL))
		channel =
		    ssh_message_channel_request_open_reply_accept(message);
	if (channel == NULL) {
		ssh_message_reply_default(message);
		return;
	}
	ch = xcalloc(1, sizeof(*ch));
	ch->channel = channel;
	ch->conn = conn;
	buf_init(&ch->in, IN_HIGH);
	buf_init(&ch->out, SFTP_OUT_MAX);
	ch->callbacks.userdata = ch;
	ch->callbacks.channel_data_function = on_data;
	ch->callbacks.channel_eof_function = on_eof;
	ch->callbacks.channel_close_function = on_close;
	ssh_callbacks_init(&ch->callbacks);
	ssh_set_channel_callbacks(ch->channel, &ch->callbacks);
	LIST_INSERT_HEAD(&conn->chans, ch, entry);
	conn->host->counts[C_CHANNELS]++;
}

/* NULL: it is gone already. */
static struct chan *
chan_of(struct conn *conn, ssh_message message)
{
	ssh_channel channel = ssh_message_channel_request_channel(message);
	struct chan *ch;

	LIST_FOREACH(ch, &conn->chans, entry)
	{
		if (ch->channel == channel)
			return ch;
	}
	return NULL;
}

static bool
is_busy(const struct chan *ch)
{
	return ch->sftp != NULL || ch->exec != NULL || ch->sim != NULL ||
	    ch->is_stalled;
}

enum runner { RUN_NOTHING, RUN_STALL, RUN_SIM, RUN_SHELL };

/* Who runs a command on this host; sim is owned by the caller. */
static enum runner
runner_of(const struct host *h, const char *command, struct sim **sim)
{
	char *words;

	*sim = NULL;
	if (host_has(h, B_NO_EXEC))
		return RUN_NOTHING;
	if (host_has(h, B_EXEC_STALL))
		return RUN_STALL;
	if (host_has(h, B_EXEC)) {
		words = xasprintf("sim %s", h->values[B_EXEC].text);
		*sim = sim_new(words);
		free(words);
	} else {
		*sim = sim_new(command);
	}
	if (*sim != NULL)
		return RUN_SIM;
	return host_has(h, B_EXEC_SHA) || host_has(h, B_EXEC_LIES)
	    ? RUN_SHELL
	    : RUN_NOTHING;
}

bool
chan_is_command(struct conn *conn, ssh_message message)
{
	struct chan *ch = chan_of(conn, message);
	enum runner runner;
	struct sim *sim;

	if (ssh_message_type(message) != SSH_REQUEST_CHANNEL ||
	    ssh_message_subtype(message) != SSH_CHANNEL_REQUEST_EXEC ||
	    ch == NULL || is_busy(ch))
		return false;
	runner = runner_of(
	    conn->host, ssh_message_channel_request_command(message), &sim);
	sim_free(sim);
	return runner != RUN_NOTHING;
}

static bool
has_root(struct conn *conn)
{
	struct error err;

	if (fs_root(conn->host, conn->server->root, &err) == 0)
		return true;
	log_error("%s", err.text);
	return false;
}

/* Whether the command was accepted. */
static bool
start_command(struct chan *ch, const char *command)
{
	struct conn *conn = ch->conn;
	struct server *server = conn->server;

	switch (runner_of(conn->host, command, &ch->sim)) {
	case RUN_NOTHING:
		return false;
	case RUN_STALL:
		ch->is_stalled = true;
		break;
	case RUN_SIM:
		break;
	case RUN_SHELL:
		if (!has_root(conn))
			return false;
		ch->exec = exec_start(&server->loop, &server->execs, conn->host,
		    command, &ch->in, &ch->out, &conn->task);
		break;
	}
	conn->host->counts[C_STARTED]++;
	return true;
}

static bool
start_subsystem(struct chan *ch, const char *name)
{
	struct host *host = ch->conn->host;

	if (strcmp(name, "sftp") != 0 || host_has(host, B_NO_SFTP) ||
	    !has_root(ch->conn))
		return false;
	host->counts[C_SFTPS]++;
	ch->sftp = sftp_new(host, &ch->conn->stored, &ch->out);
	return true;
}

void
chan_request(struct conn *conn, ssh_message message)
{
	struct chan *ch = chan_of(conn, message);
	bool is_accepted = false;

	if (ch == NULL)
		return;
	if (!is_busy(ch) &&
	    ssh_message_subtype(message) == SSH_CHANNEL_REQUEST_EXEC)
		is_accepted = start_command(
		    ch, ssh_message_channel_request_command(message));
	else if (!is_busy(ch) &&
	    ssh_message_subtype(message) == SSH_CHANNEL_REQUEST_SUBSYSTEM)
		is_accepted = start_subsystem(
		    ch, ssh_message_channel_request_subsystem(message));
	if (is_accepted)
		ssh_message_channel_request_reply_success(message);
	else
		ssh_message_reply_default(message);
}

void
chan_free(struct chan *ch)
{
	LIST_REMOVE(ch, entry);
	ssh_remove_channel_callbacks(ch->channel, &ch->callbacks);
	sftp_free(ch->sftp);
	exec_free(ch->exec);
	sim_free(ch->sim);
	buf_clear(&ch->in);
	buf_clear(&ch->out);
	free(ch);
}

void
chans_clear(struct conn *conn)
{
	struct chan *ch;

	while ((ch = LIST_FIRST(&conn->chans)) != NULL)
		chan_free(ch);
}
