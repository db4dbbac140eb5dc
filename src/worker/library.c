/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libssh2 speaks with hosts that are not trusted, and has had holes. Whether
 * they are closed is not told by its version: distributions patch, and what
 * was found in 2026 is in no release. So a server that says little is played to
 * it, which shows two of its fixes:
 *
 *   - A client that has the cure of Terrapin offers a "method" of that name.
 *   - Of SSH_MSG_EXT_INFO, libssh2 1.11 takes an extension that ends before its
 *     value for one with an empty value, and allocates a byte for it; one with
 *     the fix of CVE-2026-55199 does not. Debian and others closed that hole
 *     and CVE-2026-55200 together, in June 2026.
 *
 * Only holes that concern us are in the table. SFTP is our own (sftp.c), and
 * subsystem publickey, agents, key files and known_hosts of libssh2 are not
 * used, which leaves out CVE-2025-15661, CVE-2026-58050, -58051, -66032 and
 * -66034; names and passwords have a maximum (CVE-2026-7598). CVE-2026-66033
 * is met by assert_guard.c and CVE-2026-66035 by heap.c. 1.10 has none of the
 * code of the others: it knows neither SSH_MSG_EXT_INFO nor a mode that
 * Terrapin or a packet's length can harm.
 */
#include "config.h"

#include "worker/library.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <libssh2.h>

#include "util/log.h"

#define STRICT_KEX "kex-strict-c-v00@openssh.com"

/*
 * A banner; and a packet in plain text, RFC 4253 section 6: SSH_MSG_EXT_INFO
 * with one extension that has a name and no value.
 */
static const char greeting[] =
    "SSH-2.0-library\r\n"
    "\0\0\0\044" /* its length, without this */
    "\013"	 /* of its padding */
    "\007\0\0\0\001\0\0\0\017server-sig-algs"
    "\0\0\0\0\0\0\0\0\0\0"; /* one more ends the string */

struct probe {
	size_t said; /* of greeting */
	bool is_strict;
	bool took_nothing; /* the missing value for an empty one */
};

static void *
probe_alloc(size_t size, void **abstract)
{
	struct probe *p = *abstract;

	/* Its reading of the banner and of packets takes larger blocks. */
	if (size == 1)
		p->took_nothing = true;
	return malloc(size);
}

static void *
probe_realloc(void *block, size_t size, void **abstract)
{
	(void)abstract;
	return realloc(block, size);
}

static void
probe_free(void *block, void **abstract)
{
	(void)abstract;
	free(block);
}

static ssize_t
probe_recv(
    libssh2_socket_t fd, void *data, size_t len, int flags, void **abstract)
{
	struct probe *p = *abstract;
	size_t left = sizeof(greeting) - p->said;

	(void)fd;
	(void)flags;
	if (left == 0)
		return -EAGAIN;
	if (len > left)
		len = left;
	memcpy(data, greeting + p->said, len);
	p->said += len;
	return (ssize_t)len;
}

static ssize_t
probe_send(libssh2_socket_t fd, const void *data, size_t len, int flags,
    void **abstract)
{
	struct probe *p = *abstract;

	(void)fd;
	(void)flags;
	if (memmem(data, len, STRICT_KEX, strlen(STRICT_KEX)) != NULL)
		p->is_strict = true;
	return (ssize_t)len;
}

void
library_callback(LIBSSH2_SESSION *ssh, int kind, void (*function)(void))
{
#ifdef HAVE_LIBSSH2_SESSION_CALLBACK_SET2
	libssh2_session_callback_set2(ssh, kind, function);
#else
	/* POSIX lets it hold a function, ISO C just has no word for it. */
	void *p;

	memcpy(&p, &function, sizeof(p));
	libssh2_session_callback_set(ssh, kind, p);
#endif
}

void
library_find(struct library *l, int fd)
{
	struct probe p = {0};
	LIBSSH2_SESSION *ssh =
	    libssh2_session_init_ex(probe_alloc, probe_free, probe_realloc, &p);

	if (ssh == NULL)
		fatal("libssh2 has no memory");
	libssh2_session_set_blocking(ssh, 0);
	library_callback(
	    ssh, LIBSSH2_CALLBACK_SEND, (void (*)(void))probe_send);
	library_callback(
	    ssh, LIBSSH2_CALLBACK_RECV, (void (*)(void))probe_recv);
	libssh2_session_handshake(ssh, fd);
	l->version = libssh2_version(0);
	l->has_strict_kex = p.is_strict;
	l->checks_extensions = p.said == sizeof(greeting) && !p.took_nothing;
	libssh2_session_free(ssh);
}

static bool
is_any(const struct library *l)
{
	(void)l;
	return true;
}

static bool
is_not_strict(const struct library *l)
{
	return !l->has_strict_kex;
}

static bool
is_unchecked(const struct library *l)
{
	return !l->checks_extensions;
}

static const struct hole {
	int from, before; /* versions, LIBSSH2_VERSION_NUM */
	bool (*is_open)(const struct library *l);
	const char *text;
} holes[] = {
    /* libssh2.org, release notes of 1.8.1, 1.9.0 and 1.10.0. */
    {0, 0x010a00, is_any,
	"has holes for a hostile server that 1.10 has not: CVE-2019-3855 and "
	"eight more, CVE-2019-13115, CVE-2019-17498, CVE-2020-22218"},
    /* github.com/libssh2/libssh2, pull request 1291. In 1.11.1. */
    {0x010b00, 0x7fffffff, is_not_strict,
	"lacks the fix of CVE-2023-48795 (Terrapin): who is between here and "
	"a host may take out its first packets"},
    /*
     * github.com/libssh2/libssh2, issue 2121: 55199 is commit 17626857, 55200
     * commit 97acf3df. After 1.11.1.
     */
    {0x010b00, 0x7fffffff, is_unchecked,
	"lacks the fix of CVE-2026-55199, by which a hostile server can hold "
	"up a worker, and most likely those of 2026 that followed, so that "
	"chacha20-poly1305 is not offered (CVE-2026-55200)"},
};

static int
version_number(const char *version)
{
	unsigned long number = 0;
	char *end;
	int i;

	for (i = 0; i < 3; i++) {
		number = number << 8 | (strtoul(version, &end, 10) & 0xff);
		version = end + (*end == '.');
	}
	return (int)number;
}

const char *
library_holes(const struct library *l)
{
	int version = version_number(l->version);
	size_t i;

	for (i = 0; i < sizeof(holes) / sizeof(holes[0]); i++) {
		if (version >= holes[i].from && version < holes[i].before &&
		    holes[i].is_open(l))
			return holes[i].text;
	}
	return NULL;
}
