/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A worker is forked and exec'ed, so that its memory never held what control
 * knows. It gets exactly its two pipes, a third one as stderr, and, if there is
 * one, the file its commands read; no other descriptor, no terminal, and no
 * environment but what libc and the resolver read, where temporary files go,
 * and what those set who want to look inside. What more it gives up, it gives
 * up itself (worker/cage.c).
 */
#include "config.h"

#include "control/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/exit_status.h"
#include "util/fdio.h"
#include "util/log.h"
#include "util/xalloc.h"

#define PIPE_READ_BYTES 65536u
#define FIRST_FREE_FD	10 /* above those that a worker inherits */
/* So long workers have to end by themselves, or when they are killed. */
#define END_MS 1000u

static int
program_find(struct pool *p, struct error *err)
{
	char self[PATH_MAX];
	ssize_t len;
	char *slash;

	len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (len > 0) {
		self[len] = '\0';
		slash = strrchr(self, '/');
		if (slash != NULL) {
			*slash = '\0';
			p->program = xasprintf("%s/batch_worker", self);
			if (access(p->program, X_OK) == 0)
				return 0;
			free(p->program);
		}
	}
	p->program = xstrdup(LIBEXECDIR "/batch_worker");
	if (access(p->program, X_OK) == 0)
		return 0;
	return error_set(err, "%s: %s (is the installation complete?)",
	    p->program, strerror(errno));
}

int
pool_init(struct pool *p, uint32_t count, int input_fd, bool has_temporary,
    struct error *err)
{
	memset(p, 0, sizeof(*p));
	p->input_fd = input_fd;
	p->workers = xcalloc(count, sizeof(*p->workers));
	p->count = count;
	if (program_find(p, err) == -1)
		return -1;
	if (has_temporary)
		p->temporary = fd_temporary_dir_make(err);
	return !has_temporary || p->temporary != NULL ? 0 : -1;
}

/* What a worker may see of our environment. */
static char **
worker_environment(const char *temporary)
{
	static const char *const names[] = {"TMPDIR", "RES_OPTIONS",
	    "LOCALDOMAIN", "HOSTALIASES", "LD_LIBRARY_PATH", "LD_PRELOAD",
	    "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"};
	static const size_t count = sizeof(names) / sizeof(names[0]);
	char **env = xcalloc(count + 1, sizeof(*env));
	const char *value;
	size_t i, used = 0;

	for (i = 0; i < count; i++) {
		value =
		    i == 0 && temporary != NULL ? temporary : getenv(names[i]);
		if (value != NULL)
			env[used++] = xasprintf("%s=%s", names[i], value);
	}
	return env;
}

static void
close_from(int first)
{
#ifdef HAVE_CLOSE_RANGE
	if (close_range((unsigned)first, ~0u, 0) == 0)
		return;
#endif
	for (int fd = first, max = (int)sysconf(_SC_OPEN_MAX); fd < max; fd++)
		close(fd);
}

/* In the child: put fd at its place. */
static void
child_place(int fd, int place)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);

	if (high == -1 || dup2(high, place) == -1)
		_exit(EXIT_NOT_RUN);
}

