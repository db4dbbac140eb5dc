/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "simhost_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/fdio.h"
#include "util/log.h"
#include "util/xalloc.h"

#define PORT_TRIES	 50
#define BACKLOG		 4096
#define ACCEPTS_PER_TURN 64

struct listener {
	struct watch watch;
	struct server *server;
	struct host *host;
	int fd;
};

static struct sockaddr_in
address_of(const struct host *host, uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr = host->in};
}

static int
tcp_socket(int flags)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	if (fd == -1)
		fatal("socket: %s", strerror(errno));
	return fd;
}

static int
bind_at(const struct host *host, uint16_t port)
{
	struct sockaddr_in sin = address_of(host, port);
	int fd = tcp_socket(SOCK_NONBLOCK), one = 1;

	/* For a fixed port that was in use a moment ago. */
	if (port != 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == -1)
		fatal("setsockopt: %s", strerror(errno));
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		fd_close(&fd);
	return fd;
}

static uint16_t
port_of(int fd)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	if (getsockname(fd, (struct sockaddr *)&sin, &len) == -1)
		fatal("getsockname: %s", strerror(errno));
	return ntohs(sin.sin_port);
}

/*
 * With a backlog of 0 one connection waits to be accepted, even when its client
 * is gone; the kernel drops the SYNs that come after it.
 */
static int
make_blackhole(const struct listener *l, uint16_t port)
{
	struct sockaddr_in sin = address_of(l->host, port);
	int fd, rc;

	if (listen(l->fd, 0) == -1)
		return -1;
	fd = tcp_socket(0);
	rc = connect(fd, (struct sockaddr *)&sin, sizeof(sin));
	close(fd);
	return rc;
}

static int
listen_at(struct listener *l, uint16_t port)
{
	l->fd = bind_at(l->host, port);
	if (l->fd == -1)
		return -1;
	if (host_has(l->host, B_REFUSE))
		return 0;
	if (host_has(l->host, B_BLACKHOLE))
		return make_blackhole(l, port != 0 ? port : port_of(l->fd));
	return listen(l->fd, BACKLOG);
}

static void
close_all(struct listener *listeners, size_t count)
{
	while (count-- > 0)
		fd_close(&listeners[count].fd);
}

/* Listen at all addresses; the port, or 0 with errno if one is taken. */
static uint16_t
listen_at_all(struct listener *listeners, size_t count, uint16_t port)
{
	size_t i;
	int error;

	for (i = 0; i < count; i++) {
		if (listen_at(&listeners[i], port) == -1)
			break;
		if (port == 0)
			port = port_of(listeners[i].fd);
	}
	if (i == count)
		return port;
	error = errno;
	close_all(listeners, i + 1);
	errno = error;
	return 0;
}

static void
listener_ready(void *arg, uint32_t events)
{
	struct listener *l = arg;
	int fd, i;

	(void)events;
	for (i = 0; i < ACCEPTS_PER_TURN; i++) {
		fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		/* A test that needs more descriptors must not go on. */
		if (fd == -1 && (errno == EMFILE || errno == ENFILE))
			fatal("accept4: %s", strerror(errno));
		if (fd == -1)
			return;
		conn_accept(l->server, l->host, fd);
	}
}

struct listener *
listeners_new(
    struct server *server, const struct script *script, uint16_t *port)
{
	struct listener *listeners = xcalloc(script->count, sizeof(*listeners));
	struct listener *l;
	uint16_t got = 0;
	size_t i;
	int tries;

	for (i = 0; i < script->count; i++) {
		l = &listeners[i];
		l->fd = -1;
		l->server = server;
		l->host = &script->hosts[i];
		l->watch = (struct watch){.fn = listener_ready, .arg = l};
	}
	for (tries = 0; tries < PORT_TRIES && got == 0; tries++) {
		got = listen_at_all(listeners, script->count, *port);
		if (got == 0 && (*port != 0 || errno != EADDRINUSE))
			break;
	}
	if (got == 0) {
		log_error("cannot listen: %s", strerror(errno));
		exit(2);
	}
	for (l = listeners; l < listeners + script->count; l++) {
		if (!host_has(l->host, B_REFUSE) &&
		    !host_has(l->host, B_BLACKHOLE))
			loop_watch(&server->loop, l->fd, &l->watch, EPOLLIN);
	}
	*port = got;
	return listeners;
}

void
listeners_free(struct listener *listeners, const struct script *script)
{
	close_all(listeners, script->count);
	free(listeners);
}
