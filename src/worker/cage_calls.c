/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is here, is what libuv, libssh2, libcrypto, our own code, and above all
 * glibc's resolver with the modules of NSS do after the start. Arguments are
 * looked at where a call can do more than they need.
 *
 * What is not allowed is trapped, and not simply killed: then the handler says
 * which call it was, which a process's exit status does not tell, and a thread
 * cannot die alone and leave others waiting. The handler can't be replaced, as
 * rt_sigaction(2) is not allowed for SIGSYS, and if a thread blocks SIGSYS, the
 * kernel kills the process.
 *
 * Two calls answer ENOSYS, since there are others in their place: clone3(2),
 * whose arguments seccomp can't see, and io_uring_setup(2), by which anything
 * could be done without a system call.
 *
 * Sockets in the file system answer EACCES, where names can be resolved without
 * (cage_names.h): a user's ssh-agent and root's docker are behind such ones,
 * and neither seccomp nor Landlock tell one from the other. nscd(8) is then not
 * asked, and glibc looks for itself.
 */
#include "config.h"

#include "worker/cage_calls.h"

#ifndef HAVE_LIBSECCOMP

const char *
cage_calls_limit(const struct msg_config *config, bool may_ask)
{
	(void)config;
	(void)may_ask;
	return "built without libseccomp";
}

#else

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "util/log.h"
#include "util/xalloc.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { EXEC = 1 << TASK_EXEC, PUT = 1 << TASK_PUT, GET = 1 << TASK_GET };
#define TRANSFER (PUT | GET)
#define ALL	 (EXEC | TRANSFER)

/* Names that this architecture does not have are passed over. */
static const char *const calls_of_all[] = {
    /* memory */
    "brk", "madvise", "mremap", "munmap",
    /* threads and signals */
    "exit", "exit_group", "futex", "futex_time64", "getpid", "gettid",
    "restart_syscall", "rseq", "rt_sigprocmask", "rt_sigreturn",
    "sched_getaffinity", "sched_yield", "set_robust_list", "sigreturn",
    /* time, randomness */
    "clock_getres", "clock_getres_time64", "clock_gettime", "clock_gettime64",
    "clock_nanosleep", "clock_nanosleep_time64", "getrandom", "gettimeofday",
    "nanosleep", "time",
    /* waiting */
    "_newselect", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2",
    "epoll_wait", "eventfd2", "pipe2", "poll", "ppoll", "ppoll_time64",
    "pselect6", "pselect6_time64", "select",
    /* descriptors */
    "_llseek", "close", "fstat", "fstat64", "lseek", "pread64", "read", "readv",
    "write", "writev",
    /* files, of which Landlock says more */
    "access", "faccessat", "faccessat2", "fstatat64", "getcwd", "getdents64",
    "lstat", "lstat64", "newfstatat", "readlink", "readlinkat", "stat",
    "stat64", "statx",
    /* the network */
    "connect", "getpeername", "getsockname", "getsockopt", "recv", "recvfrom",
    "recvmmsg", "recvmmsg_time64", "recvmsg", "send", "sendmmsg", "sendmsg",
    "sendto", "shutdown",
    /* questions */
    "getegid", "getegid32", "geteuid", "geteuid32", "getgid", "getgid32",
    "getuid", "getuid32", "sysinfo", "uname"};
/* By path go the target itself and temporary files (util/dirs.h, fdio.h). */
static const char *const calls_of_get[] = {"flock", "fsync", "ftruncate",
    "ftruncate64", "linkat", "mkdir", "mkdirat", "open", "openat", "pwrite64",
    "renameat", "renameat2", "symlinkat", "unlink", "unlinkat"};

#define ARGS_MAX 3
struct call {
	unsigned tasks;
	const char *name;
	struct scmp_arg_cmp args[ARGS_MAX]; /* all of these must hold */
};

/* Of argument n, whose other bits may be any, the bits of mask are value. */
#define BITS(n, mask, value)                          \
	{                                             \
		.arg = (n), .op = SCMP_CMP_MASKED_EQ, \
		.datum_a = (scmp_datum_t)(mask),      \
		.datum_b = (scmp_datum_t)(value)      \
	}
#define NO_PATH(n)   BITS(n, UINT64_MAX, 0)
/* It is that int. */
#define IS(n, value) BITS(n, UINT32_MAX, value)

