/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * taken_over: to be preloaded, so that a worker does what one that was taken
 * over would. What it does stands in $TMPDIR/taken_over, or the directory above
 * ($TMPDIR may be the run's own), which is read before the worker's cage is
 * closed, a line "WHEN WHAT [PATH]" each; it is done once:
 *
 *	WHEN	signal: at SIGUSR2; read: when the first thread reads a file;
 *		lookup, hash, sync: when another thread looks up a name, reads
 *		or syncs a file
 *	WHAT	execute: another program; read, list, write, make: open PATH so;
 *		leak: take memory until there is none; local: make a local
 *socket
 *
 * What came of it goes to stderr, as "WHAT PATH: REASON".
 */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACTS_MAX   16
#define LEAK_BYTES ((size_t)64 << 20)

static struct act {
	char when[16], what[16], path[PATH_MAX];
	bool was_done;
} acts[ACTS_MAX];
static int count;

/* Each returns 0, or -1 with errno. */
static int
leak(void)
{
	while (mmap(NULL, LEAK_BYTES, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
		   0) != MAP_FAILED)
		;
	return -1;
}

static int
open_as(const struct act *act)
{
	static const struct {
		const char *what;
		int flags;
	} ways[] = {{"read", O_RDONLY}, {"list", O_RDONLY | O_DIRECTORY},
	    {"write", O_RDWR}, {"make", O_WRONLY | O_CREAT}};
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(act->what, ways[i].what) == 0)
			return open(act->path, ways[i].flags, 0600);
	}
	errno = EINVAL;
	return -1;
}

static int
try(const struct act *act)
{
	char *argv[] = {(char[]){"true"}, NULL};

	if (strcmp(act->what, "execute") == 0)
		return execv("/bin/true", argv);
	if (strcmp(act->what, "leak") == 0)
		return leak();
	if (strcmp(act->what, "local") == 0)
		return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return open_as(act);
}

static void
act_at(const char *when)
{
	struct act *act;
	const char *why;

	for (act = acts; act < acts + count; act++) {
		if (act->was_done || strcmp(act->when, when) != 0)
			continue;
		act->was_done = true;
		why = try(act) == -1 ? strerror(errno) : "done";
		dprintf(
		    STDERR_FILENO, "%s %s: %s\n", act->what, act->path, why);
	}
}

static void
at_signal(int signo)
{
	(void)signo;
	act_at("signal");
}

__attribute__((constructor)) static void
begin(void)
{
	const char *dir = getenv("TMPDIR");
	char path[PATH_MAX], line[PATH_MAX + 64];
	FILE *f;

	signal(SIGUSR2, at_signal);
	snprintf(path, sizeof(path), "%s/taken_over", dir != NULL ? dir : "");
	f = fopen(path, "r");
	if (f == NULL) {
		snprintf(path, sizeof(path), "%s/../taken_over",
		    dir != NULL ? dir : "");
		f = fopen(path, "r");
	}
	while (f != NULL && count < ACTS_MAX &&
	    fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%15s %15s %4095s", acts[count].when,
			acts[count].what, acts[count].path) >= 2)
			count++;
	}
	if (f != NULL)
		fclose(f);
}

/* --- what it calls ------------------------------------------------------- */

static bool
is_first_thread(void)
{
	return gettid() == getpid();
}

int
getaddrinfo(const char *restrict name, const char *restrict service,
    const struct addrinfo *restrict hints, struct addrinfo **restrict addresses)
{
	int (*next)(const char *, const char *, const struct addrinfo *,
	    struct addrinfo **);

	*(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
	if (!is_first_thread())
		act_at("lookup");
	return next(name, service, hints, addresses);
}

ssize_t
pread(int fd, void *data, size_t len, off_t offset)
{
	ssize_t (*next)(int, void *, size_t, off_t);

	*(void **)&next = dlsym(RTLD_NEXT, "pread");
	act_at(is_first_thread() ? "read" : "hash");
	return next(fd, data, len, offset);
}

int
fsync(int fd)
{
	int (*next)(int);

	*(void **)&next = dlsym(RTLD_NEXT, "fsync");
	if (!is_first_thread())
		act_at("sync");
	return next(fd);
}
