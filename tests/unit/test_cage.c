/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cage: what a worker of each task can do, and what becomes of it if not. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "target_world.h"
#include "util/fdio.h"
#include "worker/cage.h"
#include "worker/cage_names.h"

/* More than a worker with that many sessions may have, or a machine has. */
#define SLOTS	   4
#define HUGE_BYTES ((size_t)1 << 40)
#define SAID_SIZE  256

/* Set by main(), for the processes that are forked. */
static struct world *world;
static pid_t tester;
static char missing[SAID_SIZE];

/* What became of a process in the cage. */
struct ending {
	int status;
	char said[SAID_SIZE]; /* to its stderr */
};

static const struct msg_config exec_config = {
    .task = TASK_EXEC, .slots = SLOTS, .has_sandbox = 1};
/* By the limits of its sessions it could have more than HUGE_BYTES. */
static const struct msg_config many_config = {
    .task = TASK_EXEC, .slots = 1u << 16, .has_sandbox = 1};
static const struct msg_config put_config = {.task = TASK_PUT,
    .slots = SLOTS,
    .local = {(const uint8_t *)"tree\0single", sizeof("tree\0single")},
    .has_sandbox = 1};
static const struct msg_config get_config = {.task = TASK_GET,
    .slots = SLOTS,
    .local = {(const uint8_t *)"base", sizeof("base")},
    .has_sandbox = 1};
static const struct msg_config mode_config = {.task = TASK_GET,
    .slots = SLOTS,
    .file_mode = 04755,
    .local = {(const uint8_t *)"base", sizeof("base")},
    .has_sandbox = 1};
static const struct msg_config dry_config = {.task = TASK_GET,
    .slots = SLOTS,
    .transfer_flags = TRANSFER_DRY_RUN,
    .local = {(const uint8_t *)"base", sizeof("base")},
    .has_sandbox = 1};
static const struct msg_config open_config = {
    .task = TASK_EXEC, .slots = SLOTS};

/* In a process of its own: enter the cage, then act, which returns an errno. */
static struct ending
caged(const struct msg_config *config, int (*act)(void))
{
	struct ending ending = {.said = ""};
	char lacking[SAID_SIZE];
	ssize_t n;
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid != -1);
	if (pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		cage_harden();
		cage_enter(config, lacking, sizeof(lacking));
		_exit(act());
	}
	close(fds[1]);
	n = read(fds[0], ending.said, sizeof(ending.said) - 1);
	ending.said[n > 0 ? n : 0] = '\0';
	assert_int_equal(waitpid(pid, &ending.status, 0), pid);
	close(fds[0]);
	return ending;
}

/* 0, or the errno that goes with -1. */
static int
result(long rc)
{
	return rc == -1 ? errno : 0;
}

/* --- what is tried ------------------------------------------------------- */

static int
read_passwd(void)
{
	return result(open("/etc/passwd", O_RDONLY));
}

static int
read_root(void)
{
	return result(open("/", O_RDONLY | O_DIRECTORY));
}

static int
read_hosts(void)
{
	return result(open("/etc/hosts", O_RDONLY));
}

static int
write_null(void)
{
	return result(open("/dev/null", O_WRONLY));
}

static int
make_file(void)
{
	return result(open("made", O_RDONLY | O_CREAT, 0600));
}

static int
unlink_file(void)
{
	return result(unlink("single"));
}

static int
execute(void)
{
	return result(execl("/bin/true", "true", (char *)NULL));
}

static void *
execute_on_thread(void *arg)
{
	(void)arg;
	execute();
	return NULL;
}

/* The others must not be left waiting. */
static int
execute_beside(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, execute_on_thread, NULL) != 0)
		return EAGAIN;
	return pthread_join(thread, NULL);
}

static int
start_process(void)
{
	/*
	 * Not by fork(3): that of glibc 2.41 blocks signals around the call,
	 * and a blocked SIGSYS kills before anything is said.
	 */
	pid_t pid = (pid_t)syscall(SYS_clone, (long)SIGCHLD, 0L, 0L, 0L, 0L);

	if (pid == 0)
		_exit(0);
	return result(pid);
}

