/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "worker/session_ssh.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#include "util/log.h"
#include "util/xalloc.h"
#include "worker/crypto_once.h"
#include "worker/ctr_stream.h"
#include "worker/library.h"
#include "worker/worker.h"

/* Of a packet that is not encrypted, RFC 4253 section 6. */
#define PACKET_TYPE_AT 5
#define SSH_KEXINIT    20
#define SSH_NEWKEYS    21

static void *
alloc_cb(size_t size, void **abstract)
{
	struct session *s = *abstract;

	auth_allocated(&s->auth, size);
	return heap_alloc(&s->heap, size);
}

static void
free_cb(void *p, void **abstract)
{
	struct session *s = *abstract;

	heap_free(&s->heap, p);
}

static void *
realloc_cb(void *p, size_t size, void **abstract)
{
	struct session *s = *abstract;

	return heap_realloc(&s->heap, p, size);
}

void
session_block_freed(void *ctx, const void *data, size_t size)
{
	struct session *s = ctx;

	/* Of a packet with a wrong MAC nothing is to be believed. */
	if (s->transport.is_dead)
		return;
	auth_packet(&s->auth, data, size);
	task_exec_packet(&s->task, data, size);
}

/*
 * With these names a client's first proposal tells what else it can do (RFC
 * 8308, OpenSSH's PROTOCOL). libssh2 1.11 has them in its list of key exchange
 * methods; if a server names one, too, in this or in a later exchange, it calls
 * the function of that method, which is not there. So they leave the list when
 * they are sent.
 */
static void
extensions_sent(struct session *s, const void *data, size_t len)
{
	static const char *const names[] = {
	    "ext-info-c,", "kex-strict-c-v00@openssh.com,"};
	size_t i, name_len;
	char *list;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		name_len = strlen(names[i]);
		if (memmem(data, len, names[i], name_len) == NULL)
			continue;
		list = heap_find(&s->heap, names[i]);
		if (list != NULL)
			memmove(
			    list, list + name_len, strlen(list + name_len) + 1);
	}
}

/*
 * In a later key exchange libssh2 puts the ciphers and MACs that are agreed
 * upon in the place of those in use, which it still has the keys of; even if it
 * then fails. So what is in use is all that is offered later. Who is about to
 * use new keys knows what it is, and has read nothing that the host sent after
 * it.
 */
static void
methods_keep(struct session *s)
{
	static const int kinds[] = {LIBSSH2_METHOD_CRYPT_CS,
	    LIBSSH2_METHOD_CRYPT_SC, LIBSSH2_METHOD_MAC_CS,
	    LIBSSH2_METHOD_MAC_SC};
	const char *name;
	size_t i;
	int rc;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		name = libssh2_session_methods(s->ssh, kinds[i]);
		rc = name != NULL
		    ? libssh2_session_method_pref(s->ssh, kinds[i], name)
		    : LIBSSH2_ERROR_METHOD_NONE;
		/* A cipher may have a MAC of its own, which is in no list. */
		if (rc != 0 && rc != LIBSSH2_ERROR_METHOD_NOT_SUPPORTED)
			transport_abort(&s->transport);
	}
}

/* What the packet is that leaves us unencrypted. */
static void
plain_sent(struct session *s, const uint8_t *data, size_t len)
{
	if (len <= PACKET_TYPE_AT)
		return;
	if (data[PACKET_TYPE_AT] == SSH_KEXINIT)
		extensions_sent(s, data, len);
	else if (data[PACKET_TYPE_AT] == SSH_NEWKEYS)
		methods_keep(s);
}

static ssize_t
send_cb(libssh2_socket_t fd, const void *data, size_t len, int flags,
    void **abstract)
{
	struct session *s = *abstract;

	(void)fd;
	(void)flags;
	if (!s->is_encrypted)
		plain_sent(s, data, len);
	return transport_send(&s->transport, data, len);
}

static ssize_t
recv_cb(libssh2_socket_t fd, void *data, size_t len, int flags, void **abstract)
{
	struct session *s = *abstract;

	(void)fd;
	(void)flags;
	return transport_recv(&s->transport, data, len);
}

static int
mac_error_cb(
    LIBSSH2_SESSION *ssh, const char *packet, int packet_len, void **abstract)
{
	struct session *s = *abstract;

	(void)ssh;
	(void)packet;
	(void)packet_len;
	s->transport.is_closed = true;
	s->transport.error = EBADMSG;
	transport_abort(&s->transport);
	return -1; /* 0 would let the packet pass */
}

static void
disconnect_cb(LIBSSH2_SESSION *ssh, int reason, const char *message,
    int message_len, const char *language, int language_len, void **abstract)
{
	struct session *s = *abstract;

	(void)ssh;
	(void)language;
	(void)language_len;
	snprintf(s->disconnect, sizeof(s->disconnect), "%.*s",
	    message_len > 0 ? message_len : 0, message_len > 0 ? message : "");
	if (s->disconnect[0] == '\0')
		snprintf(
		    s->disconnect, sizeof(s->disconnect), "reason %d", reason);
}

const char *
session_algorithms(const struct session *s)
{
	return s->host_key_algorithms != NULL ? s->host_key_algorithms
					      : s->spec.host_key_algorithms;
}

