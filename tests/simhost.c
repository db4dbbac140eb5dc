/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * simhost: many SSH hosts in one process, for tests, each as well-behaved or as
 * hostile as a script says. On loopback only; any user, key and password is
 * let in, unless the script says otherwise.
 *
 * usage: simhost -k HOST_KEY... [-K OTHER_KEY]... -p PORT -s SCRIPT -r ROOT
 *                [-o PORT_FILE] [-c COUNTS_FILE]
 *
 *   -k  a private key, repeatable for more types of key
 *   -K  what other-key and changing-key present
 *   -p  0: any that is free at all addresses
 *   -r  ROOT/ADDRESS is what clients of that address see; made if missing, for
 *       the hosts of a range when it is first needed
 *   -o  gets the port, once connections are accepted
 *   -c  gets, on SIGUSR1 and at the end, lines "address name count"
 *       (simhost_script.h tells what is counted)
 *
 * A line of the script is an address in 127.0.0.0/8, or a range of them
 * (ADDRESS-ADDRESS, inclusive), and behaviours; "#" begins a comment. In a text
 * value \s is a space, \e ESC, \n, \r, \t, \\ and \xHH as usual. Without
 * behaviours a host is an honest server of SFTP version 3 with OpenSSH's
 * posix-rename, fsync, hardlink, statvfs and limits, which refuses commands
 * other than "true" and "sim". Paths with ".." are refused.
 *
 * TCP:
 *   refuse            connections are refused
 *   blackhole         SYNs are dropped
 *
 * Stages. A fault strikes when the connection has come to its STAGE:
 *   connect           accepted, nothing was sent
 *   banner            half a banner ("SSH-2.0-sim") was sent; with delay=,
 *                     nothing
 *   kex               our banner was sent; the client's, and its KEXINIT, have
 *                     come; nothing else was sent
 *   auth              the client's first request for authentication has come
 *                     (to libssh2 the service before it is part of the kex)
 *   channel           a request to open a channel has come
 *   exec              a request of a command or subsystem has come, and is
 *                     neither carried out nor answered
 *   stream            the command of a sim was accepted, and half of its output
 *                     was sent
 *   exit              all output was sent
 *   close             the exit status was sent, but neither EOF nor CLOSE
 * The faults, each for one stage:
 *   silent=STAGE      nothing more is sent; the kernel still acknowledges
 *   reset=STAGE       the connection is reset
 *   hangup=STAGE      our side of the connection is closed (FIN)
 *   disconnect=STAGE  the same after SSH_MSG_DISCONNECT; from kex on
 *   delay=STAGE:MS,...
 *                     what comes after the stage comes so much later, a fault
 *                     too; may be repeated
 *
 * Banner:
 *   banner=KIND       garbage (256 bytes, then silence), http (an answer of
 *                     HTTP, then FIN), ssh1 ("SSH-1.5-old", then silence),
 *                     endless (bytes without end of line, for ever), lines
 *                     (lines that are no banner, for ever), preamble (some
 *                     lines, then an honest host), blank (the same with one
 *                     empty line), maxstartups, penalty (what OpenSSH says
 *                     then, and FIN), empty (an empty line, and FIN), says
 *                     (the line of says=, and FIN)
 *   says=TEXT         what that line is, and what disconnect= tells
 *
 * Host keys:
 *   other-key         always the other key
 *   changing-key      the usual key for the first connection, then the other
 *   rekey=N           keys are exchanged anew after so many bytes
 *   rekey-offers=TEXT stands before the names of the methods then
 *   ciphers=NAMES, macs=NAMES
 *                     only these are offered
 *   rekey-ciphers=NAMES, rekey-macs=NAMES
 *                     only these are, then
 *
 * Which connections:
 *   only=N            after its first N connections the host is honest; what is
 *                     no fault (exec=, exec-sha, methods=, password=) stays
 *   after=N           before them it is. Not for refuse and blackhole.
 *
 * Authentication; METHOD is password, publickey or keyboard-interactive:
 *   deny, deny=METHOD,...
 *                     all, or these, are refused
 *   methods=METHOD,...
 *                     only these are offered
 *   partial           a key is accepted as the first half (partial success),
 *                     then a password is needed
 *   password=TEXT     only this password is right
 *   change-password   the first password of a connection is answered by
 *                     PASSWD_CHANGEREQ, the others are refused
 *   open              the method "none" lets in
 *   no-auths=N        the N-th refusal is a disconnection
 *   hangup-denied     FIN behind a refusal
 *
 * Channels and commands:
 *   no-channel        a request to open one is refused
 *   no-exec           any command is refused
 *   exec=WORDS        any command is taken for "sim WORDS"
 * The commands "true" and "sim WORD..." run on any host, without a child:
 *   out=N, err=N      so many bytes on stdout and stderr, lines of 64
 *   rate=N            bytes a second over both; as fast as possible without
 *   no-newline, binary, escapes
 *                     what they are instead of lines: no newline at all, all
 *                     values of a byte, what terminals and UTF-8 suffer from
 *   echo=TEXT         TEXT and a newline on stdout, before the others
 *   cat               gives back its stdin, after the others
 *   sleep=MS          before anything is sent
 *   exit=N            the exit status; default 0
 *   signal=NAME       an exit signal instead
 *   no-status         EOF and CLOSE without either
 *   hold              after the exit status neither EOF nor CLOSE
 *   no-eof            CLOSE without EOF
 *   reset, hangup, silent
 *                     a fault after the output, instead of an end
 *   die               simhost kills itself after the output
 *
 * SFTP, what is offered:
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
 * Other commands:
 *   exec-sha          are run by /bin/sh in the host's directory
 *   exec-lies         the same, with the first hexadecimal digit of each line
 *                     changed
 *   exec-stall        all are accepted and never end
 *
 * Files: simhost_script.c reads the script, simhost_behaviour.c is the table of
 * behaviours, simhost_loop.c the event loop, simhost_listen.c the addresses,
 * simhost_conn.c a connection and its libssh session, simhost_stage.c its
 * faults, simhost_raw.c what is not SSH, simhost_auth.c whom it lets in,
 * simhost_chan.c the channels, simhost_sim.c and simhost_exec.c the commands,
 * simhost_sftp*.c the SFTP server, simhost_fs.c and simhost_fake.c the files it
 * has and has not.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "simhost_conn.h"