static int
leave_namespace(void)
{
	return result(unshare(CLONE_NEWUSER));
}

static int
signal_tester(void)
{
	return result(kill(tester, SIGCONT));
}

static int
signal_tester_thread(void)
{
	return result(syscall(SYS_tgkill, tester, tester, SIGCONT));
}

static int
trace(void)
{
	return result(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int
read_memory(void)
{
	char byte;
	struct iovec here = {&byte, 1}, there = {&tester, 1};

	return result(process_vm_readv(tester, &here, 1, &there, 1, 0));
}

static int
be_dumpable(void)
{
	return result(prctl(PR_SET_DUMPABLE, 1));
}

static int
take_more(void)
{
	const struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	return result(setrlimit(RLIMIT_AS, &limit));
}

static int
handle_violations(void)
{
	return signal(SIGSYS, SIG_IGN) == SIG_ERR ? errno : 0;
}

static int
type_for_user(void)
{
	return result(ioctl(STDIN_FILENO, TIOCSTI, "x"));
}

static int
make_executable(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return result(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int
map_executable(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? errno : 0;
}

static int
map_huge(void)
{
	void *p = mmap(NULL, HUGE_BYTES, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? errno : 0;
}

static int
see_packets(void)
{
	return result(socket(AF_PACKET, SOCK_DGRAM, 0));
}

static int
send_raw(void)
{
	return result(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}

static int
set_filters(void)
{
	return result(socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER));
}

static int
change_protocol(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return result(setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", 3));
}

static int
join_group(void)
{
	struct ip_mreq group = {.imr_multiaddr.s_addr = htonl(0xe0000001)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	return result(setsockopt(
	    fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)));
}

static int
filter_packets(void)
{
	struct sock_filter drop = {0};
	struct sock_fprog program = {1, &drop};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	return result(setsockopt(
	    fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)));
}

static int
bind_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return result(bind(fd, (struct sockaddr *)&address, sizeof(address)));
}

static int
listen_for(void)
{
	return result(listen(socket(AF_INET, SOCK_STREAM, 0), 1));
}

static int
set_up_ring(void)
{
#ifdef SYS_io_uring_setup
	return result(syscall(SYS_io_uring_setup, 1, NULL));
#else
	return ENOSYS;
#endif
}

static int
ask_service(void)
{
	return result(socket(AF_UNIX, SOCK_STREAM, 0));
}

/* As libcap does when it is loaded. */
static int
ask_for_capabilities(void)
{
	return result(prctl(PR_CAPBSET_READ, 0));
}

/* Of no system yet. */
static int
make_new_call(void)
{
	return result(syscall(511));
}

static int
make_high_call(void)
{
	return result(syscall(100000));
}

static int
look_up(void)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *addresses;

	return getaddrinfo("localhost", "22", &hints, &addresses) == 0 ? 0 : 1;
}

static void *
look_up_on_thread(void *arg)
{
	int *rc = arg;

	*rc = look_up();
	return NULL;
}

static int
look_up_beside(void)
{
	pthread_t thread;
	int rc = 1;

	if (pthread_create(&thread, NULL, look_up_on_thread, &rc) != 0)
		return EAGAIN;
	pthread_join(thread, NULL);
	return rc;
}

static int
read_tree(void)
{
	return result(open("tree/sub/file", O_RDONLY | O_NOFOLLOW));
}

static int
read_single(void)
{
	return result(open("single", O_RDONLY | O_NOFOLLOW));
}

static int
read_outside(void)
{
	return result(open("outside/secret", O_RDONLY));
}

/* A link within the tree leads out of it. */
static int
read_through_link(void)
{
	return result(open("tree/link", O_RDONLY));
}

static int
judge_token(void)
{
	return run_token_state(world->token) == RUN_TOKEN_ALIVE &&
		run_token_state(world->dead) == RUN_TOKEN_DEAD
	    ? 0
	    : 1;
}

/* All that a get does here. */
static int
write_target(void)
{
	struct target *t = target_open("base", "host", &world->err);
	const struct timespec then = {.tv_sec = 1000000000};
	struct target_file *f;

	if (t == NULL || target_mkdir(t, "d", 0755, &world->err) != 1 ||
	    target_file_create(t, "d/f", world->token, 1, &f, &world->err) ==
		-1)
		return 1;
	if (pwrite(target_file_fd(f), "text", 4, 0) != 4 ||
	    ftruncate(target_file_fd(f), 3) == -1 ||
	    fsync(target_file_fd(f)) == -1 ||
	    target_file_commit(f, 0644, &then, NULL, &world->err) == -1)
		return 2;
	if (target_symlink(t, "d/l", "f", world->token, 2, "~", &world->err) ==
		-1 ||
	    target_dir_finish(t, "d", 0755, &then, &world->err) == -1 ||
	    target_clean(t, "d", NOW, &world->err) != 0)
		return 3;
	return 0;
}

static int
write_outside(void)
{
	return result(open("outside/new", O_WRONLY | O_CREAT, 0600));
}

static int
read_base(void)
{
	return result(open("base", O_RDONLY | O_DIRECTORY));
}

static int
write_base(void)
{
	return result(open("base/new", O_WRONLY | O_CREAT, 0600));
}

static int
finish_target(void)
{
	const struct timespec times[2] = {{1, 0}, {1, 0}};
	int fd = open("base/mine", O_WRONLY | O_CREAT, 0600);

	return result(fchmod(fd, 0775) == 0 ? futimens(fd, times) : -1);
}

static int
touch_outside(void)
{
	return result(utimensat(AT_FDCWD, "outside", NULL, 0));
}

static int
set_user_id(void)
{
	return result(
	    fchmod(open("base/mine", O_WRONLY | O_CREAT, 0600), 04755));
}

static int
open_to_all(void)
{
	return result(
	    fchmod(open("base/mine", O_WRONLY | O_CREAT, 0600), 0666));
}

static int
spill(void)
{
	struct error err;

	return fd_temporary(NULL, &err) != -1 ? 0 : 1;
}

/* --- what is expected ---------------------------------------------------- */

static const struct row {
	const char *comment;
	const struct msg_config *config;
	int (*act)(void);
	int error;	       /* what it returns */
	const char *violation; /* or the call that ends it; NULL: none */
} rows[] = {
    {"a file of /etc", &exec_config, read_passwd, EACCES},
    {"a directory", &exec_config, read_root, EACCES},
    {"a file of the resolver", &exec_config, read_hosts},
    {"names", &exec_config, look_up},
    {"names, on a thread", &exec_config, look_up_beside},
    {"memory without end", &exec_config, map_huge, ENOMEM},
    {"more memory than there is", &many_config, map_huge, ENOMEM},
    {"a ring for system calls", &exec_config, set_up_ring, ENOSYS},
    {"to write", &exec_config, write_null, 0, "openat"},
    {"to make a file", &exec_config, make_file, 0, "openat"},
    {"a program", &exec_config, execute, 0, "execve"},
    {"a program, on a thread", &exec_config, execute_beside, 0, "execve"},
    {"a process", &exec_config, start_process, 0, "clone"},
    {"a namespace", &exec_config, leave_namespace, 0, "unshare"},
    {"a signal", &exec_config, signal_tester, 0, "kill"},
    {"a signal to a thread", &exec_config, signal_tester_thread, 0, "tgkill"},
    {"to be traced", &exec_config, trace, 0, "ptrace"},
    {"another's memory", &exec_config, read_memory, 0, "process_vm_readv"},
    {"to dump core", &exec_config, be_dumpable, 0, "prctl"},
    {"a higher limit", &exec_config, take_more, 0, "prlimit64"},
    {"a handler", &exec_config, handle_violations, 0, "rt_sigaction"},
    {"a terminal's input", &exec_config, type_for_user, 0, "ioctl"},
    {"code in data", &exec_config, make_executable, 0, "mprotect"},
    {"code from nowhere", &exec_config, map_executable, 0, "mmap"},
    {"others' packets", &exec_config, see_packets, 0, "socket"},
    {"packets of its own", &exec_config, send_raw, 0, "socket"},
    {"packet filters", &exec_config, set_filters, 0, "socket"},
    {"a protocol within TCP", &exec_config, change_protocol, 0, "setsockopt"},
    {"a group of receivers", &exec_config, join_group, 0, "setsockopt"},
    {"a filter of packets", &exec_config, filter_packets, 0, "setsockopt"},
    {"a port", &exec_config, bind_port, 0, "bind"},
    {"connections", &exec_config, listen_for, 0, "listen"},
    {"what a library asks", &exec_config, ask_for_capabilities},
    {"a new call", &exec_config, make_new_call, 0, "number 511"},
    {"a call of none", &exec_config, make_high_call, 0, "of a high number"},
    {"put: its tree", &put_config, read_tree},
    {"put: its file", &put_config, read_single},
    {"put: another file", &put_config, read_outside, EACCES},
    {"put: a link out of the tree", &put_config, read_through_link, EACCES},
    {"put: a file of /etc", &put_config, read_passwd, EACCES},
    {"put: tokens", &put_config, judge_token},
    {"put: names", &put_config, look_up},
    {"put: to write", &put_config, write_null, 0, "openat"},
    {"put: to remove", &put_config, unlink_file, 0, "unlink"},
    {"put: a signal", &put_config, signal_tester, 0, "kill"},
    {"put: a program", &put_config, execute, 0, "execve"},
    {"get: its directory", &get_config, write_target},
    {"get: elsewhere", &get_config, write_outside, EACCES},
    {"get: another file", &get_config, read_outside, EACCES},
    {"get: to remove another", &get_config, unlink_file, EACCES},
    {"get: modes and times", &get_config, finish_target},
    {"get: the time of another", &get_config, touch_outside, 0, "utimensat"},
    {"get: another's rights", &get_config, set_user_id, 0, "fchmod"},
    {"get: these, with -mode", &mode_config, set_user_id},
    {"get: rights for all", &get_config, open_to_all, 0, "fchmod"},
    {"get: a signal", &get_config, signal_tester, 0, "kill"},
    {"get: long lists", &get_config, spill},
    {"get: tokens", &get_config, judge_token},
    {"get: names", &get_config, look_up},
    {"get: a program", &get_config, execute, 0, "execve"},
    {"get: a process", &get_config, start_process, 0, "clone"},
    {"dry run: to write", &dry_config, write_base, EACCES},
    {"dry run: its directory", &dry_config, read_base},
    {"without a sandbox: a file of /etc", &open_config, read_passwd},
    {"without a sandbox: memory", &open_config, map_huge},
    {"without a sandbox: a process", &open_config, start_process},
};

/* Whether it takes what this system or this build does not have. */
static bool
is_missing(const struct row *row)
{
	if (row->violation != NULL || row->error == ENOSYS)
		return strstr(missing, "seccomp") != NULL;
	return row->error == EACCES && strstr(missing, "Landlock") != NULL;
}

static void
check(const struct row *row)
{
	struct ending ending = caged(row->config, row->act);
	char said[SAID_SIZE] = "";

	if (row->violation != NULL)
		snprintf(said, sizeof(said),
		    "forbidden system call %s: an attack, or a case for "
		    "-sandbox off\n",
		    row->violation);
	if (row->violation != NULL ? !WIFSIGNALED(ending.status) ||
		    WTERMSIG(ending.status) != SIGSYS
				   : !WIFEXITED(ending.status) ||
		    WEXITSTATUS(ending.status) != row->error)
		fail_msg("%s: status 0x%x, said \"%s\"", row->comment,
		    (unsigned)ending.status, ending.said);
	if (strcmp(ending.said, said) != 0)
		fail_msg("%s: said \"%s\"", row->comment, ending.said);
}

static void
test_rows(void **state)
{
	const struct row *row;
	char temporary[128];

	world = *state;
	if (strstr(missing, "sanitizer") != NULL)
		skip();
	/* A get can write there, too, so it must not hold the others. */
	snprintf(temporary, sizeof(temporary), "%s/tmp", world->top);
	assert_int_equal(setenv("TMPDIR", temporary, 1), 0);
	assert_int_equal(mkdir("tmp", 0700), 0);
	assert_int_equal(mkdir("tree", 0755), 0);
	assert_int_equal(mkdir("tree/sub", 0755), 0);
	put_text("tree/sub/file", "x");
	put_text("single", "x");
	assert_int_equal(symlink("../outside/secret", "tree/link"), 0);
	for (row = rows; row < rows + COUNT(rows); row++) {
		if (is_missing(row))
			print_message("left out: %s\n", row->comment);
		else
			check(row);
		/* For the next one. */
		if (row->act == write_target && row->error == 0)
			remove_tree("base/host/d");
	}
	assert_text("single", "x");
	assert_false(has_temps());
}

static void
test_services(void **state)
{
	const int error = cage_names_need_socket(CAGE_NAMES_FILE) ? 0 : EACCES;
	struct ending ending;

	(void)state;
	if (strstr(missing, "seccomp") != NULL ||
	    strstr(missing, "sanitizer") != NULL)
		skip();
	ending = caged(&exec_config, ask_service);
	assert_true(WIFEXITED(ending.status));
	assert_int_equal(WEXITSTATUS(ending.status), error);
}

static void
test_names(void **state)
{
	static const struct {
		const char *comment, *text;
		bool needs_socket;
	} rows_of_names[] = {
	    {"nothing", "", false},
	    {"Debian", "passwd: files systemd\nhosts:\tfiles dns\n", false},
	    {"its own name", "hosts: files myhostname dns", false},
	    {"resolved", "hosts: resolve [!UNAVAIL=return] files dns\n", true},
	    {"behind others", "hosts: files dns mymachines\n", true},
	    {"multicast", " hosts:files mdns4_minimal [NOTFOUND=return] dns",
		true},
	    {"what to do",
		"hosts: files [NOTFOUND=continue SUCCESS=return] dns", false},
	    {"no end of it", "hosts: files [NOTFOUND=return", false},
	    {"a comment", "hosts: files dns # not sss\n#hosts: sss\n", false},
	    {"another database", "passwd: sss\nhosts: files\n", false},
	};
	size_t i;

	(void)state;
	assert_false(cage_names_need_socket("nsswitch"));
	for (i = 0; i < COUNT(rows_of_names); i++) {
		put_text("nsswitch", rows_of_names[i].text);
		if (cage_names_need_socket("nsswitch") !=
		    rows_of_names[i].needs_socket)
			fail_msg("%s", rows_of_names[i].comment);
	}
}

static int
say_what_is_missing(void)
{
	char lacking[SAID_SIZE];

	cage_enter(&exec_config, lacking, sizeof(lacking));
	return write(STDERR_FILENO, lacking, strlen(lacking)) == -1;
}

/* Always, with a sandbox or without. */
static int
is_hardened(void)
{
	struct rlimit core;

	return prctl(PR_GET_DUMPABLE) == 0 &&
		prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 &&
		getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0
	    ? 0
	    : 1;
}

static void
test_hardened(void **state)
{
	(void)state;
	assert_int_equal(caged(&open_config, is_hardened).status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(test_rows),
	    WORLD_TEST(test_names),
	    cmocka_unit_test(test_services),
	    cmocka_unit_test(test_hardened),
	};
	struct ending ending;

	tester = getpid();
	ending = caged(&open_config, say_what_is_missing);
	snprintf(missing, sizeof(missing), "%s", ending.said);
	if (missing[0] != '\0')
		print_message("missing: %s\n", missing);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
