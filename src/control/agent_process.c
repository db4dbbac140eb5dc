/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The private agent is for encrypted key files: ssh-add knows how to ask for
 * a passphrase and ssh-agent how to keep a key, so neither passes through our
 * memory. The agent's socket stands in a new directory that only we can
 * enter, and is unlinked before the first connection to a host; what remains
 * is a nameless connection.
 *
 * Nothing may stay behind, whatever happens:
 *
 * - The agent dies with us by PR_SET_PDEATHSIG. ssh-agent is often installed
 *   set-group-ID, and executing such a program would clear that setting; with
 *   PR_SET_NO_NEW_PRIVS the bit is ignored. The agent does not need it: it
 *   keeps others from tracing it by PR_SET_DUMPABLE too.
 * - While the directory exists, the signals that usually end a program are
 *   blocked, and delivered after it was removed. ssh-add takes Ctrl-C at its
 *   prompt by itself, and is ended if one of them waits for us.
 * - The agent is in a session of its own: Ctrl-C and a hang-up of the terminal
 *   do not reach it, it lives as long as we need signatures.
 */
#include "config.h"

#include "control/agent_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util/exit_status.h"
#include "util/fdio.h"
#include "util/xalloc.h"

#define WAIT_MS 10

struct agent_process {
	pid_t pid;    /* 0: not running */
	char *dir;    /* NULL: sealed */
	char *socket; /* in dir */
	sigset_t old_mask;
};

static const int held_signals[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};
#define HELD_COUNT (sizeof(held_signals) / sizeof(held_signals[0]))

static void
hold_signals(sigset_t *old_mask)
{
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < HELD_COUNT; i++)
		sigaddset(&set, held_signals[i]);
	sigprocmask(SIG_BLOCK, &set, old_mask);
}

/* Does one of them wait to be delivered? */
static bool
is_interrupted(void)
{
	sigset_t set;
	size_t i;

	if (sigpending(&set) == -1)
		return false;
	for (i = 0; i < HELD_COUNT; i++) {
		if (sigismember(&set, held_signals[i]) == 1)
			return true;
	}
	return false;
}

/*
 * In the child
 */

static void
reset_signals(void)
{
	sigset_t none;
	size_t i;

	for (i = 0; i < HELD_COUNT; i++)
		signal(held_signals[i], SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void
run(char *const argv[])
{
	execvp(argv[0], argv);
	_exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUN);
}

static _Noreturn void
run_agent(pid_t parent, char *socket_path)
{
	char name[] = "ssh-agent", foreground[] = "-D", at[] = "-a";
	char *argv[] = {name, foreground, at, socket_path, NULL};
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null_fd == -1 || dup2(null_fd, STDIN_FILENO) == -1 ||
	    dup2(null_fd, STDOUT_FILENO) == -1 ||
	    dup2(null_fd, STDERR_FILENO) == -1 || setsid() == -1 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
		_exit(EXIT_NOT_RUN);
	/* We may have been orphaned before the prctl(). */
	if (getppid() != parent)
		_exit(EXIT_NOT_RUN);
	reset_signals();
	run(argv);
}

/* Without a terminal ssh-add reads "no passphrase" from /dev/null. */
static _Noreturn void
run_add(const char *socket_path, char *key_path, int tty)
{
	char name[] = "ssh-add", quiet[] = "-q", plain[] = "-k", end[] = "--";
	char *argv[] = {name, quiet, plain, end, key_path, NULL};

	if (tty == -1)
		tty = open("/dev/null", O_RDONLY | O_CLOEXEC);
	/* stdout is for the hosts' output. */
	if (tty == -1 || dup2(tty, STDIN_FILENO) == -1 ||
	    dup2(STDERR_FILENO, STDOUT_FILENO) == -1 ||
	    setenv("SSH_AUTH_SOCK", socket_path, 1) == -1 ||
	    prctl(PR_SET_PDEATHSIG, SIGTERM) == -1)
		_exit(EXIT_NOT_RUN);
	reset_signals();
	run(argv);
}

/*
 * In the parent
 */

/* Make the directory in base. Returns 0, or -1 with err. */
static int
make_dir(struct agent_process *p, const char *base, struct error *err)
{
	struct sockaddr_un addr;

	p->dir = xasprintf("%s/batch_run.XXXXXX", base);
	p->socket = NULL;
	if (strlen(p->dir) + strlen("/agent") >= sizeof(addr.sun_path))
		error_set(err, "%s: path too long for a socket", base);
	else if (mkdtemp(p->dir) == NULL)
		error_set(err, "%s: %s", p->dir, strerror(errno));
	else {
		p->socket = xasprintf("%s/agent", p->dir);
		return 0;
	}
	free(p->dir);
	p->dir = NULL;
	return -1;
}

static int
make_dir_somewhere(struct agent_process *p, struct error *err)
{
	const char *bases[] = {
	    getenv("XDG_RUNTIME_DIR"), getenv("TMPDIR"), "/tmp"};
	size_t i;

	for (i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		if (bases[i] != NULL && bases[i][0] == '/' &&
		    make_dir(p, bases[i], err) == 0)
			return 0;
	}
	return -1;
}

struct agent_process *
agent_process_start(struct error *err)
{
	struct agent_process *p = xcalloc(1, sizeof(*p));
	pid_t parent = getpid();

	hold_signals(&p->old_mask);
	if (make_dir_somewhere(p, err) == -1) {
		sigprocmask(SIG_SETMASK, &p->old_mask, NULL);
		free(p);
		return NULL;
	}
	p->pid = fork();
	if (p->pid == 0)
		run_agent(parent, p->socket);
	if (p->pid == -1) {
		error_set(err, "fork: %s", strerror(errno));
		p->pid = 0;
		agent_process_stop(p);
		return NULL;
	}
	return p;
}

const char *
agent_process_socket(const struct agent_process *p)
{
	return p->socket;
}

static int
failed_to_run(const char *program, int status, struct error *err)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NOT_FOUND)
		return error_set(err,
		    "%s: not found (is OpenSSH's client "
		    "installed?)",
		    program);
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NOT_RUN)
		return error_set(err, "%s: cannot be run", program);
	if (WIFSIGNALED(status))
		return error_set(
		    err, "%s: killed by signal %d", program, WTERMSIG(status));
	return error_set(
	    err, "%s: exit status %d", program, WEXITSTATUS(status));
}

