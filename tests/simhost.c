/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * simhost: many SSH hosts in one process, for tests, each as well-behaved or as
 * hostile as a script says. On loopback only; any user, key and password is
 * let in.
 *
 * usage: simhost -k HOST_KEY... -p PORT -s SCRIPT -r ROOT [-o PORT_FILE]
 *                [-c COUNTS_FILE]
 *
 *   -k  a private key, repeatable for more types of key
 *   -p  0: any that is free at all addresses
 *   -r  ROOT/ADDRESS is what clients of that address see; made if missing
 *   -o  gets the port, once connections are accepted
 *   -c  gets, at the end, lines "address name count" (simhost_script.c)
 *
 * A line of the script is an address in 127.0.0.0/8 and its behaviours; "#"
 * begins a comment. In a text value \s is a space, \e ESC, \n, \r, \t, \\ and
 * \xHH as usual. Without behaviours a host is an honest server of SFTP version
 * 3 with OpenSSH's posix-rename, fsync, hardlink, statvfs and limits, which
 * refuses commands. Paths with ".." are refused.
 *
 * What is offered:
 *   no-sftp           the subsystem is refused
 *   version=N         VERSION says N
 *   text-first        a line of text comes before VERSION
 *   no-extensions, no-posix-rename, no-fsync, no-hardlink, no-limits
 *                     not offered, and refused
 *
 * What files seem to be (all of it anywhere on the host):
 *   names=KIND        directories list other names than they have: slash,
 *                     dotdot, empty, absolute, nul, long, control, twice,
 *                     filethendir (x: a file, a link to /tmp, a directory),
 *                     endless, deep (d/d/d...). The files hold "x\n".
 *   symlink=TARGET    directories also list "link", a link to TARGET, and
 *                     "link", a directory that holds the file "inside"
 *   grows             size 10, and no end
 *   shrinks           size 100000, and the end after 1000 bytes
 *   size=N            attributes say N
 *   type-change       what is no directory looks like a regular file, and
 *                     cannot be opened for reading
 *
 * Requests that fail:
 *   disk-full=N       WRITE, after N bytes on a connection
 *   write-fails=TEXT  WRITE, with this message
 *   OP-fails          others, with "permission denied": open (its message
 *                     holds escape sequences), close, read, stat, setstat,
 *                     opendir, readdir, remove, mkdir, rmdir, realpath,
 *                     rename (posix-rename too), symlink, readlink, fsync,
 *                     hardlink
 *
 * Requests that only seem to succeed:
 *   lies-size         half of each WRITE is stored
 *   corrupt           the first byte of a file is stored changed
 *
 * Allowed, but unusual:
 *   short-read        READ gives 1000 bytes at most
 *   shuffle           replies of 10 ms go out in reverse order
 *   slow=MS           each reply comes so much later; replies overlap
 *
 * Against the protocol:
 *   stall=OP          from the first such request on, no answer to anything;
 *                     OP: init, open, close, read, write, stat (LSTAT, FSTAT
 *                     too), setstat, opendir, readdir, remove, mkdir, rmdir,
 *                     realpath, rename, symlink, readlink, fsync, hardlink,
 *                     statvfs, limits
 *   drop=OP           the TCP connection is closed at such a request, the
 *   drop-after=N      N-th on an SFTP channel (default 1)
 *   garbage           each reply is 100 pseudo-random bytes
 *   huge-packet       each reply's length says 0xfffffff0
 *   zero-packet       each reply is empty
 *   bad-id            each reply's id was never sent
 *   bad-type          READ is answered with HANDLE, OPEN for writing with DATA
 *   bad-data          the string in DATA claims to be longer than the packet
 *   long-handle       handles of 1000 bytes
 *   more-data         DATA has 100 bytes more than asked for
 *   many-attrs        attributes claim 0xffffffff extended ones
 *
 * Commands:
 *   exec-sha          are run by /bin/sh in the host's directory
 *   exec-lies         the same, with the first hexadecimal digit of each line
 *                     changed
 *   exec-stall        are accepted and never end
 *
 * Files: simhost_script.c is the table of behaviours, simhost_loop.c the event
 * loop, simhost_conn.c what talks to libssh, simhost_sftp*.c the SFTP server,
 * simhost_fs.c and simhost_fake.c the files it has and has not.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "simhost_conn.h"
#include "simhost_fs.h"
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

struct options {
	const char *script, *root, *port_file, *counts_file;
	uint16_t port;
};

static void
usage(void)
{
	fprintf(stderr,
	    "usage: simhost -k HOST_KEY... -p PORT -s SCRIPT -r ROOT\n"
	    "               [-o PORT_FILE] [-c COUNTS_FILE]\n");
	exit(2);
}

static void
add_host_key(struct server *server, const char *path)
{
	ssh_key key = NULL;

	if (ssh_pki_import_privkey_file(path, NULL, NULL, NULL, &key) !=
		SSH_OK ||
	    ssh_bind_options_set(
		server->bind, SSH_BIND_OPTIONS_IMPORT_KEY, key) != SSH_OK) {
		log_error("%s: no usable private key", path);
		exit(2);
	}
}

