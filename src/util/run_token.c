/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "util/run_token.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/hash.h"
#include "util/xalloc.h"

struct run_token {
	uint32_t machine;
	pid_t pid;
	unsigned long long start; /* clock ticks since boot; 0: not known */
};

static void
token_write(const struct run_token *t, char text[static RUN_TOKEN_SIZE])
{
	snprintf(text, RUN_TOKEN_SIZE, "%08x.%x.%llx", (unsigned)t->machine,
	    (unsigned)t->pid, t->start);
}

/* Whatever strtoull() takes besides our own form differs when written again. */
static bool
token_read(struct run_token *t, const char *text)
{
	char again[RUN_TOKEN_SIZE];
	unsigned long long pid;
	char *end;

	t->machine = (uint32_t)strtoull(text, &end, 16);
	if (*end != '.')
		return false;
	pid = strtoull(end + 1, &end, 16);
	if (*end != '.' || pid == 0 || pid > INT_MAX)
		return false;
	t->pid = (pid_t)pid;
	t->start = strtoull(end + 1, &end, 16);
	token_write(t, again);
	return strcmp(text, again) == 0;
}

/* Read what there is of a small file of /proc or /etc; "" on failure. */
static void
read_small(const char *path, char *text, size_t size)
{
	size_t len = 0;
	ssize_t n = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd != -1) {
		do {
			n = read(fd, text + len, size - 1 - len);
			if (n > 0)
				len += (size_t)n;
		} while (
		    len < size - 1 && (n > 0 || (n == -1 && errno == EINTR)));
		close(fd);
	}
	text[n == -1 ? 0 : len] = '\0';
}

/* Returns 0, or -1 if the process is not there or cannot be looked at. */
static int
start_time(pid_t pid, unsigned long long *start)
{
	char path[40], text[1024];
	const char *p;
	int field;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	read_small(path, text, sizeof(text));
	/* Field 2, the command, may hold blanks and parentheses. */
	p = strrchr(text, ')');
	for (field = 2; p != NULL && field < 22; field++)
		p = strchr(p + 1, ' ');
	if (p == NULL)
		return -1;
	*start = strtoull(p + 1, NULL, 10);
	return 0;
}

static uint32_t
machine(void)
{
	char id[64] = "", name[256] = "";
	uint64_t state = HASH_START;
	uint64_t ns = 0;
	struct stat st;

	read_small("/etc/machine-id", id, sizeof(id));
	if (gethostname(name, sizeof(name) - 1) == -1)
		name[0] = '\0';
	if (stat("/proc/self/ns/pid", &st) == 0)
		ns = st.st_ino;
	state = hash_add(state, id, strlen(id) + 1);
	state = hash_add(state, name, strlen(name) + 1);
	return hash_fold(hash_add(state, &ns, sizeof(ns)));
}

char *
run_token_make(void)
{
	struct run_token t = {.machine = machine(), .pid = getpid()};
	char text[RUN_TOKEN_SIZE];

	if (start_time(t.pid, &t.start) == -1)
		t.start = 0;
	token_write(&t, text);
	return xstrdup(text);
}

bool
run_token_is_valid(const char *token)
{
	struct run_token t;

	return token_read(&t, token);
}

enum run_token_state
run_token_state(const char *token)
{
	struct run_token t;
	unsigned long long start;

	if (!token_read(&t, token) || t.machine != machine())
		return RUN_TOKEN_FOREIGN;
	if (kill(t.pid, 0) == -1 && errno == ESRCH)
		return RUN_TOKEN_DEAD;
	if (start_time(t.pid, &start) == -1 || t.start == 0)
		return RUN_TOKEN_ALIVE;
	return start == t.start ? RUN_TOKEN_ALIVE : RUN_TOKEN_DEAD;
}