/* Those before the filters; some architectures have another order. */
#if SO_SNDBUF < SO_ATTACH_FILTER
#define PLAIN_OPTION(n)                                                    \
	{                                                                  \
		.arg = (n), .op = SCMP_CMP_LT, .datum_a = SO_ATTACH_FILTER \
	}
#else
#define PLAIN_OPTION(n) BITS(n, 0, 0)
#endif
#define OPEN_FLAGS  (O_ACCMODE | O_CREAT | O_TRUNC)
#define SOCKET_TYPE 0xf
#define NAMESPACES                                                     \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | \
	    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)
#ifdef __s390__
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif

static const struct call checked_calls[] = {
    {EXEC | PUT, "open", {BITS(1, OPEN_FLAGS, O_RDONLY)}},
    {EXEC | PUT, "openat", {BITS(2, OPEN_FLAGS, O_RDONLY)}},
    /* Landlock has no say in it. Of what is open, and not of any path. */
    {GET, "utimensat", {NO_PATH(1)}},
    {GET, "utimensat_time64", {NO_PATH(1)}},
    /* Nothing becomes executable but what is so in a file. */
    {ALL, "mmap", {BITS(2, PROT_EXEC, 0)}},
    {ALL, "mmap",
	{BITS(2, PROT_EXEC | PROT_WRITE, PROT_EXEC),
	    BITS(3, MAP_ANONYMOUS, 0)}},
    {ALL, "mmap2", {BITS(2, PROT_EXEC, 0)}},
    {ALL, "mmap2",
	{BITS(2, PROT_EXEC | PROT_WRITE, PROT_EXEC),
	    BITS(3, MAP_ANONYMOUS, 0)}},
    {ALL, "mprotect", {BITS(2, PROT_EXEC, 0)}},
    /* Threads, and no processes. */
    {ALL, "clone",
	{BITS(CLONE_FLAGS, CLONE_VM | CLONE_THREAD | NAMESPACES,
	    CLONE_VM | CLONE_THREAD)}},
    /* libcap asks when it is loaded, as it is with some modules of NSS. */
    {ALL, "prctl", {IS(0, PR_CAPBSET_READ)}},
    {ALL, "prctl", {IS(0, PR_GET_NAME)}},
    /* "Is it there?", for util/run_token.h. */
    {TRANSFER, "kill", {IS(1, 0)}},
    {ALL, "socket", {IS(0, AF_INET), BITS(1, SOCKET_TYPE, SOCK_STREAM)}},
    {ALL, "socket", {IS(0, AF_INET), BITS(1, SOCKET_TYPE, SOCK_DGRAM)}},
    {ALL, "socket", {IS(0, AF_INET6), BITS(1, SOCKET_TYPE, SOCK_STREAM)}},
    {ALL, "socket", {IS(0, AF_INET6), BITS(1, SOCKET_TYPE, SOCK_DGRAM)}},
    /* The resolver asks which addresses we have. */
    {ALL, "socket", {IS(0, AF_NETLINK), IS(2, NETLINK_ROUTE)}},
    /* No address of the internet is as short as that. */
    {ALL, "bind", {IS(2, sizeof(struct sockaddr_nl))}},
    /* No filters, other protocols within TCP or groups of receivers. */
    {ALL, "setsockopt", {IS(1, SOL_SOCKET), PLAIN_OPTION(2)}},
    {ALL, "setsockopt", {IS(1, SOL_NETLINK)}},
    {ALL, "setsockopt", {IS(1, IPPROTO_TCP), IS(2, TCP_NODELAY)}},
    {ALL, "setsockopt", {IS(1, IPPROTO_TCP), IS(2, TCP_KEEPIDLE)}},
    {ALL, "setsockopt", {IS(1, IPPROTO_TCP), IS(2, TCP_KEEPINTVL)}},
    {ALL, "setsockopt", {IS(1, IPPROTO_TCP), IS(2, TCP_KEEPCNT)}},
    {ALL, "setsockopt", {IS(1, IPPROTO_TCP), IS(2, TCP_USER_TIMEOUT)}},
    {ALL, "setsockopt", {IS(1, IPPROTO_IP), IS(2, IP_RECVERR)}},
    {ALL, "setsockopt", {IS(1, IPPROTO_IP), IS(2, IP_MTU_DISCOVER)}},
    {ALL, "setsockopt", {IS(1, IPPROTO_IPV6), IS(2, IPV6_RECVERR)}},
    {ALL, "setsockopt", {IS(1, IPPROTO_IPV6), IS(2, IPV6_MTU_DISCOVER)}},
    {ALL, "setsockopt", {IS(1, IPPROTO_IPV6), IS(2, IPV6_V6ONLY)}},
    {ALL, "ioctl", {IS(1, FIONBIO)}},
    {ALL, "ioctl", {IS(1, FIONREAD)}},
    {ALL, "ioctl", {IS(1, SIOCGIFINDEX)}},
    {ALL, "ioctl", {IS(1, SIOCGIFNAME)}},
    {ALL, "ioctl", {IS(1, TCGETS)}},
    {ALL, "fcntl", {IS(1, F_DUPFD)}},
    {ALL, "fcntl", {IS(1, F_DUPFD_CLOEXEC)}},
    {ALL, "fcntl", {IS(1, F_GETFD)}},
    {ALL, "fcntl", {IS(1, F_GETFL)}},
    {ALL, "fcntl", {IS(1, F_SETFD)}},
    {ALL, "fcntl", {IS(1, F_SETFL)}},
    {ALL, "fcntl64", {IS(1, F_DUPFD)}},
    {ALL, "fcntl64", {IS(1, F_DUPFD_CLOEXEC)}},
    {ALL, "fcntl64", {IS(1, F_GETFD)}},
    {ALL, "fcntl64", {IS(1, F_GETFL)}},
    {ALL, "fcntl64", {IS(1, F_SETFD)}},
    {ALL, "fcntl64", {IS(1, F_SETFL)}},
    /* To be told a limit, not to set one. */
    {ALL, "prlimit64", {IS(0, 0), BITS(2, UINT64_MAX, 0)}},
    /* glibc's own two, for threads. */
    {ALL, "rt_sigaction", {IS(0, __SIGRTMIN)}},
    {ALL, "rt_sigaction", {IS(0, __SIGRTMIN + 1)}},
    /* Some modules of NSS ignore SIGPIPE meanwhile. */
    {ALL, "rt_sigaction", {{.arg = 0, .op = SCMP_CMP_LT, .datum_a = SIGSYS}}},
};

