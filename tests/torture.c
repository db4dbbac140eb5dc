/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * torture: to be preloaded. The Nth call of one kind that a process makes
 * fails, once or from there on. The environment says which:
 *
 *   TORTURE_KIND     malloc   malloc(3), calloc(3), realloc(3), and what calls
 *                             them: strdup(3), opendir(3) ...
 *                    write    write(2), send(2) and the like, also fflush(3),
 *                             fclose(3), ftruncate(2), fsync(2); but to stderr
 *                    open     open(2), fopen(3) and the like
 *                    fork     fork(2), posix_spawn(3), pthread_create(3)
 *                    socket   what else makes descriptors: socket(2), pipe(2),
 *                             epoll_create(2), eventfd(2), F_DUPFD ...
 *   TORTURE_NTH      N, from 1
 *   TORTURE_STACKS   set: only the first call from each stack is counted
 *   TORTURE_FROM     "on": also those that follow; else one in all processes
 *   TORTURE_ERROR    the number that errno gets
 *   TORTURE_PROGRAM  the name of the program whose calls count; any, if it is
 *                    not set. Each of its processes counts for itself.
 *   TORTURE_CALLER   of malloc: a part of the name of the library whose own
 *                    calls count; any, if it is not set
 *   TORTURE_COUNTS   a file of sizeof(struct counts) bytes, which tells what
 *                    came of it
 *
 * A program that is started with another environment gets these variables and
 * LD_PRELOAD all the same. Functions that the C library calls within itself
 * are not seen, but for malloc(3) and its kin.
 */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FRAMES_MAX  16
#define STACKS_MAX  16384 /* a power of two */
#define ENV_MAX	    4096
#define OUR_PREFIX  "TORTURE_"
#define PRELOAD	    "LD_PRELOAD="
#define COUNTS_SIZE 4096

enum kind {
	KIND_MALLOC,
	KIND_WRITE,
	KIND_OPEN,
	KIND_FORK,
	KIND_SOCKET,
	KIND_COUNT
};

static const char *const kind_names[KIND_COUNT] = {
    "malloc", "write", "open", "fork", "socket"};

/* Shared by all processes. */
struct counts {
	atomic_uint_fast64_t calls; /* that counted, of all */
	atomic_uint_fast64_t strikes;
	char where[COUNTS_SIZE - 16]; /* the stack of the first, if there is
					 one: FILE+OFFSET a line */
};

static struct counts *counts; /* NULL: nothing is struck here */
static enum kind kind;
static uint64_t nth;
static bool goes_on;
static bool counts_stacks;
static int error;
static const char *caller_name;	   /* NULL: of any */
static atomic_uint_fast64_t calls; /* of this process */
static dev_t stderr_dev;
static ino_t stderr_ino;