static void
parse_options(int argc, char **argv, struct server *server, struct options *o)
{
	bool has_key = false, has_port = false;
	unsigned long port;
	char *end;
	int opt;

	memset(o, 0, sizeof(*o));
	while ((opt = getopt(argc, argv, "k:p:s:r:o:c:")) != -1) {
		switch (opt) {
		case 'k':
			add_host_key(server, optarg);
			has_key = true;
			break;
		case 'p':
			port = strtoul(optarg, &end, 10);
			if (*optarg == '\0' || *end != '\0' || port > 65535)
				usage();
			o->port = (uint16_t)port;
			has_port = true;
			break;
		case 's':
			o->script = optarg;
			break;
		case 'r':
			o->root = optarg;
			break;
		case 'o':
			o->port_file = optarg;
			break;
		case 'c':
			o->counts_file = optarg;
			break;
		default:
			usage();
		}
	}
	if (!has_key || !has_port || o->script == NULL || o->root == NULL ||
	    optind < argc)
		usage();
}

/* --- listening --- */

static int
listen_at(const struct host *host, uint16_t port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr = host->in};
	int fd, one = 1;

	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		fatal("socket: %s", strerror(errno));
	/* For a fixed port that was in use a moment ago. */
	if (port != 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == -1)
		fatal("setsockopt: %s", strerror(errno));
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    listen(fd, BACKLOG) == -1)
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

/* Listen at all addresses; the port, or 0 with errno if one is taken. */
static uint16_t
listen_at_all(
    struct listener *listeners, const struct script *script, uint16_t port)
{
	size_t i;
	int error;

	for (i = 0; i < script->count; i++) {
		listeners[i].fd = listen_at(&script->hosts[i], port);
		if (listeners[i].fd == -1)
			break;
		if (port == 0)
			port = port_of(listeners[i].fd);
	}
	if (i == script->count)
		return port;
	error = errno;
	while (i-- > 0)
		fd_close(&listeners[i].fd);
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
		if (fd == -1)
			return;
		conn_accept(l->server, l->host, fd);
	}
}

static struct listener *
listeners_new(struct server *server, struct script *script, uint16_t *port)
{
	struct listener *listeners = xcalloc(script->count, sizeof(*listeners));
	uint16_t got = 0;
	size_t i;
	int tries;

	for (tries = 0; tries < PORT_TRIES && got == 0; tries++) {
		got = listen_at_all(listeners, script, *port);
		if (got == 0 && (*port != 0 || errno != EADDRINUSE))
			break;
	}
	if (got == 0) {
		log_error("cannot listen: %s", strerror(errno));
		exit(2);
	}
	for (i = 0; i < script->count; i++) {
		listeners[i].server = server;
		listeners[i].host = &script->hosts[i];
		listeners[i].watch.fn = listener_ready;
		listeners[i].watch.arg = &listeners[i];
		loop_watch(&server->loop, listeners[i].fd, &listeners[i].watch,
		    EPOLLIN);
	}
	*port = got;
	return listeners;
}

/* All at once, so that who sees the file can read the port. */
static void
write_port(const char *path, uint16_t port)
{
	char *new_path = xasprintf("%s.new", path);
	FILE *f = fopen(new_path, "we");

	if (f == NULL || fprintf(f, "%u\n", port) < 0 || fclose(f) != 0 ||
	    rename(new_path, path) == -1) {
		log_error("%s: %s", path, strerror(errno));
		exit(2);
	}
	free(new_path);
}

/* --- signals --- */

struct signals {
	struct watch watch;
	struct server *server;
	int fd;
	bool has_ended;
};

static void
signals_ready(void *arg, uint32_t events)
{
	struct signals *s = arg;
	struct signalfd_siginfo info;

	(void)events;
	while (read(s->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			exec_look(&s->server->execs);
		else
			s->has_ended = true;
	}
}

static void
signals_init(struct signals *s, struct server *server)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	s->server = server;
	s->has_ended = false;
	s->fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (s->fd == -1)
		fatal("signalfd: %s", strerror(errno));
	s->watch = (struct watch){.fn = signals_ready, .arg = s};
	loop_watch(&server->loop, s->fd, &s->watch, EPOLLIN);
}

static void
raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int
main(int argc, char **argv)
{
	struct listener *listeners;
	struct signals signals;
	struct server server;
	struct script script;
	struct options o;
	struct error err;
	bool no = false;
	int status = 0;
	size_t i;

	log_init("simhost");
	memset(&server, 0, sizeof(server));
	server.bind = ssh_bind_new();
	if (server.bind == NULL)
		fatal("ssh_bind_new failed");
	/* Nothing of /etc/ssh. */
	ssh_bind_options_set(server.bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no);
	parse_options(argc, argv, &server, &o);
	if (script_load(&script, o.script, &err) == -1)
		goto fail;
	if (mkdir(o.root, 0777) == -1 && errno != EEXIST) {
		error_set(&err, "%s: %s", o.root, strerror(errno));
		goto fail;
	}
	raise_file_limit();
	for (i = 0; i < script.count; i++) {
		if (fs_root(&script.hosts[i], o.root, &err) == -1)
			goto fail;
	}
	loop_init(&server.loop);
	signals_init(&signals, &server);
	listeners = listeners_new(&server, &script, &o.port);
	if (o.port_file != NULL)
		write_port(o.port_file, o.port);

	while (!signals.has_ended)
		loop_turn(&server.loop);

	for (i = 0; i < script.count; i++)
		fd_close(&listeners[i].fd);
	conns_clear(&server);
	loop_clear(&server.loop);
	free(listeners);
	close(signals.fd);
	if (o.counts_file != NULL &&
	    script_write_counts(&script, o.counts_file, &err) == -1) {
		log_error("%s", err.text);
		status = 2;
	}
	script_clear(&script);
	ssh_bind_free(server.bind);
	ssh_finalize();
	return status;
fail:
	log_error("%s", err.text);
	script_clear(&script);
	ssh_bind_free(server.bind);
	return 2;
}
