/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A connector owns a timer, and at most one look-up and one socket with its
 * poll handle. libuv frees handles late, in their close callbacks, so the
 * connector lives until the last of them is gone (`handles`), but never calls
 * done after connector_cancel(). A look-up that has begun can't be stopped: it
 * is let go of, and frees itself.
 */
#include "config.h"

#include "worker/connector.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/fdio.h"
#include "util/xalloc.h"
#include "worker/threads.h"

#define SERVICE_SIZE 16

/* A name's look-up, which may outlive who asked for it. */
struct lookup {
	struct thread_job job;
	struct connector *connector; /* NULL: it was cancelled */
	char *name, service[SERVICE_SIZE];
	int rc, error; /* of getaddrinfo(3), and its errno */
	struct addrinfo *addresses;
};

struct connector {
	uv_loop_t *loop;
	struct threads *threads;
	struct lookup *lookup; /* NULL: none, or it is over */
	uv_timer_t timer;
	uv_poll_t *poll; /* of fd, on the heap: each closes by itself */
	int fd;
	unsigned handles;
	struct addrinfo *addresses, *next;
	uint64_t deadline_ms;
	char peer[NI_MAXHOST];
	char message[256];
	enum status status;
	enum stage stage;
	bool is_final;
	connector_done done;
	void *ctx;
};

static void connector_try_next(struct connector *c);

static void
connector_release(struct connector *c)
{
	if (--c->handles > 0)
		return;
	if (c->addresses != NULL)
		freeaddrinfo(c->addresses);
	free(c);
}

static void
timer_closed(uv_handle_t *handle)
{
	connector_release(handle->data);
}

static void
poll_closed(uv_handle_t *handle)
{
	free(handle);
}

/* Let go of the socket in work; its poll handle frees itself. */
static void
connector_drop_socket(struct connector *c)
{
	if (c->poll != NULL)
		uv_close((uv_handle_t *)c->poll, poll_closed);
	c->poll = NULL;
	fd_close(&c->fd);
}

static void
lookup_free(struct lookup *l)
{
	if (l->addresses != NULL)
		freeaddrinfo(l->addresses);
	free(l->name);
	free(l);
}

static void
connector_end(struct connector *c)
{
	connector_drop_socket(c);
	if (c->lookup != NULL) {
		c->lookup->connector = NULL;
		if (threads_cancel(c->threads, &c->lookup->job))
			lookup_free(c->lookup);
		c->lookup = NULL;
	}
	uv_close((uv_handle_t *)&c->timer, timer_closed);
}

static void
connector_finish(struct connector *c)
{
	struct connected result = {.fd = c->fd,
	    .poll = c->poll,
	    .status = c->status,
	    .stage = c->stage,
	    .message = c->message,
	    .peer = c->peer,
	    .is_final = c->is_final};
	connector_done done = c->done;
	void *ctx = c->ctx;

	c->fd = -1;
	c->poll = NULL;
	/* The message lives in c, which must outlast the callback. */
	c->handles++;
	connector_end(c);
	done(ctx, &result);
	connector_release(c);
}

void
connector_cancel(struct connector *c)
{
	connector_end(c);
}

enum stage
connector_stage(const struct connector *c)
{
	return c->lookup != NULL ? STAGE_DNS : STAGE_CONNECT;
}

static bool
is_local_fault(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS ||
	    error == ENOMEM;
}

static void
connector_failed(struct connector *c, int error)
{
	connector_drop_socket(c);
	c->stage = STAGE_CONNECT;
	c->status = STATUS_UNREACHABLE;
	if (is_local_fault(error)) {
		c->status = STATUS_ERROR;
		c->stage = STAGE_LOCAL;
	}
	snprintf(c->message, sizeof(c->message), "%s", strerror(error));
	connector_try_next(c);
}

static void
connector_writable(uv_poll_t *handle, int status, int events)
{
	struct connector *c = handle->data;
	socklen_t len = sizeof(int);
	int error = 0;

	/* libuv says EBADF for every POLLERR; the socket knows better. */
	(void)status;
	(void)events;
	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	if (error != 0)
		connector_failed(c, error);
	else
		connector_finish(c);
}

/* One address was silent for its share of the time. */
static void
connector_timeout(uv_timer_t *timer)
{
	struct connector *c = timer->data;

	connector_failed(c, ETIMEDOUT);
}