/* The function that ours is in the place of. */
#define NEXT(name)                     \
	static __typeof__(name) *next; \
	if (next == NULL)              \
	*(void **)&next = dlsym(RTLD_NEXT, #name)

/* A function that returns failure, or what the next one of its name does. */
#define FAILS(kind, failure, type, name, parameters, arguments)      \
	type name parameters                                         \
	{                                                            \
		NEXT(name);                                          \
		return is_struck(kind) ? (failure) : next arguments; \
	}

/* The same of one that writes to fd. */
#define FAILS_TO_WRITE(type, name, parameters, arguments)         \
	type name parameters                                      \
	{                                                         \
		NEXT(name);                                       \
		return is_write_struck(fd) ? -1 : next arguments; \
	}

/* The same of one that opens, and gets a mode if the flags say so. */
#define FAILS_TO_OPEN(name, parameters, arguments)                 \
	int name parameters                                        \
	{                                                          \
		mode_t mode = 0;                                   \
		va_list ap;                                        \
		NEXT(name);                                        \
		va_start(ap, flags);                               \
		if ((flags & (O_CREAT | __O_TMPFILE)) != 0)        \
			mode = va_arg(ap, mode_t);                 \
		va_end(ap);                                        \
		return is_struck(KIND_OPEN) ? -1 : next arguments; \
	}

/* --- set-up -------------------------------------------------------------- */

static struct counts *
map_counts(void)
{
	const char *path = getenv("TORTURE_COUNTS");
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
	int flags = fd != -1 ? MAP_SHARED : MAP_SHARED | MAP_ANONYMOUS;
	void *p = mmap(
	    NULL, sizeof(struct counts), PROT_READ | PROT_WRITE, flags, fd, 0);

	if (fd != -1)
		close(fd);
	return p != MAP_FAILED ? p : NULL;
}

/* Whether the environment says something about this program. */
static bool
read_environment(void)
{
	const char *name = getenv("TORTURE_KIND");
	const char *number = getenv("TORTURE_NTH");
	const char *program = getenv("TORTURE_PROGRAM");
	const char *from = getenv("TORTURE_FROM");
	const char *code = getenv("TORTURE_ERROR");
	size_t i;

	if (program != NULL && strcmp(program, program_invocation_short_name))
		return false;
	for (i = 0; name != NULL && i < KIND_COUNT; i++) {
		if (strcmp(name, kind_names[i]) != 0)
			continue;
		kind = (enum kind)i;
		nth = number != NULL ? strtoull(number, NULL, 10) : 0;
		goes_on = from != NULL && strcmp(from, "on") == 0;
		counts_stacks = getenv("TORTURE_STACKS") != NULL;
		caller_name = getenv("TORTURE_CALLER");
		error = code != NULL ? atoi(code) : EIO;
		return true;
	}
	return false;
}

__attribute__((constructor)) static void
begin(void)
{
	void *frames[FRAMES_MAX];
	struct counts *shared;
	struct stat st;

	if (!read_environment())
		return;
	backtrace(frames, FRAMES_MAX); /* its first call allocates */
	if (fstat(STDERR_FILENO, &st) == 0) {
		stderr_dev = st.st_dev;
		stderr_ino = st.st_ino;
	}
	shared = map_counts();
	counts = shared;
}

/* --- who is struck ------------------------------------------------------- */

/* The stack, for addr2line(1). Nothing is allocated. */
static void
note_where(void)
{
	void *frames[FRAMES_MAX];
	int count = backtrace(frames, FRAMES_MAX), i;
	size_t used = 0, room;
	const char *file;
	Dl_info info;

	/* But for this function and is_struck(). */
	for (i = 2; i < count; i++) {
		if (dladdr(frames[i], &info) == 0)
			continue;
		file = strrchr(info.dli_fname, '/');
		room = sizeof(counts->where) - used;
		snprintf(counts->where + used, room, "%s+0x%zx %s\n",
		    file != NULL ? file + 1 : info.dli_fname,
		    (size_t)((char *)frames[i] - (char *)info.dli_fbase),
		    info.dli_sname != NULL ? info.dli_sname : "");
		used += strlen(counts->where + used);
	}
}

/*
 * Whether the caller's stack is here for the first time. Of two threads that
 * come with the same one, both may be told so; of two stacks with the same
 * hash, one is passed over.
 */
static bool
is_new_stack(void)
{
	static atomic_uint_fast64_t seen[STACKS_MAX];
	void *frames[FRAMES_MAX];
	int count = backtrace(frames, FRAMES_MAX), i;
	uint64_t hash = 1469598103934665603u; /* FNV-1a, a frame a step */
	uint_fast64_t found;
	size_t at;

	for (i = 0; i < count; i++)
		hash = (hash ^ (uintptr_t)frames[i]) * 1099511628211u;
	hash ^= hash >> 32;
	for (at = hash % STACKS_MAX;; at = (at + 1) % STACKS_MAX) {
		found = atomic_load(&seen[at]);
		if (found == hash)
			return false;
		if (found == 0)
			break;
	}
	atomic_store(&seen[at], hash);
	return true;
}

/* Count a call. Returns whether it is to fail, and then sets errno. */
static bool
is_struck(enum kind of)
{
	uint64_t call = 0;

	if (counts == NULL || kind != of)
		return false;
	if (!counts_stacks || is_new_stack()) {
		call = atomic_fetch_add(&calls, 1) + 1;
		atomic_fetch_add(&counts->calls, 1);
	}
	if (call != nth && !(goes_on && atomic_load(&calls) >= nth))
		return false;
	if (atomic_fetch_add(&counts->strikes, 1) == 0)
		note_where();
	else if (!goes_on)
		return false;
	errno = error;
	return true;
}

/*
 * Messages have to come through, and an eventfd, which has no type, takes
 * whatever is written to it.
 */
static bool
is_write_struck(int fd)
{
	struct stat st;

	if (counts == NULL || kind != KIND_WRITE || fstat(fd, &st) == -1 ||
	    (st.st_mode & S_IFMT) == 0 ||
	    (st.st_dev == stderr_dev && st.st_ino == stderr_ino))
		return false;
	return is_struck(KIND_WRITE);
}

/* --- memory -------------------------------------------------------------- */

#ifndef TORTURE_WITHOUT_MALLOC
/* Not by dlsym(), which may allocate. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static bool
is_memory_struck(const void *caller)
{
	Dl_info info;

	if (counts == NULL || kind != KIND_MALLOC)
		return false;
	if (caller_name != NULL &&
	    (dladdr(caller, &info) == 0 ||
		strstr(info.dli_fname, caller_name) == NULL))
		return false;
	return is_struck(KIND_MALLOC);
}

#define IS_STRUCK is_memory_struck(__builtin_return_address(0))

void *
malloc(size_t size)
{
	return IS_STRUCK ? NULL : __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
	return IS_STRUCK ? NULL : __libc_calloc(count, size);
}

void *
realloc(void *p, size_t size)
{
	return IS_STRUCK ? NULL : __libc_realloc(p, size);
}

void *
memalign(size_t alignment, size_t size)
{
	return IS_STRUCK ? NULL : __libc_memalign(alignment, size);
}

void *
aligned_alloc(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

int
posix_memalign(void **p, size_t alignment, size_t size)
{
	void *block = memalign(alignment, size);

	if (block == NULL)
		return ENOMEM;
	*p = block;
	return 0;
}
#endif

/* --- writing ------------------------------------------------------------- */

FAILS_TO_WRITE(
    ssize_t, write, (int fd, const void *data, size_t len), (fd, data, len))
FAILS_TO_WRITE(ssize_t, pwrite,
    (int fd, const void *data, size_t len, off_t offset),
    (fd, data, len, offset))
FAILS_TO_WRITE(ssize_t, writev, (int fd, const struct iovec *parts, int count),
    (fd, parts, count))
FAILS_TO_WRITE(ssize_t, send, (int fd, const void *data, size_t len, int flags),
    (fd, data, len, flags))
FAILS_TO_WRITE(ssize_t, sendmsg, (int fd, const struct msghdr *msg, int flags),
    (fd, msg, flags))
FAILS_TO_WRITE(int, ftruncate, (int fd, off_t len), (fd, len))
FAILS_TO_WRITE(int, fsync, (int fd), (fd))

int
fflush(FILE *file)
{
	NEXT(fflush);
	if (file != NULL && is_write_struck(fileno(file)))
		return EOF;
	return next(file);
}

/* What is struck is closed all the same, as it is on a full disk. */
int
fclose(FILE *file)
{
	bool fails = is_write_struck(fileno(file));
	int rc;

	NEXT(fclose);
	rc = next(file);
	if (fails)
		errno = error;
	return fails ? EOF : rc;
}

/* --- opening ------------------------------------------------------------- */

/* What open() and openat() are with _FORTIFY_SOURCE. */
int __open_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);

