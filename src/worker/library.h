/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * library: what is known of the libssh2 in use, and whether a hostile server
 * can do more with it than it should.
 */
#ifndef WORKER_LIBRARY_H
#define WORKER_LIBRARY_H

#include <stdbool.h>

#include <libssh2.h>

struct library {
	const char *version; /* as libssh2_version() */
	/* Seen, and not told by the version, since distributions patch. */
	bool has_strict_kex;	/* offers kex-strict-c-v00@openssh.com */
	bool checks_extensions; /* of SSH_MSG_EXT_INFO, RFC 8308 section 2.3 */
};

/*
 * Find out, from a key exchange that is begun in memory. fd is any open
 * descriptor: libssh2 wants one that is its own, nothing is read or written.
 * fatal() if there is no memory.
 */
void library_find(struct library *l, int fd);

/*
 * The holes of that libssh2, by number, in words to follow "libssh2 VERSION";
 * NULL if none is known that matters to us and is not seen to be closed. The
 * table in library.c has the sources.
 */
const char *library_holes(const struct library *l);

/*
 * libssh2_session_callback_set2(), which is there from 1.11.1. function is of
 * the type that libssh2 documents for that kind.
 */
void library_callback(LIBSSH2_SESSION *ssh, int kind, void (*function)(void));

#endif
