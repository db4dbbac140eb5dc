/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A worker speaks with hosts that are not trusted, through libraries that have
 * had holes. What is left to one that has been taken over:
 *
 *   secrets      the passwords and the right to log in of the hosts at hand;
 *                no key, no inventory (control/pool.c: it is a program of its
 *                own, with an environment and descriptors that are listed
 *                there)
 *   files        cage_files.c, by Landlock
 *   system calls cage_calls.c, by seccomp
 *   capabilities none; to transfer, those to get at any file
 *   memory       what its sessions may take by their own limits, and no more
 *                than there is
 *   processes    none to look at (Landlock), to signal or to start (seccomp)
 *   network      connections to anywhere, since that is its work; no
 *                listening, no raw sockets; to services of this machine by
 *                sockets in the file system only where names are asked there
 *   terminal     none: its stderr is a pipe to control (control/worker_log.h)
 *
 * What the kernel or the build does not have is left out, and control is told.
 * Debuggers and valgrind need -sandbox off; sanitizers have it off, since they
 * have memory, files and system calls of their own.
 */
#include "config.h"

#include "worker/cage.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/sanitizer.h"
#include "util/secret.h"
#include "worker/cage_calls.h"
#include "worker/cage_files.h"
#include "worker/cage_names.h"
#include "worker/threads.h"

/*
 * libssh2's heap (16 MB), what waits for the socket (4 MB), SFTP requests
 * (16 MB), lines to print (8 MB); the rest is for what has no limit of its own,
 * but never takes that much.
 */
#define SESSION_BYTES ((uint64_t)64 << 20)
/*
 * Programs and libraries with those of the resolver, 50 MB; what waits for
 * control, 64 MB, while it moves to a larger place.
 */
#define BASE_BYTES ((uint64_t)256 << 20)
/* Each thread may have an arena of malloc(3), which reserves that much. */
#define ARENA_BYTES ((uint64_t)64 << 20)
#define ARENAS	    4
/* While one is made it takes twice as much. */
#define ARENAS_BYTES ((ARENAS + 1) * ARENA_BYTES)
/* Where stacks have no limit libuv makes smaller ones. */
#define STACK_BYTES ((uint64_t)8 << 20)

/* Where memory runs out it is to go first: another one takes its place. */
static void
offer_to_oom_killer(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd == -1)
		return;
	n = write(fd, "1000", 4);
	(void)n; /* best effort */
	close(fd);
}

void
cage_harden(void)
{
	const struct rlimit no_limit = {RLIM_INFINITY, RLIM_INFINITY};

	offer_to_oom_killer(); /* while /proc/self is ours */
	secret_hide_process();
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	/* With a limit, memory could not be had any more above it. */
	if (setrlimit(RLIMIT_MEMLOCK, &no_limit) == 0)
		mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
}

/* What its sessions may take; never more than the machine has. */
static uint64_t
sessions_bytes(uint32_t sessions)
{
	uint64_t bytes = sessions * SESSION_BYTES;
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	if (pages > 0 && size > 0 && bytes / (uint64_t)size > (uint64_t)pages)
		bytes = (uint64_t)pages * (uint64_t)size;
	return bytes;
}

/* What all that a worker does by its own limits can come to. */
static void
limit_memory(uint32_t sessions)
{
	uint64_t bytes = BASE_BYTES + ARENAS_BYTES + sessions_bytes(sessions);
	uint64_t stack = STACK_BYTES;
	struct rlimit limit;

	mallopt(M_ARENA_MAX, ARENAS);
	if (getrlimit(RLIMIT_STACK, &limit) == 0 &&
	    limit.rlim_cur != RLIM_INFINITY)
		stack = limit.rlim_cur;
	if (stack > UINT64_MAX / 2 / THREADS_MAX)
		return;
	bytes += THREADS_MAX * stack;
	if (getrlimit(RLIMIT_AS, &limit) == -1 || bytes >= limit.rlim_cur)
		return;
	limit.rlim_cur = limit.rlim_max = (rlim_t)bytes;
	setrlimit(RLIMIT_AS, &limit);
}

/*
 * A worker of root has to be one no more, but to read root's files, and for a
 * get to write them.
 */
static void
drop_capabilities(uint32_t task)
{
	struct __user_cap_header_struct header = {
	    _LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];
	uint32_t kept = 0;

	memset(data, 0, sizeof(data));
	if (task != TASK_EXEC)
		kept |= 1u << CAP_DAC_READ_SEARCH;
	if (task == TASK_GET)
		kept |= 1u << CAP_DAC_OVERRIDE | 1u << CAP_FOWNER |
		    1u << CAP_FSETID;
	if (syscall(SYS_capget, &header, data) == -1)
		return;
	kept &= data[0].permitted;
	memset(data, 0, sizeof(data));
	data[0].permitted = data[0].effective = kept;
	syscall(SYS_capset, &header, data);
}

/* Add a part of the sandbox, and why it can't be had. */
static void
lacks(char *missing, size_t size, const char *part, const char *why)
{
	size_t len = strlen(missing);

	if (why != NULL)
		snprintf(missing + len, size - len, "%s%s (%s)",
		    len > 0 ? ", " : "", part, why);
}

void
cage_enter(const struct msg_config *config, char *missing, size_t size)
{
	bool may_ask;

	missing[0] = '\0';
	if (config->has_sandbox == 0)
		return;
	if (HAS_SANITIZER) {
		snprintf(missing, size, "all of it (built with a sanitizer)");
		return;
	}
	limit_memory(config->slots);
	drop_capabilities(config->task);
	may_ask = cage_names_need_socket(CAGE_NAMES_FILE);
	lacks(missing, size, "Landlock", cage_files_limit(config));
	lacks(missing, size, "seccomp", cage_calls_limit(config, may_ask));
	lacks(missing, size, "a ban on local sockets",
	    may_ask ? CAGE_NAMES_FILE " needs them" : NULL);
}
