/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The agent answers requests strictly in their order, so a queue of what was
 * asked is all the state there is: each reply belongs to the oldest entry.
 * Listing goes through the same queue; agent_list() merely waits until its
 * entry is answered.
 *
 * An agent is another program and its replies are not trusted. One that breaks
 * the protocol (a frame too long, a reply to nothing, a malformed list) or is
 * too slow to list can't be followed any more: it is dropped, which closes the
 * socket and tells all who wait. A signature that is refused or malformed
 * concerns its own request only.
 */
#include "config.h"

#include "control/agent.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "control/agent_process.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/fdio.h"
#include "util/xalloc.h"

/* Message types of draft-miller-ssh-agent. */
#define AGENT_FAILURE		  5
#define AGENTC_REQUEST_IDENTITIES 11
#define AGENT_IDENTITIES_ANSWER	  12
#define AGENTC_SIGN_REQUEST	  13
#define AGENT_SIGN_RESPONSE	  14
#define AGENT_RSA_SHA2_512	  4u
#define AGENT_RSA_SHA2_256	  2

/* As ssh-agent has it. */
#define FRAME_MAX  ((size_t)256 * 1024)
#define READ_BYTES 4096u
/* Requests that the agent has not read yet. */
#define OUT_MAX (16u << 20)
/* A full queue of connections is tried again for so long. */
#define CONNECT_MS   2000
#define START_MS     5000
#define TRY_AGAIN_MS 5

struct request {
	STAILQ_ENTRY(request) next;
	const char *algorithm; /* NULL: a list */
	uint64_t ticket;
	agent_signed signed_cb;
	void *ctx;
};

struct agent {
	int fd;
	struct buf in;
	struct buf out;
	STAILQ_HEAD(, request) requests;
	struct agent_key *keys;
	size_t key_count;
	bool is_listed;		       /* the last list was answered */
	struct agent_process *process; /* private agents only */
};

/*
 * Connecting
 */

/* A connected socket, or -1 with errno. */
static int
connect_once(const struct sockaddr_un *addr)
{
	int fd, errnum;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0)
		return fd;
	errnum = errno;
	close(fd);
	errno = errnum;
	return -1;
}

static void
pause_ms(long ms)
{
	struct timespec ts = {0, ms * 1000000};

	nanosleep(&ts, NULL);
}

/*
 * Try until limit_ms have passed while the queue of connections is full, or,
 * if a process is given and still runs, while its socket is not there yet.
 */
static int
connect_patiently(const char *path, struct agent_process *process,
    unsigned limit_ms, struct error *err)
{
	uint64_t deadline = clock_now_ms() + limit_ms;
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path))
		return error_set(err, "%s: path too long for a socket", path);
	memcpy(addr.sun_path, path, strlen(path));
	for (;;) {
		fd = connect_once(&addr);
		if (fd != -1)
			return fd;
		if (errno != EAGAIN &&
		    (process == NULL ||
			(errno != ENOENT && errno != ECONNREFUSED)))
			break;
		if (process != NULL && agent_process_check(process, err) == -1)
			return -1;
		if (clock_now_ms() >= deadline)
			break;
		pause_ms(TRY_AGAIN_MS);
	}
	return error_set(err, "%s: %s", path, strerror(errno));
}

static struct agent *
agent_new(int fd, struct agent_process *process)
{
	struct agent *agent = xcalloc(1, sizeof(*agent));

	agent->fd = fd;
	agent->process = process;
	buf_init(&agent->in, 2 * FRAME_MAX);
	buf_init(&agent->out, OUT_MAX);
	STAILQ_INIT(&agent->requests);
	return agent;
}

struct agent *
agent_connect(const char *path, struct error *err)
{
	int fd = connect_patiently(path, NULL, CONNECT_MS, err);

	return fd == -1 ? NULL : agent_new(fd, NULL);
}

struct agent *
agent_private_new(struct error *err)
{
	struct agent_process *process = agent_process_start(err);
	int fd;

	if (process == NULL)
		return NULL;
	fd = connect_patiently(
	    agent_process_socket(process), process, START_MS, err);
	if (fd == -1) {
		agent_process_stop(process);
		return NULL;
	}
	return agent_new(fd, process);
}

int
agent_private_add(struct agent *agent, const char *path, struct error *err)
{
	return agent_process_add(agent->process, path, err);
}

void
agent_private_seal(struct agent *agent)
{
	agent_process_seal(agent->process);
}