int
agent_process_check(struct agent_process *p, struct error *err)
{
	int status;

	if (is_interrupted())
		return error_set(err, "ssh-agent: interrupted");
	if (waitpid(p->pid, &status, WNOHANG) == 0)
		return 0;
	p->pid = 0;
	return failed_to_run("ssh-agent", status, err);
}

void
agent_process_seal(struct agent_process *p)
{
	if (p->dir == NULL)
		return;
	unlink(p->socket);
	rmdir(p->dir);
	free(p->socket);
	free(p->dir);
	p->socket = p->dir = NULL;
	sigprocmask(SIG_SETMASK, &p->old_mask, NULL);
}

static void
reap(pid_t pid, int *status)
{
	while (waitpid(pid, status, 0) == -1 && errno == EINTR)
		;
}

void
agent_process_stop(struct agent_process *p)
{
	int status;

	if (p == NULL)
		return;
	if (p->pid > 0) {
		kill(p->pid, SIGKILL);
		reap(p->pid, &status);
	}
	/* Last: it lets signals through that may end us. */
	agent_process_seal(p);
	free(p);
}

/*
 * Wait for ssh-add at its prompt; end it if we shall end. It is told again and
 * again: a signal just before its read(2) would be noted only, and the read not
 * end.
 */
static int
wait_for_add(pid_t pid)
{
	struct timespec ts = {0, WAIT_MS * 1000000};
	int status = 0;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (is_interrupted())
			kill(pid, SIGTERM);
		nanosleep(&ts, NULL);
	}
	return status;
}

int
agent_process_add(struct agent_process *p, const char *path, struct error *err)
{
	char *key_path;
	int tty, status;
	pid_t pid;

	if (is_interrupted())
		return error_set(err, "%s: interrupted", path);
	tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (tty == -1 && getenv("SSH_ASKPASS") == NULL)
		return error_set(err,
		    "%s: encrypted, and there is no terminal "
		    "to ask for its passphrase (ssh-add it to an agent before)",
		    path);
	key_path = xstrdup(path);
	pid = fork();
	if (pid == 0)
		run_add(p->socket, key_path, tty);
	free(key_path);
	fd_close(&tty);
	if (pid == -1)
		return error_set(err, "fork: %s", strerror(errno));
	status = wait_for_add(pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (is_interrupted())
		return error_set(err, "%s: interrupted", path);
	if (WIFEXITED(status) && WEXITSTATUS(status) < EXIT_NOT_RUN)
		return error_set(err,
		    "%s: not unlocked: no right passphrase "
		    "was given",
		    path);
	return failed_to_run("ssh-add", status, err);
}