static void
socket_options(int fd)
{
	const int on = 1, idle_s = 30, interval_s = 10, probes = 3;

	/* Each is an improvement only: failure changes nothing. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	setsockopt(
	    fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof(interval_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

/* The share of this address: what is left, divided by those left. */
static uint64_t
connector_share_ms(const struct connector *c)
{
	const struct addrinfo *ai;
	uint64_t now = uv_now(c->loop), count = 1;

	for (ai = c->next; ai != NULL; ai = ai->ai_next)
		count++;
	return now < c->deadline_ms ? (c->deadline_ms - now) / count + 1 : 1;
}

static int
connector_open(struct connector *c, const struct addrinfo *ai)
{
	if (getnameinfo(ai->ai_addr, ai->ai_addrlen, c->peer, sizeof(c->peer),
		NULL, 0, NI_NUMERICHOST) != 0)
		snprintf(c->peer, sizeof(c->peer), "?");
	c->fd = socket(ai->ai_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	if (c->fd == -1)
		return errno;
	socket_options(c->fd);
	if (connect(c->fd, ai->ai_addr, ai->ai_addrlen) == -1 &&
	    errno != EINPROGRESS)
		return errno;
	c->poll = xcalloc(1, sizeof(*c->poll));
	if (uv_poll_init(c->loop, c->poll, c->fd) != 0) {
		free(c->poll);
		c->poll = NULL;
		return EMFILE;
	}
	c->poll->data = c;
	uv_poll_start(c->poll, UV_WRITABLE, connector_writable);
	/* The session's own deadline ends the last one. */
	uv_timer_stop(&c->timer);
	if (c->next != NULL)
		uv_timer_start(
		    &c->timer, connector_timeout, connector_share_ms(c), 0);
	return 0;
}

void
connector_missed(struct connector *c, uint64_t ms)
{
	c->deadline_ms += ms;
	if (c->poll != NULL && c->next != NULL)
		uv_timer_start(
		    &c->timer, connector_timeout, connector_share_ms(c), 0);
}

static void
connector_try_next(struct connector *c)
{
	const struct addrinfo *ai = c->next;
	int error;

	if (ai == NULL) {
		connector_finish(c);
		return;
	}
	c->next = ai->ai_next;
	error = connector_open(c, ai);
	if (error != 0)
		connector_failed(c, error);
}

/* On a thread. */
static void
lookup_work(struct thread_job *job)
{
	const struct addrinfo hints = {
	    .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct lookup *l = job->ctx;

	errno = 0;
	l->rc = getaddrinfo(l->name, l->service, &hints, &l->addresses);
	l->error = errno;
}

/* Why there are no addresses. */
static void
lookup_failed(struct connector *c, const struct lookup *l)
{
	const char *why = gai_strerror(l->rc);

	/* A file or socket that could not be opened looks like no name. */
	if (is_local_fault(l->error)) {
		c->status = STATUS_ERROR;
		c->stage = STAGE_LOCAL;
		why = strerror(l->error);
	} else if (l->rc == EAI_NONAME || l->rc == EAI_NODATA) {
		c->is_final = true;
		why = "no such host name";
	}
	snprintf(c->message, sizeof(c->message), "%s", why);
}

static void
lookup_done(struct thread_job *job, int error)
{
	struct lookup *l = job->ctx;
	struct connector *c = l->connector;

	if (c == NULL) { /* cancelled */
		lookup_free(l);
		return;
	}
	c->lookup = NULL;
	c->addresses = c->next = l->addresses;
	l->addresses = NULL;
	if (error != 0) {
		c->status = STATUS_ERROR;
		c->stage = STAGE_LOCAL;
		snprintf(c->message, sizeof(c->message),
		    "no thread to look up the name: %s", uv_strerror(error));
	} else if (l->rc != 0) {
		lookup_failed(c, l);
	}
	lookup_free(l);
	connector_try_next(c);
}

static void
connector_look_up(struct connector *c, const char *address, const char *service)
{
	struct lookup *l = xcalloc(1, sizeof(*l));

	l->connector = c;
	l->name = xstrdup(address);
	snprintf(l->service, sizeof(l->service), "%s", service);
	l->job.ctx = l;
	l->job.work = lookup_work;
	l->job.done = lookup_done;
	l->job.is_lookup = true;
	c->lookup = l;
	threads_run(c->threads, &l->job);
}

/* Numbers need no thread. */
static void
connector_numeric(uv_timer_t *timer)
{
	connector_try_next(timer->data);
}

struct connector *
connector_start(uv_loop_t *loop, struct threads *threads, const char *address,
    uint32_t port, uint64_t deadline_ms, connector_done done, void *ctx)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_NUMERICSERV | AI_NUMERICHOST};
	struct connector *c = xcalloc(1, sizeof(*c));
	char service[SERVICE_SIZE];

	snprintf(service, sizeof(service), "%u", port);
	c->loop = loop;
	c->threads = threads;
	c->fd = -1;
	c->deadline_ms = deadline_ms;
	c->done = done;
	c->ctx = ctx;
	c->status = STATUS_UNREACHABLE;
	c->stage = STAGE_DNS;
	uv_timer_init(loop, &c->timer);
	c->timer.data = c;
	c->handles = 1;
	if (getaddrinfo(address, service, &hints, &c->addresses) == 0) {
		c->next = c->addresses;
		uv_timer_start(&c->timer, connector_numeric, 0, 0);
	} else {
		c->addresses = NULL;
		connector_look_up(c, address, service);
	}
	return c;
}
