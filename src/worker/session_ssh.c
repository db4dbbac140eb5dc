/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "worker/session_ssh.h"

#include <stdio.h>
#include <string.h>

#include "util/buf.h"

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

	task_exec_packet(&s->task, data, size);
}

static ssize_t
send_cb(libssh2_socket_t fd, const void *data, size_t len, int flags,
    void **abstract)
{
	struct session *s = *abstract;

	(void)fd;
	(void)flags;
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

/*
 * libssh2 takes callbacks as void pointers before 1.11.1; POSIX lets them
 * hold functions, ISO C just has no word for it.
 */
static void
session_callback(LIBSSH2_SESSION *ssh, int kind, void (*function)(void))
{
#ifdef HAVE_LIBSSH2_SESSION_CALLBACK_SET2
	libssh2_session_callback_set2(ssh, kind, function);
#else
	void *p;

	memcpy(&p, &function, sizeof(p));
	libssh2_session_callback_set(ssh, kind, p);
#endif
}

const char *
session_algorithms(const struct session *s)
{
	return s->host_key_algorithms != NULL ? s->host_key_algorithms
					      : s->spec.host_key_algorithms;
}

/*
 * Set the preference list of a kind of method. Only those that libssh2 has
 * may be in it: libssh2 1.10 takes unknown ones out by copying memory onto
 * itself. Returns 0, or -1 if it has none of them.
 */
static int
session_prefer(LIBSSH2_SESSION *ssh, int kind, const char *list)
{
	const char **known = NULL, *name;
	int count, i, rc = -1;
	struct buf b;
	size_t len;

	count = libssh2_session_supported_algs(ssh, kind, &known);
	buf_init(&b, 4096);
	for (name = list; *name != '\0'; name += len + (name[len] == ',')) {
		len = strcspn(name, ",");
		for (i = 0; i < count; i++) {
			if (strlen(known[i]) == len &&
			    strncmp(known[i], name, len) == 0)
				buf_printf(&b, "%s%s",
				    buf_len(&b) > 0 ? "," : "", known[i]);
		}
	}
	if (buf_len(&b) > 0 && buf_append(&b, "", 1) == 0)
		rc = libssh2_session_method_pref(
		    ssh, kind, (const char *)buf_head(&b));
	if (count > 0)
		libssh2_free(ssh, known);
	buf_clear(&b);
	return rc;
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
	session_callback(ssh, LIBSSH2_CALLBACK_SEND, (void (*)(void))send_cb);
	session_callback(ssh, LIBSSH2_CALLBACK_RECV, (void (*)(void))recv_cb);
	session_callback(
	    ssh, LIBSSH2_CALLBACK_DISCONNECT, (void (*)(void))disconnect_cb);
	if (session_prefer(ssh, LIBSSH2_METHOD_KEX, METHODS_KEX) != 0 ||
	    session_prefer(ssh, LIBSSH2_METHOD_CRYPT_CS, METHODS_CIPHER) != 0 ||
	    session_prefer(ssh, LIBSSH2_METHOD_CRYPT_SC, METHODS_CIPHER) != 0 ||
	    session_prefer(ssh, LIBSSH2_METHOD_MAC_CS, METHODS_MAC) != 0 ||
	    session_prefer(ssh, LIBSSH2_METHOD_MAC_SC, METHODS_MAC) != 0)
		return -1;
	return session_prefer(
	    ssh, LIBSSH2_METHOD_HOSTKEY, session_algorithms(s));
}
