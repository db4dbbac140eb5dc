/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * session_ssh: the libssh2 side of a session: its callbacks and methods, and
 * what its failures mean.
 */
#ifndef WORKER_SESSION_SSH_H
#define WORKER_SESSION_SSH_H

#include "worker/session.h"

/*
 * What we offer, RFC 4253 section 7.1: the quickest first, nothing weak. The
 * handshake is most of what a host costs, and nistp256 is a fifth of that
 * cheaper than curve25519, here and there.
 */
#define METHODS_KEX                              \
	"ecdh-sha2-nistp256,curve25519-sha256,"  \
	"curve25519-sha256@libssh.org,"          \
	"ecdh-sha2-nistp384,ecdh-sha2-nistp521," \
	"diffie-hellman-group14-sha256,"         \
	"diffie-hellman-group16-sha512,"         \
	"diffie-hellman-group18-sha512,"         \
	"diffie-hellman-group-exchange-sha256"
#define METHODS_CIPHER METHODS_CIPHER_SAFE ",chacha20-poly1305@openssh.com"
/* Without the mode of CVE-2026-55200, and the first that Terrapin is about. */
#define METHODS_CIPHER_SAFE                 \
	"aes128-ctr,aes192-ctr,aes256-ctr," \
	"aes128-gcm@openssh.com,aes256-gcm@openssh.com"
/*
 * The MAC is most of what a transfer costs, and which of the two is the
 * quicker, by a factor, depends on the CPU: SHA-256 where it has instructions
 * for it, else SHA-512.
 */
#define METHODS_MAC_SHA256_FIRST                                       \
	"hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com," \
	"hmac-sha2-256,hmac-sha2-512,hmac-sha1"
#define METHODS_MAC_SHA512_FIRST                                       \
	"hmac-sha2-512-etm@openssh.com,hmac-sha2-256-etm@openssh.com," \
	"hmac-sha2-512,hmac-sha2-256,hmac-sha1"

/* The same, as far as this libssh2 has them: found out once. */
struct methods {
	char *kex, *cipher, *mac;
	const char **host_keys;
	int host_key_count;
};

/*
 * has_holes: keep to the modes without them, see library_holes(). fatal() if
 * libssh2 has none of a kind.
 */
void methods_init(struct methods *m, bool has_holes);

/*
 * Make s->ssh, non-blocking, over s->transport and s->heap. Returns 0, or -1
 * if libssh2 has none of the host key algorithms (or no memory).
 */
int session_create(struct session *s);

/* For heap_init(): looks at what libssh2 frees. */
void session_block_freed(void *ctx, const void *data, size_t size);

/* The host key algorithms in force: the job's, or those of the retry. */
const char *session_algorithms(const struct session *s);

/* session_create() failed. */
enum want session_no_methods(struct session *s);
/* The handshake ended: the connection is gone, or libssh2 said rc. */
enum want session_handshake_closed(struct session *s);
enum want session_handshake_failed(struct session *s, int rc);

#endif