/* --- what happens if another one is made --------------------------------- */

#define NAMES_MAX 512

/* Filled once: a signal handler gets no argument of ours. */
static const char *call_names[NAMES_MAX];

/* libseccomp may be older than the call. The memory is kept. */
static void
names_fill(void)
{
	int i;

	for (i = 0; i < NAMES_MAX; i++) {
		call_names[i] =
		    seccomp_syscall_resolve_num_arch(seccomp_arch_native(), i);
		if (call_names[i] == NULL)
			call_names[i] = xasprintf("number %d", i);
	}
}

static struct iovec
part(const char *text)
{
	struct iovec part = {.iov_len = strlen(text)};

	memcpy(&part.iov_base, &text, sizeof(text));
	return part;
}

/* Whatever a lock is held for, so nothing is allocated or formatted here. */
static void
forbidden(int signo, siginfo_t *info, void *context)
{
	const char *name = "of a high number";
	struct iovec line[3];
	int number = info->si_syscall;

	(void)context;
	if (number >= 0 && number < NAMES_MAX)
		name = call_names[number];
	line[0] = part("forbidden system call ");
	line[1] = part(name);
	line[2] = part(": an attack, or a case for -sandbox off\n");
	/* The default action by now: it ends us when we return. */
	if (writev(STDERR_FILENO, line, COUNT(line)) == -1)
		raise(signo);
	raise(signo);
}

/* libseccomp does not look at all that malloc(3) gives it. */
static void
crashed(int signo)
{
	(void)signo;
	fatal("libseccomp has crashed, maybe for want of memory");
}

/* Returns 0, or a negative errno. */
static int
handler_set(void)
{
	struct sigaction action = {.sa_flags = SA_SIGINFO | (int)SA_RESETHAND};

	action.sa_sigaction = forbidden;
	sigfillset(&action.sa_mask);
	return sigaction(SIGSYS, &action, NULL) == 0 ? 0 : -errno;
}

