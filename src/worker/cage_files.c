/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Landlock takes away the right to open files below a directory, or a file
 * itself, from all but those that rules name; what has no rule answers EACCES.
 * A rule is about what stands there now: a file that is replaced by another
 * later (not one that is written anew) is out of reach. So directories are
 * named where others keep their files up to date, but never /etc, where root's
 * own secrets are.
 *
 * Name resolution cannot be done with before: glibc loads its modules when a
 * look-up comes to them, and reads /etc/hosts for each. To look up a name that
 * no module knows would load all, but ask name servers for it.
 *
 * Connecting to a socket in the file system (sssd, systemd-resolved, avahi)
 * needs no right, see cage_calls.c; nor does stat(2).
 */
#include "config.h"

#include "worker/cage_files.h"

#ifndef HAVE_LINUX_LANDLOCK_H

const char *
cage_files_limit(const struct msg_config *config)
{
	(void)config;
	return "built without its header";
}

#else

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/fdio.h"

/* What headers older than the kernel lack. */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif
#ifndef LANDLOCK_ACCESS_NET_BIND_TCP
#define LANDLOCK_ACCESS_NET_BIND_TCP (1ULL << 0)
#endif
#ifndef LANDLOCK_SCOPE_SIGNAL
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#define LANDLOCK_SCOPE_SIGNAL		    (1ULL << 1)
#endif

/* struct landlock_ruleset_attr of Linux 6.12; older kernels take zeros. */
struct handled {
	uint64_t fs, net, scoped;
};

struct ruleset {
	int fd;
	uint64_t handled; /* of files */
};

/* Of version 1: all up to LANDLOCK_ACCESS_FS_MAKE_SYM. */
#define FS_FIRST ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)
/* Those that a rule about a file can have. */
#define FS_OF_FILES                                                      \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |    \
	    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_TRUNCATE | \
	    LANDLOCK_ACCESS_FS_IOCTL_DEV)

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* Temporary files without a name. */
#define TEMPORARY                                                       \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
	    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE)
/* What worker/target.h does. */
#define WRITE                                             \
	(READ | TEMPORARY | LANDLOCK_ACCESS_FS_TRUNCATE | \
	    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_SYM)

/* All that getaddrinfo(3) reads, with the modules it may load. */
static const char *const resolver[] = {"/etc/gai.conf", "/etc/host.conf",
    "/etc/hosts", "/etc/ld.so.cache", "/etc/mdns.allow", "/etc/nsswitch.conf",
    "/etc/resolv.conf", "/lib", "/lib64", "/run/connman", "/run/netconfig",
    "/run/resolvconf", "/run/systemd/resolve", "/usr/lib", "/usr/lib64",
    "/usr/local/lib", "/var/lib/libvirt/dnsmasq"};
/* What tells whether the run is over that left a file (util/run_token.h). */
static const char *const tokens[] = {"/etc/machine-id", "/proc"};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* What is not there, or has no file system, is out of reach later. */
static void
allow(const struct ruleset *r, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr rule = {
	    .allowed_access = access & r->handled};
	struct stat st;
	int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd == -1)
		return;
	rule.parent_fd = fd;
	if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed_access &= FS_OF_FILES;
	syscall(
	    SYS_landlock_add_rule, r->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	close(fd);
}

static void
allow_all(const struct ruleset *r, const char *const *paths, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		allow(r, paths[i], READ);
}

static void
allow_resolver(const struct ruleset *r)
{
	const char *aliases = getenv("HOSTALIASES");

	allow_all(r, resolver, COUNT(resolver));
	if (aliases != NULL)
		allow(r, aliases, READ);
}

static void
allow_local(const struct ruleset *r, const struct msg_config *config)
{
	struct cursor list = {config->local.data, config->local.len};
	uint64_t access = READ;
	const char *path;
	size_t len;

	if (config->task == TASK_GET &&
	    (config->transfer_flags & TRANSFER_DRY_RUN) == 0)
		access = WRITE;
	while (list.left > 0) {
		path = (const char *)list.p;
		len = strnlen(path, list.left - 1) + 1;
		allow(r, path[0] != '\0' ? path : ".", access);
		list.p += len;
		list.left -= len;
	}
}

static void
allow_task(const struct ruleset *r, const struct msg_config *config)
{
	if (config->task == TASK_EXEC)
		return;
	allow_all(r, tokens, COUNT(tokens));
	allow_local(r, config);
	if (config->task == TASK_GET)
		allow(r, fd_temporary_dir(), TEMPORARY);
}

/* All that this version of Landlock can take away. */
static struct handled
handled_by(long version)
{
	struct handled h = {.fs = FS_FIRST};

	if (version >= 2)
		h.fs |= LANDLOCK_ACCESS_FS_REFER;
	if (version >= 3)
		h.fs |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (version >= 4)
		h.net = LANDLOCK_ACCESS_NET_BIND_TCP;
	if (version >= 5)
		h.fs |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
	if (version >= 6)
		h.scoped =
		    LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | LANDLOCK_SCOPE_SIGNAL;
	return h;
}

const char *
cage_files_limit(const struct msg_config *config)
{
	struct handled handled;
	struct ruleset r;
	long version;
	int error = 0;

	version = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	if (version < 1)
		return strerror(errno);
	handled = handled_by(version);
	r.handled = handled.fs;
	r.fd = (int)syscall(
	    SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);
	if (r.fd == -1)
		return strerror(errno);
	allow_resolver(&r);
	allow_task(&r, config);
	if (syscall(SYS_landlock_restrict_self, r.fd, 0) == -1)
		error = errno;
	close(r.fd);
	return error != 0 ? strerror(error) : NULL;
}

#endif
