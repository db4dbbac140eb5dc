/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A command runs in a session of its own, so that all of it can be killed; it
 * dies with us (PR_SET_PDEATHSIG). exec-lies changes the first hexadecimal
 * digit of each line of the output: a checksum that is wrong and looks right.
 */
#include "config.h"

#include "simhost_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/fdio.h"
#include "util/log.h"
#include "util/xalloc.h"

#define OUT_HIGH   (256u << 10)
#define READ_BYTES (64u << 10)

static _Noreturn void
child(const struct host *host, const char *command, int in, int out)
{
	sigset_t none;
	int null_fd = open("/dev/null", O_WRONLY);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(in, STDIN_FILENO) == -1 || dup2(out, STDOUT_FILENO) == -1 ||
	    dup2(null_fd, STDERR_FILENO) == -1 || chdir(host->root) == -1)
		_exit(126);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

static void
wake(void *arg, uint32_t events)
{
	struct exec *e = arg;

	(void)events;
	/* Once is enough; exec_pump() asks again. */
	if (e->stdin_fd != -1)
		loop_watch(e->loop, e->stdin_fd, &e->stdin_watch, 0);
	if (e->stdout_fd != -1)
		loop_watch(e->loop, e->stdout_fd, &e->stdout_watch, 0);
	loop_wake(e->loop, e->task);
}

/*
 * Until the child has its own descriptors only: a socket that we close is not
 * gone, nor out of epoll, as long as the child has it too.
 */
static void
wait_for_exec(int started[2])
{
	char c;

	close(started[1]);
	while (read(started[0], &c, 1) == -1 && errno == EINTR)
		;
	close(started[0]);
}

struct exec *
exec_start(struct loop *l, struct exec_list *list, const struct host *host,
    const char *command, struct buf *in, struct buf *out, struct task *task)
{
	struct exec *e = xcalloc(1, sizeof(*e));
	int in_pipe[2], out_pipe[2], started[2];

	if (pipe2(in_pipe, O_CLOEXEC) == -1 ||
	    pipe2(out_pipe, O_CLOEXEC) == -1 || pipe2(started, O_CLOEXEC) == -1)
		fatal("pipe2: %s", strerror(errno));
	e->pid = fork();
	if (e->pid == -1)
		fatal("fork: %s", strerror(errno));
	if (e->pid == 0)
		child(host, command, in_pipe[0], out_pipe[1]);
	wait_for_exec(started);
	close(in_pipe[0]);
	close(out_pipe[1]);
	e->loop = l;
	e->task = task;
	e->in = in;
	e->out = out;
	e->stdin_fd = in_pipe[1];
	e->stdout_fd = out_pipe[0];
	e->is_liar = host_has(host, B_EXEC_LIES);
	e->is_line_start = true;
	fd_set_nonblock(e->stdin_fd);
	fd_set_nonblock(e->stdout_fd);
	e->stdin_watch = (struct watch){.fn = wake, .arg = e};
	e->stdout_watch = (struct watch){.fn = wake, .arg = e};
	loop_watch(l, e->stdout_fd, &e->stdout_watch, EPOLLIN);
	LIST_INSERT_HEAD(list, e, entry);
	return e;
}

static void
close_pipe(struct exec *e, int *fd, struct watch *w)
{
	if (*fd == -1)
		return;
	loop_unwatch(e->loop, *fd, w);
	fd_close(fd);
}

static void
lie(struct exec *e, uint8_t *data, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < len; i++) {
		if (e->is_line_start && data[i] != '\0' &&
		    strchr(hex, data[i]) != NULL) {
			data[i] = data[i] == '0' ? '1' : '0';
			e->is_line_start = false;
		}
		if (data[i] == '\n')
			e->is_line_start = true;
	}
}

void
exec_pump(struct exec *e, bool eof)
{
	size_t before;
	ssize_t n;

	if (e->stdin_fd != -1) {
		if (fd_flush(e->stdin_fd, e->in) == -1 ||
		    (eof && buf_len(e->in) == 0))
			close_pipe(e, &e->stdin_fd, &e->stdin_watch);
		else
			loop_watch(e->loop, e->stdin_fd, &e->stdin_watch,
			    buf_len(e->in) > 0 ? EPOLLOUT : 0);
	}
	if (e->stdin_fd == -1)
		buf_consume(e->in, buf_len(e->in));
	if (e->stdout_fd == -1)
		return;
	while (buf_len(e->out) < OUT_HIGH) {
		before = buf_len(e->out);
		n = fd_fill(e->stdout_fd, e->out, READ_BYTES);
		if (n > 0 && e->is_liar)
			lie(e, buf_head(e->out) + before, (size_t)n);
		if (n == 0 || (n == -1 && errno != EAGAIN)) {
			close_pipe(e, &e->stdout_fd, &e->stdout_watch);
			return;
		}
		if (n == -1)
			break;
	}
	loop_watch(e->loop, e->stdout_fd, &e->stdout_watch,
	    buf_len(e->out) < OUT_HIGH ? EPOLLIN : 0);
}

bool
exec_is_done(const struct exec *e)
{
	return e->has_exited && e->stdout_fd == -1;
}

void
exec_free(struct exec *e)
{
	if (e == NULL)
		return;
	close_pipe(e, &e->stdin_fd, &e->stdin_watch);
	close_pipe(e, &e->stdout_fd, &e->stdout_watch);
	/*
	 * What is left of its session has its pid, which is ours until we
	 * reap; before setsid() there is only it.
	 */
	kill(-e->pid, SIGKILL);
	kill(e->pid, SIGKILL);
	waitpid(e->pid, NULL, 0);
	LIST_REMOVE(e, entry);
	loop_free_later(e->loop, e);
}

void
exec_look(struct exec_list *list)
{
	struct exec *e;
	siginfo_t info;

	LIST_FOREACH(e, list, entry)
	{
		info.si_pid = 0;
		if (e->has_exited ||
		    waitid(P_PID, (id_t)e->pid, &info,
			WEXITED | WNOHANG | WNOWAIT) == -1 ||
		    info.si_pid != e->pid)
			continue;
		e->has_exited = true;
		e->exit_status = info.si_code == CLD_EXITED
		    ? info.si_status
		    : 128 + info.si_status;
		loop_wake(e->loop, e->task);
	}
}