static _Noreturn void
child_exec(const struct pool *p, int job_fd, int result_fd, int messages_fd,
    char **argv, char **env)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int job = fcntl(job_fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	int result = fcntl(result_fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	int messages = fcntl(messages_fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	int input = p->input_fd == -1
	    ? -1
	    : fcntl(p->input_fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	sigset_t none;

	/* Without a terminal: Ctrl-C is for control alone. */
	setsid();
	child_place(null, STDIN_FILENO);
	child_place(null, STDOUT_FILENO);
	child_place(messages, STDERR_FILENO);
	child_place(job, WORKER_JOB_FD);
	child_place(result, WORKER_RESULT_FD);
	if (input != -1)
		child_place(input, WORKER_INPUT_FD);
	close_from(input != -1 ? WORKER_INPUT_FD + 1 : WORKER_INPUT_FD);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(p->program, argv, env);
	_exit(EXIT_NOT_FOUND);
}

static int
pool_fork(struct pool *p, struct worker_process *w, struct error *err)
{
	int job[2] = {-1, -1}, result[2] = {-1, -1}, messages[2] = {-1, -1};
	int rc = -1;
	char parent[32], **env = worker_environment(p->temporary), **e;
	char *argv[] = {(char[]){"batch_worker"}, parent, NULL};
	pid_t pid;

	snprintf(parent, sizeof(parent), "%ld", (long)getpid());
	if (pipe2(job, O_CLOEXEC) == -1 || pipe2(result, O_CLOEXEC) == -1 ||
	    pipe2(messages, O_CLOEXEC) == -1) {
		error_set(err, "pipes to a worker: %s", strerror(errno));
		goto out;
	}
	/* What is too much to be taken is lost: we may wait for its end. */
	fd_set_nonblock(messages[1]);
	pid = fork();
	if (pid == -1) {
		error_set(err, "fork of a worker: %s", strerror(errno));
		goto out;
	}
	if (pid == 0)
		child_exec(p, job[0], result[1], messages[1], argv, env);
	w->pid = pid;
	w->job_fd = job[1];
	w->result_fd = result[0];
	fd_set_nonblock(w->job_fd);
	fd_set_nonblock(w->result_fd);
	worker_log_open(&w->log, messages[0]);
	job[1] = result[0] = messages[0] = -1;
	rc = 0;
out:
	fd_close(&job[0]);
	fd_close(&job[1]);
	fd_close(&result[0]);
	fd_close(&result[1]);
	fd_close(&messages[0]);
	fd_close(&messages[1]);
	for (e = env; *e != NULL; e++)
		free(*e);
	free(env);
	return rc;
}

void
pool_trace(uint32_t i, const char *what, const char *fmt, ...)
{
	char worker[32], text[256];
	va_list ap;

	if (!log_has(LOG_INSIDE))
		return;
	snprintf(worker, sizeof(worker), "worker %u", i);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_event(LOG_INSIDE, worker, what, "%s", text);
}

int
pool_start(struct pool *p, uint32_t i, const struct msg_config *config,
    struct error *err)
{
	struct worker_process *w = &p->workers[i];

	memset(w, 0, sizeof(*w));
	w->job_fd = w->result_fd = -1;
	worker_log_open(&w->log, -1);
	/* What a session is encrypted with comes there (msg_sign.exchange). */
	buf_init_wiped(&w->in, 2u * FRAME_MAX);
	/* Bounded by its slots. Passwords leave there. */
	buf_init_wiped(&w->out, 64u << 20);
	if (pool_fork(p, w, err) == -1)
		return -1;
	pool_trace(i, "start", "process %ld", (long)w->pid);
	pool_send(p, i, FRAME_CONFIG, FRAME_NO_JOB, config);
	return 0;
}

void
pool_send(struct pool *p, uint32_t i, enum frame_type type, uint32_t job,
    const void *msg)
{
	struct worker_process *w = &p->workers[i];

	pool_trace(i, "frame", "%s to it, job %d", frame_name(type), (int)job);
	if (w->job_fd != -1 && !w->is_deaf)
		w->is_deaf = frame_write(&w->out, type, job, msg) == -1;
}

size_t
pool_poll(const struct pool *p, struct pollfd *fds)
{
	const struct worker_process *w;

	for (w = p->workers; w < p->workers + p->count; w++, fds += POOL_FDS) {
		fds[POOL_RESULTS].fd = w->pid != 0 ? w->result_fd : -1;
		fds[POOL_RESULTS].events = POLLIN;
		fds[POOL_JOBS].fd =
		    w->pid != 0 && buf_len(&w->out) > 0 ? w->job_fd : -1;
		fds[POOL_JOBS].events = POLLOUT;
		fds[POOL_LOG].fd = w->pid != 0 ? worker_log_fd(&w->log) : -1;
		fds[POOL_LOG].events = POLLIN;
	}
	return POOL_FDS * (size_t)p->count;
}

void
pool_write(struct pool *p, uint32_t i)
{
	struct worker_process *w = &p->workers[i];

	if (w->job_fd == -1 || fd_flush(w->job_fd, &w->out) == 0)
		return;
	/* It is dying; the end of its results will tell. */
	fd_close(&w->job_fd);
	buf_clear(&w->out);
}

int
pool_read(struct pool *p, uint32_t i)
{
	struct worker_process *w = &p->workers[i];
	ssize_t n;

	if (w->result_fd == -1)
		return -1;
	n = fd_fill(w->result_fd, &w->in, PIPE_READ_BYTES);
	if (n > 0)
		w->silent_ticks = 0;
	return n > 0 || (n == -1 && errno == EAGAIN) ? 0 : -1;
}

void
pool_read_log(struct pool *p, uint32_t i)
{
	worker_log_read(&p->workers[i].log, i, &p->lines_told);
}

int
pool_wait(const struct pool *p, uint32_t i, uint64_t until_ms)
{
	struct pollfd fd = {.fd = p->workers[i].result_fd, .events = POLLIN};
	uint64_t now_ms = clock_now_ms();

	if (p->workers[i].pid == 0 || now_ms >= until_ms)
		return -1;
	return poll(&fd, 1, (int)(until_ms - now_ms)) == 1 ? 0 : -1;
}

/*
 * What was killed ends at once, unless the kernel keeps it: with a file on a
 * server that does not answer, say. Then init will have it.
 */
static void
wait_for_end(struct worker_process *w, uint64_t until_ms)
{
	const struct timespec moment = {0, 200000};

	while (waitpid(w->pid, &w->exit_status, WNOHANG) == 0 &&
	    clock_now_ms() < until_ms) {
		w->exit_status = SIGKILL;
		nanosleep(&moment, NULL);
	}
}

static void
reap_until(struct pool *p, uint32_t i, uint64_t until_ms)
{
	struct worker_process *w = &p->workers[i];

	if (w->pid == 0)
		return;
	fd_close(&w->job_fd);
	fd_close(&w->result_fd);
	kill(w->pid, SIGKILL);
	kill(-w->pid, SIGKILL); /* it leads a session of its own */
	wait_for_end(w, until_ms);
	pool_trace(i, "end", "process %ld", (long)w->pid);
	worker_log_close(&w->log, i, &p->lines_told);
	w->pid = 0;
	buf_clear(&w->in);
	buf_clear(&w->out);
}

void
pool_reap(struct pool *p, uint32_t i)
{
	reap_until(p, i, clock_now_ms() + END_MS);
}

void
pool_close(struct pool *p)
{
	uint64_t until_ms = clock_now_ms() + END_MS;
	struct worker_process *w;
	uint32_t i;

	for (i = 0; i < p->count; i++) {
		if (p->workers[i].pid != 0)
			fd_close(&p->workers[i].job_fd);
	}
	for (i = 0; i < p->count; i++) {
		w = &p->workers[i];
		while (pool_wait(p, i, until_ms) == 0 && pool_read(p, i) == 0)
			buf_consume(&w->in, buf_len(&w->in));
		reap_until(p, i, until_ms + END_MS);
	}
	fd_temporary_dir_remove(p->temporary);
	p->temporary = NULL;
}

void
pool_signal(const struct pool *p, int number)
{
	uint32_t i;

	for (i = 0; i < p->count; i++) {
		if (p->workers[i].pid != 0)
			kill(p->workers[i].pid, number);
	}
}

uint32_t
pool_workers(const struct pool *p)
{
	uint32_t i, count = 0;

	for (i = 0; i < p->count; i++)
		count += p->workers[i].pid != 0;
	return count;
}

void
pool_clear(struct pool *p)
{
	pool_signal(p, SIGKILL);
	pool_close(p);
	free(p->workers);
	free(p->program);
	memset(p, 0, sizeof(*p));
}