static void
free_keys(struct agent *agent)
{
	size_t i;

	for (i = 0; i < agent->key_count; i++) {
		free(agent->keys[i].blob);
		free(agent->keys[i].comment);
	}
	free(agent->keys);
	agent->keys = NULL;
	agent->key_count = 0;
}

void
agent_free(struct agent *agent)
{
	struct request *r;

	if (agent == NULL)
		return;
	while ((r = STAILQ_FIRST(&agent->requests)) != NULL) {
		STAILQ_REMOVE_HEAD(&agent->requests, next);
		free(r);
	}
	fd_close(&agent->fd);
	agent_process_stop(agent->process);
	free_keys(agent);
	buf_clear(&agent->in);
	buf_clear(&agent->out);
	free(agent);
}

/*
 * Requests
 */

/* End the oldest request: with sig, or NULL and why. */
static void
finish_request(
    struct agent *agent, const uint8_t *sig, size_t sig_len, const char *why)
{
	struct request *r = STAILQ_FIRST(&agent->requests);

	STAILQ_REMOVE_HEAD(&agent->requests, next);
	if (r->algorithm != NULL)
		r->signed_cb(r->ctx, r->ticket, sig, sig_len, why);
	free(r);
}

/* The agent is gone, or has to go. */
static void
drop(struct agent *agent)
{
	fd_close(&agent->fd);
	buf_clear(&agent->in);
	buf_clear(&agent->out);
	while (!STAILQ_EMPTY(&agent->requests))
		finish_request(agent, NULL, 0, "the agent is gone");
}

static void
push_request(struct agent *agent, const struct request *request)
{
	struct request *r = xmemdup(request, sizeof(*request));

	STAILQ_INSERT_TAIL(&agent->requests, r, next);
}

void
agent_sign(struct agent *agent, const uint8_t *blob, size_t blob_len,
    const uint8_t *data, size_t data_len, const char *algorithm,
    uint64_t ticket, agent_signed signed_cb, void *ctx)
{
	struct request r = {.algorithm = algorithm,
	    .ticket = ticket,
	    .signed_cb = signed_cb,
	    .ctx = ctx};
	uint32_t flags = 0;
	size_t len;

	if (strcmp(algorithm, "rsa-sha2-512") == 0)
		flags = AGENT_RSA_SHA2_512;
	else if (strcmp(algorithm, "rsa-sha2-256") == 0)
		flags = AGENT_RSA_SHA2_256;
	if (agent->fd == -1) {
		signed_cb(ctx, ticket, NULL, 0, "the agent is gone");
		return;
	}
	if (blob_len > FRAME_MAX || data_len > FRAME_MAX ||
	    (len = 1 + 4 + blob_len + 4 + data_len + 4) > FRAME_MAX ||
	    buf_reserve(&agent->out, 4 + len) == NULL) {
		signed_cb(ctx, ticket, NULL, 0, "too much for the agent");
		return;
	}
	buf_put_u32(&agent->out, (uint32_t)len);
	buf_put_u8(&agent->out, AGENTC_SIGN_REQUEST);
	buf_put_string(&agent->out, blob, blob_len);
	buf_put_string(&agent->out, data, data_len);
	buf_put_u32(&agent->out, flags);
	push_request(agent, &r);
}

/*
 * Replies
 */

/* Comments are shown to the user: nothing in them may drive a terminal. */
static char *
printable(const uint8_t *text, size_t len)
{
	char *s = xmalloc(len + 1);
	size_t i;

	for (i = 0; i < len; i++)
		s[i] = text[i] >= ' ' && text[i] <= '~' ? (char)text[i] : '?';
	s[len] = '\0';
	return s;
}

static int
take_list(struct agent *agent, struct cursor *c)
{
	const uint8_t *blob, *comment;
	size_t blob_len, comment_len;
	struct agent_key *key;
	uint32_t count, i;

	/* Each key has two lengths at least. */
	if (cursor_get_u32(c, &count) == -1 || count > c->left / 8)
		return -1;
	free_keys(agent);
	agent->keys = xcalloc(count, sizeof(*agent->keys));
	for (i = 0; i < count; i++) {
		if (cursor_get_string(c, &blob, &blob_len) == -1 ||
		    cursor_get_string(c, &comment, &comment_len) == -1)
			return -1;
		key = &agent->keys[agent->key_count++];
		key->blob = xmemdup(blob, blob_len);
		key->blob_len = blob_len;
		key->comment = printable(comment, comment_len);
	}
	if (c->left != 0)
		return -1;
	agent->is_listed = true;
	return 0;
}