#include "simhost_fs.h"
#include "simhost_listen.h"
#include "util/log.h"
#include "util/xalloc.h"

struct options {
	const char *script, *root, *port_file, *counts_file;
	bool has_other_key;
	uint16_t port;
};

static void
usage(void)
{
	fprintf(stderr,
	    "usage: simhost -k HOST_KEY... [-K OTHER_KEY]... -p PORT -s SCRIPT\n"
	    "               -r ROOT [-o PORT_FILE] [-c COUNTS_FILE]\n");
	exit(2);
}

static void
add_host_key(ssh_bind bind, const char *path)
{
	ssh_key key = NULL;

	if (ssh_pki_import_privkey_file(path, NULL, NULL, NULL, &key) !=
		SSH_OK ||
	    ssh_bind_options_set(bind, SSH_BIND_OPTIONS_IMPORT_KEY, key) !=
		SSH_OK) {
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
	while ((opt = getopt(argc, argv, "k:K:p:s:r:o:c:")) != -1) {
		switch (opt) {
		case 'k':
			add_host_key(server->bind, optarg);
			has_key = true;
			break;
		case 'K':
			add_host_key(server->other_bind, optarg);
			o->has_other_key = true;
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
	const struct script *script;
	const char *counts_file; /* or NULL */
	int fd;
	bool has_ended;
};

static int
write_counts(const struct script *script, const char *path)
{
	struct error err;

	if (path == NULL || script_write_counts(script, path, &err) == 0)
		return 0;
	log_error("%s", err.text);
	return -1;
}

static void
signals_ready(void *arg, uint32_t events)
{
	struct signals *s = arg;
	struct signalfd_siginfo info;

	(void)events;
	while (read(s->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			exec_look(&s->server->execs);
		else if (info.ssi_signo == SIGUSR1)
			write_counts(s->script, s->counts_file);
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
	sigaddset(&set, SIGUSR1);
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

/* --- the whole --- */

static void
raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static ssh_bind
new_bind(void)
{
	ssh_bind bind = ssh_bind_new();
	bool no = false;

	if (bind == NULL)
		fatal("ssh_bind_new failed");
	/* Nothing of /etc/ssh. */
	ssh_bind_options_set(bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no);
	return bind;
}

/* Look for what a script needs, and make the directories it names. */
static int
prepare(const struct script *script, const struct options *o, struct error *err)
{
	const struct host *h;

	if (mkdir(o->root, 0777) == -1 && errno != EEXIST)
		return error_set(err, "%s: %s", o->root, strerror(errno));
	for (h = script->hosts; h < script->hosts + script->count; h++) {
		if ((host_has(h, B_OTHER_KEY) || host_has(h, B_CHANGING_KEY)) &&
		    !o->has_other_key)
			return error_set(
			    err, "%s: there is no other key", h->address);
		if (!h->is_of_range && fs_make_root(h, o->root, err) == -1)
			return -1;
	}
	return 0;
}

static int
serve(struct server *server, const struct script *script, struct options *o)
{
	struct listener *listeners;
	struct signals signals;
	int rc;

	raise_file_limit();
	loop_init(&server->loop);
	signals.script = script;
	signals.counts_file = o->counts_file;
	signals_init(&signals, server);
	listeners = listeners_new(server, script, &o->port);
	if (o->port_file != NULL)
		write_port(o->port_file, o->port);

	while (!signals.has_ended)
		loop_turn(&server->loop);

	listeners_free(listeners, script);
	conns_clear(server);
	loop_clear(&server->loop);
	close(signals.fd);
	rc = write_counts(script, o->counts_file);
	return rc == 0 ? 0 : 2;
}

int
main(int argc, char **argv)
{
	struct server server;
	struct script script;
	struct options o;
	struct error err;
	int status;

	log_init("simhost");
	memset(&server, 0, sizeof(server));
	server.bind = new_bind();
	server.other_bind = new_bind();
	parse_options(argc, argv, &server, &o);
	server.root = o.root;
	if (script_load(&script, o.script, &err) == -1 ||
	    prepare(&script, &o, &err) == -1) {
		log_error("%s", err.text);
		status = 2;
	} else {
		status = serve(&server, &script, &o);
	}
	script_clear(&script);
	ssh_bind_free(server.bind);
	ssh_bind_free(server.other_bind);
	ssh_finalize();
	return status;
}