/* The names of list that are also in known, in a new string; NULL if none. */
static char *
common_names(const char *list, const char *const *known, int count)
{
	char *names = NULL, *end = NULL;
	const char *name;
	size_t len;
	int i;

	for (name = list; *name != '\0'; name += len + (name[len] == ',')) {
		len = strcspn(name, ",");
		for (i = 0; i < count; i++) {
			if (strncmp(known[i], name, len) != 0 ||
			    known[i][len] != '\0')
				continue;
			if (names == NULL)
				names = end = xmalloc(strlen(list) + 1);
			else
				*end++ = ',';
			memcpy(end, name, len);
			end += len;
			*end = '\0';
		}
	}
	return names;
}

static char *
known_names(LIBSSH2_SESSION *ssh, int kind, const char *list)
{
	const char **known = NULL;
	int count = libssh2_session_supported_algs(ssh, kind, &known);
	char *names;

	if (count <= 0)
		return NULL;
	names = common_names(list, known, count);
	libssh2_free(ssh, known);
	return names;
}

/* What a small packet takes here, the best of a few. */
static uint64_t
digest_ns(const EVP_MD *type)
{
	static const uint8_t packet[4096];
	uint8_t digest[EVP_MAX_MD_SIZE];
	struct timespec from, to;
	uint64_t ns, least = UINT64_MAX;
	int i;

	for (i = 0; i < 5; i++) {
		clock_gettime(CLOCK_MONOTONIC, &from);
		EVP_Digest(packet, sizeof(packet), digest, NULL, type, NULL);
		clock_gettime(CLOCK_MONOTONIC, &to);
		ns = (uint64_t)(to.tv_sec - from.tv_sec) * 1000000000u +
		    (uint64_t)to.tv_nsec - (uint64_t)from.tv_nsec;
		if (ns < least)
			least = ns;
	}
	return least;
}

void
methods_init(struct methods *m, bool has_holes)
{
	LIBSSH2_SESSION *ssh = libssh2_session_init();

	ctr_stream_init();
	crypto_once_init();
	if (ssh == NULL)
		fatal("libssh2 has no memory");
	m->kex = known_names(ssh, LIBSSH2_METHOD_KEX, METHODS_KEX);
	m->cipher = known_names(ssh, LIBSSH2_METHOD_CRYPT_CS,
	    has_holes ? METHODS_CIPHER_SAFE : METHODS_CIPHER);
	m->mac = known_names(ssh, LIBSSH2_METHOD_MAC_CS,
	    digest_ns(EVP_sha512()) < digest_ns(EVP_sha256())
		? METHODS_MAC_SHA512_FIRST
		: METHODS_MAC_SHA256_FIRST);
	m->host_key_count = libssh2_session_supported_algs(
	    ssh, LIBSSH2_METHOD_HOSTKEY, &m->host_keys);
	if (m->kex == NULL || m->cipher == NULL || m->mac == NULL ||
	    m->host_key_count <= 0)
		fatal("this libssh2 has none of our methods");
	/* m->host_keys is ours, and the names are constants. */
	libssh2_session_free(ssh);
}

/*
 * Set the preference lists. Only what libssh2 has may be in them: libssh2 1.10
 * takes unknown names out by copying memory onto itself. Returns 0, or -1 if
 * it has none of the host key algorithms, or no memory.
 */
static int
session_prefer(LIBSSH2_SESSION *ssh, const struct methods *m,
    const char *host_key_algorithms)
{
	char *host_keys =
	    common_names(host_key_algorithms, m->host_keys, m->host_key_count);
	const struct {
		int kind;
		const char *list;
	} prefs[] = {{LIBSSH2_METHOD_KEX, m->kex},
	    {LIBSSH2_METHOD_CRYPT_CS, m->cipher},
	    {LIBSSH2_METHOD_CRYPT_SC, m->cipher},
	    {LIBSSH2_METHOD_MAC_CS, m->mac}, {LIBSSH2_METHOD_MAC_SC, m->mac},
	    {LIBSSH2_METHOD_HOSTKEY, host_keys}};
	int rc = host_keys != NULL ? 0 : -1;
	size_t i;

	for (i = 0; rc == 0 && i < sizeof(prefs) / sizeof(prefs[0]); i++)
		rc = libssh2_session_method_pref(
		    ssh, prefs[i].kind, prefs[i].list);
	free(host_keys);
	return rc == 0 ? 0 : -1;
}

int
session_create(struct session *s)
{
	LIBSSH2_SESSION *ssh;

	ssh = libssh2_session_init_ex(alloc_cb, free_cb, realloc_cb, s);
	if (ssh == NULL)
		return -1;
	s->ssh = ssh;
	libssh2_session_set_blocking(ssh, 0);
#ifdef HAVE_LIBSSH2_SESSION_SET_READ_TIMEOUT
	/* Our own deadline is the one that counts, not its 60 s. */
	libssh2_session_set_read_timeout(
	    ssh, (long)(s->spec.connect_timeout_ms / 1000) + 60);
#endif
	library_callback(ssh, LIBSSH2_CALLBACK_SEND, (void (*)(void))send_cb);
	library_callback(ssh, LIBSSH2_CALLBACK_RECV, (void (*)(void))recv_cb);
	library_callback(
	    ssh, LIBSSH2_CALLBACK_DISCONNECT, (void (*)(void))disconnect_cb);
	library_callback(
	    ssh, LIBSSH2_CALLBACK_MACERROR, (void (*)(void))mac_error_cb);
	return session_prefer(
	    ssh, worker_methods(s->worker), session_algorithms(s));
}