/* string signature: string algorithm, string inner signature */
static int
take_signature(struct cursor *c, const char *algorithm, const uint8_t **sig,
    size_t *sig_len)
{
	const uint8_t *whole, *name;
	size_t whole_len, name_len;
	struct cursor s;

	if (cursor_get_string(c, &whole, &whole_len) == -1 || c->left != 0)
		return -1;
	s = (struct cursor){whole, whole_len};
	if (cursor_get_string(&s, &name, &name_len) == -1 ||
	    name_len != strlen(algorithm) ||
	    memcmp(name, algorithm, name_len) != 0 ||
	    cursor_get_string(&s, sig, sig_len) == -1 || *sig_len == 0 ||
	    s.left != 0)
		return -1;
	return 0;
}

/* One frame's content. Returns -1 if the agent can't be followed any more. */
static int
handle_reply(struct agent *agent, struct cursor *c)
{
	const struct request *r = STAILQ_FIRST(&agent->requests);
	const uint8_t *sig;
	size_t sig_len;
	uint8_t type;

	if (r == NULL || cursor_get_u8(c, &type) == -1)
		return -1;
	if (r->algorithm == NULL) {
		if (type != AGENT_IDENTITIES_ANSWER ||
		    take_list(agent, c) == -1)
			return -1;
		finish_request(agent, NULL, 0, NULL);
	} else if (type == AGENT_SIGN_RESPONSE) {
		if (take_signature(c, r->algorithm, &sig, &sig_len) == 0)
			finish_request(agent, sig, sig_len, NULL);
		else
			finish_request(agent, NULL, 0,
			    "the agent's signature is of another kind");
	} else if (type == AGENT_FAILURE)
		finish_request(agent, NULL, 0, "the agent refused to sign");
	else
		return -1;
	return 0;
}

static int
handle_replies(struct agent *agent)
{
	struct cursor c;
	uint32_t len;

	for (;;) {
		c = (struct cursor){buf_head(&agent->in), buf_len(&agent->in)};
		if (cursor_get_u32(&c, &len) == -1)
			return 0;
		if (len == 0 || len > FRAME_MAX)
			return -1;
		if (len > c.left)
			return 0;
		c.left = len;
		if (handle_reply(agent, &c) == -1)
			return -1;
		buf_consume(&agent->in, 4 + len);
	}
}

int
agent_fd(const struct agent *agent)
{
	return agent->fd;
}

short
agent_events(const struct agent *agent)
{
	return buf_len(&agent->out) > 0 ? POLLIN | POLLOUT : POLLIN;
}

void
agent_handle(struct agent *agent)
{
	ssize_t n;

	if (agent->fd == -1)
		return;
	if (fd_flush(agent->fd, &agent->out) == -1) {
		drop(agent);
		return;
	}
	n = fd_fill(agent->fd, &agent->in, READ_BYTES);
	if (n == -1 && errno == EAGAIN)
		return;
	if (n <= 0 || handle_replies(agent) == -1)
		drop(agent);
}

ssize_t
agent_list(struct agent *agent, unsigned timeout_ms,
    const struct agent_key **keys, struct error *err)
{
	uint64_t now = clock_now_ms(), deadline = now + timeout_ms;
	struct pollfd pfd;
	struct request r = {.algorithm = NULL};

	if (agent->fd == -1 || buf_reserve(&agent->out, 5) == NULL)
		return error_set(err, "the agent is gone");
	buf_put_u32(&agent->out, 1);
	buf_put_u8(&agent->out, AGENTC_REQUEST_IDENTITIES);
	push_request(agent, &r);
	agent->is_listed = false;
	for (; !agent->is_listed && agent->fd != -1; now = clock_now_ms()) {
		if (now >= deadline) {
			drop(agent);
			return error_set(err, "no answer within %u s",
			    (timeout_ms + 999) / 1000);
		}
		pfd = (struct pollfd){
		    .fd = agent->fd, .events = agent_events(agent)};
		if (poll(&pfd, 1, (int)(deadline - now)) > 0)
			agent_handle(agent);
	}
	if (!agent->is_listed)
		return error_set(err,
		    "it closed the connection or answered "
		    "nonsense");
	*keys = agent->keys;
	return (ssize_t)agent->key_count;
}