FAILS_TO_OPEN(open, (const char *path, int flags, ...), (path, flags, mode))
FAILS_TO_OPEN(open64, (const char *path, int flags, ...), (path, flags, mode))
FAILS_TO_OPEN(openat, (int dir, const char *path, int flags, ...),
    (dir, path, flags, mode))
FAILS(
    KIND_OPEN, -1, int, __open_2, (const char *path, int flags), (path, flags))
FAILS(KIND_OPEN, -1, int, __openat_2, (int dir, const char *path, int flags),
    (dir, path, flags))
FAILS(KIND_OPEN, -1, int, mkostemp, (char *name, int flags), (name, flags))
FAILS(KIND_OPEN, -1, int, memfd_create, (const char *name, unsigned flags),
    (name, flags))
FAILS(KIND_OPEN, NULL, FILE *, fopen, (const char *path, const char *mode),
    (path, mode))
FAILS(KIND_OPEN, NULL, FILE *, fopen64, (const char *path, const char *mode),
    (path, mode))

/* --- processes and threads ----------------------------------------------- */

FAILS(KIND_FORK, -1, pid_t, fork, (void), ())
/* These return the error. */
FAILS(KIND_FORK, error, int, posix_spawn,
    (pid_t * pid, const char *path, const posix_spawn_file_actions_t *actions,
	const posix_spawnattr_t *attr, char *const argv[], char *const env[]),
    (pid, path, actions, attr, argv, env))
FAILS(KIND_FORK, error, int, pthread_create,
    (pthread_t * thread, const pthread_attr_t *attr, void *(*body)(void *),
	void *arg),
    (thread, attr, body, arg))

static bool
is_ours(const char *variable)
{
	return strncmp(variable, OUR_PREFIX, strlen(OUR_PREFIX)) == 0 ||
	    strncmp(variable, PRELOAD, strlen(PRELOAD)) == 0;
}

int
execve(const char *path, char *const argv[], char *const env[])
{
	char *more[ENV_MAX + 1], **e;
	size_t count = 0;

	NEXT(execve);
	for (e = environ; *e != NULL && count < ENV_MAX; e++) {
		if (is_ours(*e))
			more[count++] = *e;
	}
	for (; *env != NULL && count < ENV_MAX; env++) {
		if (!is_ours(*env))
			more[count++] = *env;
	}
	more[count] = NULL;
	return next(path, argv, more);
}

/* --- other descriptors --------------------------------------------------- */

FAILS(KIND_SOCKET, -1, int, socket, (int domain, int type, int protocol),
    (domain, type, protocol))
FAILS(KIND_SOCKET, -1, int, socketpair,
    (int domain, int type, int protocol, int fds[2]),
    (domain, type, protocol, fds))
FAILS(KIND_SOCKET, -1, int, pipe, (int fds[2]), (fds))
FAILS(KIND_SOCKET, -1, int, pipe2, (int fds[2], int flags), (fds, flags))
FAILS(KIND_SOCKET, -1, int, epoll_create1, (int flags), (flags))
FAILS(
    KIND_SOCKET, -1, int, eventfd, (unsigned value, int flags), (value, flags))
FAILS(KIND_SOCKET, -1, int, signalfd, (int fd, const sigset_t *mask, int flags),
    (fd, mask, flags))

/* Only F_DUPFD and its kin make one. */
int
fcntl(int fd, int command, ...)
{
	va_list ap;
	void *arg;

	NEXT(fcntl);
	va_start(ap, command);
	arg = va_arg(ap, void *);
	va_end(ap);
	if ((command == F_DUPFD || command == F_DUPFD_CLOEXEC) &&
	    is_struck(KIND_SOCKET))
		return -1;
	return next(fd, command, arg);
}