/* --- the filter ---------------------------------------------------------- */

/* Returns 0, or a negative errno. */
static int
rule_add(scmp_filter_ctx filter, uint32_t action, const char *name,
    const struct scmp_arg_cmp *args)
{
	int number = seccomp_syscall_resolve_name(name), rc;
	unsigned count = 0;

	/* libseccomp may be older than the call. */
	if (number == __NR_SCMP_ERROR)
		return 0;
	while (args != NULL && count < ARGS_MAX && args[count].op != 0)
		count++;
	rc = seccomp_rule_add_array(filter, action, number, count, args);
	return rc == -EDOM ? 0 : rc;
}

static int
names_add(scmp_filter_ctx filter, const char *const *names, size_t count)
{
	int rc = 0;
	size_t i;

	for (i = 0; i < count && rc == 0; i++)
		rc = rule_add(filter, SCMP_ACT_ALLOW, names[i], NULL);
	return rc;
}

/* The bits that a get's files may have, beyond permissions. */
static uint32_t
mode_of(const struct msg_config *config)
{
	return config->file_mode != FILE_MODE_KEEP ? config->file_mode : 0;
}

static int
checked_add(
    scmp_filter_ctx filter, const struct msg_config *config, bool may_ask)
{
	const struct scmp_arg_cmp self[ARGS_MAX] = {IS(0, getpid())};
	const struct scmp_arg_cmp local[ARGS_MAX] = {IS(0, AF_UNIX)};
	const struct scmp_arg_cmp mode[ARGS_MAX] = {
	    BITS(1, (S_ISUID | S_ISVTX | S_IWOTH) & ~mode_of(config), 0)};
	const unsigned task = 1u << config->task;
	const struct call *call;
	int rc;

	rc = rule_add(filter, SCMP_ACT_ALLOW, "tgkill", self);
	if (rc == 0)
		rc = rule_add(filter,
		    may_ask ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EACCES), "socket",
		    local);
	if (rc == 0 && task == GET)
		rc = rule_add(filter, SCMP_ACT_ALLOW, "fchmod", mode);
	for (call = checked_calls;
	     rc == 0 && call < checked_calls + COUNT(checked_calls); call++) {
		if ((call->tasks & task) != 0)
			rc = rule_add(
			    filter, SCMP_ACT_ALLOW, call->name, call->args);
	}
	return rc;
}

static int
filter_fill(
    scmp_filter_ctx filter, const struct msg_config *config, bool may_ask)
{
	int rc;

	/*
	 * Of another architecture's numbers nothing is known here. A system
	 * without seccomp(2), but with prctl(2), can't kill the process.
	 */
	rc = seccomp_attr_set(
	    filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (rc != 0)
		rc = seccomp_attr_set(
		    filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_TRAP);
	/*
	 * Better, and not there in each version: a filter that is searched,
	 * not gone through; no defence against what other code in this process
	 * could learn, which kernels before 5.16 make slow; and the kernel's
	 * own words if it refuses.
	 */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	if (rc == 0)
		rc = names_add(filter, calls_of_all, COUNT(calls_of_all));
	if (rc == 0 && config->task == TASK_GET)
		rc = names_add(filter, calls_of_get, COUNT(calls_of_get));
	if (rc == 0)
		rc = checked_add(filter, config, may_ask);
	if (rc == 0)
		rc = rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), "clone3", NULL);
	if (rc == 0)
		rc = rule_add(
		    filter, SCMP_ACT_ERRNO(ENOSYS), "io_uring_setup", NULL);
	return rc;
}

const char *
cage_calls_limit(const struct msg_config *config, bool may_ask)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
	struct sigaction old, guard = {.sa_handler = crashed};
	int rc;

	if (filter == NULL)
		return "libseccomp does not know this system";
	sigaction(SIGSEGV, &guard, &old);
	rc = filter_fill(filter, config, may_ask);
	if (rc == 0) {
		names_fill();
		rc = handler_set();
	}
	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	sigaction(SIGSEGV, &old, NULL);
	/* libseccomp's word for neither seccomp(2) nor prctl(2). */
	if (rc == -EFAULT)
		return "refused by the system";
	return rc != 0 ? strerror(-rc) : NULL;
}

#endif
