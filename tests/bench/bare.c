/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bare: a yardstick for scripts/bench, what libssh2 itself costs. It runs a
 * command on hosts with blocking calls, one host after another in each of N
 * processes, and copies what the hosts write to stdout. Of an SSH client it
 * does no more than it must: connect, compare the host's key with the
 * known_hosts file, log in with a key file, run, read, close. The algorithms
 * are those that libssh2 prefers.
 *
 * usage: bare -n PROCESSES -u USER -p PORT -k KEY -K KNOWN_HOSTS HOSTS COMMAND
 *
 * HOSTS is a file with an IPv4 address a line. A line of the known_hosts file
 * is "[ADDRESS]:PORT TYPE KEY", and nothing else is understood.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libssh2.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/xalloc.h"

struct lines {
	char **at;
	size_t count;
};

struct bare {
	const char *user, *key, *command;
	uint16_t port;
	struct lines hosts, known; /* known: "[ADDRESS]:PORT KEY", sorted */
};

static void
usage(void)
{
	fprintf(stderr,
	    "usage: bare -n PROCESSES -u USER -p PORT -k KEY "
	    "-K KNOWN_HOSTS HOSTS COMMAND\n");
	exit(2);
}

static int
compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static struct lines
read_lines(const char *path)
{
	struct lines lines = {NULL, 0};
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	if (f == NULL) {
		fprintf(stderr, "bare: %s: %s\n", path, strerror(errno));
		exit(2);
	}
	while ((len = getline(&line, &size, f)) != -1) {
		if (len > 0 && line[len - 1] == '\n')
			line[len - 1] = '\0';
		lines.at =
		    xreallocarray(lines.at, lines.count + 1, sizeof(*lines.at));
		lines.at[lines.count++] = xstrdup(line);
	}
	free(line);
	fclose(f);
	return lines;
}

static void
free_lines(struct lines *lines)
{
	size_t i;

	for (i = 0; i < lines->count; i++)
		free(lines->at[i]);
	free(lines->at);
}

/* The lines without the type of the key, sorted. */
static struct lines
read_known(const char *path)
{
	struct lines lines = read_lines(path);
	char *type, *key;
	size_t i;

	for (i = 0; i < lines.count; i++) {
		type = strchr(lines.at[i], ' ');
		key = type == NULL ? NULL : strchr(type + 1, ' ');
		if (key == NULL) {
			fprintf(stderr,
			    "bare: %s: line %zu is not understood\n", path,
			    i + 1);
			exit(2);
		}
		memmove(type, key, strlen(key) + 1);
	}
	qsort(lines.at, lines.count, sizeof(*lines.at), compare_lines);
	return lines;
}

static bool
is_known(const struct bare *b, const char *host, LIBSSH2_SESSION *session)
{
	size_t len;
	int type;
	const char *blob = libssh2_session_hostkey(session, &len, &type);
	char *text, *line;
	bool found;

	if (blob == NULL)
		return false;
	text = xmalloc(4 * ((len + 2) / 3) + 1);
	EVP_EncodeBlock(
	    (unsigned char *)text, (const unsigned char *)blob, (int)len);
	line = xasprintf("[%s]:%u %s", host, b->port, text);
	found = bsearch(&line, b->known.at, b->known.count,
		    sizeof(*b->known.at), compare_lines) != NULL;
	free(line);
	free(text);
	return found;
}

/* Returns -1 if there is no connection. */
static int
connect_to(const struct bare *b, const char *host)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	int one = 1, fd;

	sin.sin_port = htons(b->port);
	if (inet_pton(AF_INET, host, &sin.sin_addr) != 1)
		return -1;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1) {
		close(fd);
		return -1;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* Whether the command ran and ended with exit status 0. */
static bool
run_command(const struct bare *b, LIBSSH2_SESSION *session)
{
	LIBSSH2_CHANNEL *channel = libssh2_channel_open_session(session);
	char piece[65536];
	ssize_t n = -1;
	bool is_ok = false;

	if (channel == NULL)
		return false;
	if (libssh2_channel_exec(channel, b->command) == 0) {
		while ((n = libssh2_channel_read(
			    channel, piece, sizeof(piece))) > 0) {
			if (fwrite(piece, 1, (size_t)n, stdout) != (size_t)n)
				break;
		}
	}
	if (n == 0 && libssh2_channel_close(channel) == 0)
		is_ok = libssh2_channel_get_exit_status(channel) == 0;
	libssh2_channel_free(channel);
	return is_ok;
}

/* NULL if all is well, else what is not. */
static const char *
run_session(
    const struct bare *b, const char *host, LIBSSH2_SESSION *session, int fd)
{
	if (libssh2_session_handshake(session, fd) != 0)
		return "the handshake failed";
	if (!is_known(b, host, session))
		return "the host key is not known";
	if (libssh2_userauth_publickey_fromfile(
		session, b->user, NULL, b->key, NULL) != 0)
		return "the login was refused";
	if (!run_command(b, session))
		return "the command failed";
	libssh2_session_disconnect(session, "done");
	return NULL;
}

static bool
run_host(const struct bare *b, const char *host)
{
	int fd = connect_to(b, host);
	LIBSSH2_SESSION *session;
	const char *failure = "no connection";

	if (fd != -1) {
		session = libssh2_session_init();
		if (session == NULL)
			abort();
		failure = run_session(b, host, session, fd);
		libssh2_session_free(session);
		close(fd);
	}
	if (failure != NULL)
		fprintf(stderr, "%s: %s\n", host, failure);
	return failure == NULL;
}

/* Every step-th host from first on; does not return. */
static void
child(const struct bare *b, size_t first, size_t step)
{
	int status = 0;
	size_t i;

	for (i = first; i < b->hosts.count; i += step) {
		if (!run_host(b, b->hosts.at[i]))
			status = 1;
	}
	if (fflush(stdout) != 0)
		status = 1;
	_exit(status);
}

static int
run_all(const struct bare *b, size_t processes)
{
	int status, result = 0;
	size_t i;
	pid_t pid;

	for (i = 0; i < processes && i < b->hosts.count; i++) {
		pid = fork();
		if (pid == -1) {
			fprintf(stderr, "bare: fork: %s\n", strerror(errno));
			result = 1;
			break;
		}
		if (pid == 0)
			child(b, i, processes);
	}
	while (wait(&status) != -1) {
		if (status != 0)
			result = 1;
	}
	return result;
}

int
main(int argc, char **argv)
{
	struct bare b = {NULL};
	const char *known = NULL;
	size_t processes = 1;
	int opt, result;

	while ((opt = getopt(argc, argv, "n:u:p:k:K:")) != -1) {
		switch (opt) {
		case 'n':
			processes = strtoul(optarg, NULL, 10);
			break;
		case 'u':
			b.user = optarg;
			break;
		case 'p':
			b.port = (uint16_t)strtoul(optarg, NULL, 10);
			break;
		case 'k':
			b.key = optarg;
			break;
		case 'K':
			known = optarg;
			break;
		default:
			usage();
		}
	}
	if (argc - optind != 2 || b.user == NULL || b.key == NULL ||
	    known == NULL || b.port == 0 || processes == 0)
		usage();
	b.hosts = read_lines(argv[optind]);
	b.known = read_known(known);
	b.command = argv[optind + 1];
	if (libssh2_init(0) != 0)
		abort();
	result = run_all(&b, processes);
	libssh2_exit();
	free_lines(&b.hosts);
	free_lines(&b.known);
	return result;
}
