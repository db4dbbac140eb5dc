/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From what libssh2, the socket and the server say to a status, a stage and
 * words for the user.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/namelist.h"
#include "worker/session_limits.h"
#include "worker/session_ssh.h"
#include "worker/worker.h"

static const char *
close_reason(const struct session *s)
{
	if (s->disconnect[0] != '\0')
		return s->disconnect;
	if (s->transport.error == EBADMSG)
		return "a packet came damaged: its MAC is wrong";
	if (s->transport.error != 0)
		return strerror(s->transport.error);
	return "connection closed by the host";
}

static bool
is_throttled(const char *text)
{
	/* sshd's words: before 9.8, since, and with PerSourcePenalties. */
	return strstr(text, "MaxStartups") != NULL ||
	    strncmp(text, "Not allowed at this time", 24) == 0;
}

enum want
session_broken(struct session *s, enum stage stage, int rc, const char *what)
{
	enum stage started =
	    s->transfer != NULL ? STAGE_TRANSFER : STAGE_COMMAND;
	char lost[320], *text = NULL;

	if (s->transport.is_closed || s->disconnect[0] != '\0') {
		snprintf(
		    lost, sizeof(lost), "connection lost: %s", close_reason(s));
		if (task_exec_told(s, lost))
			return WANT_END;
		if (s->is_started)
			return session_end(s, STATUS_LOST, started, "%s", lost);
		if (stage == STAGE_AUTH && s->disconnect[0] != '\0')
			return session_end(s, STATUS_DENIED, STAGE_AUTH,
			    "login as %s refused: %s", s->spec.user,
			    s->disconnect);
		return session_end(
		    s, STATUS_UNREACHABLE, stage, "%s", close_reason(s));
	}
	libssh2_session_last_error(s->ssh, &text, NULL, 0);
	return session_end(s, s->is_started ? STATUS_LOST : STATUS_UNREACHABLE,
	    s->is_started ? started : stage, "%s: %s (libssh2 error %d)", what,
	    text != NULL && text[0] != '\0' ? text : "protocol error", rc);
}

enum want
session_asserted(struct session *s, const char *assertion)
{
	enum stage stage =
	    s->state == SESSION_HANDSHAKE ? STAGE_PROTOCOL : session_stage(s);

	s->transport.is_closed = true;
	return session_end(s, s->is_started ? STATUS_LOST : STATUS_UNREACHABLE,
	    stage, "a packet that libssh2 %s can't take: \"%s\" failed",
	    libssh2_version(0), assertion);
}

enum want
session_again(struct session *s, enum stage stage)
{
	if (transport_has_more(&s->transport))
		return WANT_TURN;
	if (s->transport.is_closed)
		return session_broken(
		    s, stage, LIBSSH2_ERROR_SOCKET_DISCONNECT, "connection");
	return WANT_NETWORK;
}

/* The start of an SSH 2 banner, or nothing. */
static bool
is_cut_banner(const char *text)
{
	size_t len = strlen(text);

	return strncmp(text, "SSH-2.0-", len < 8 ? len : 8) == 0 ||
	    strncmp(text, "SSH-1.99-", len < 9 ? len : 9) == 0;
}

static enum want
not_ssh(struct session *s)
{
	return session_end(s, STATUS_UNREACHABLE, STAGE_PROTOCOL,
	    "no SSH 2 server; it said \"%s\"",
	    transport_greeting(&s->transport));
}

/* The connection ended before the host key was presented. */
enum want
session_handshake_closed(struct session *s)
{
	const char *greeting = transport_greeting(&s->transport);

	if (is_throttled(greeting) || is_throttled(s->disconnect))
		return session_end(s, STATUS_UNREACHABLE, STAGE_THROTTLED,
		    "the server takes no more connections now: %s",
		    greeting[0] != '\0' ? greeting : s->disconnect);
	if (!s->transport.has_banner && !is_cut_banner(greeting))
		return not_ssh(s);
	if (!s->transport.has_banner)
		return session_end(s, STATUS_UNREACHABLE, STAGE_CONNECT,
		    "%s before the SSH banner", close_reason(s));
	return session_end(s, STATUS_UNREACHABLE, STAGE_CONNECT,
	    "%s in the key exchange", close_reason(s));
}

enum want
session_no_methods(struct session *s)
{
	if (s->ssh != NULL && strncmp(session_algorithms(s), "rsa-", 4) == 0)
		return session_end(s, STATUS_UNREACHABLE, STAGE_PROTOCOL,
		    "known_hosts has only RSA for this host, which libssh2 %s "
		    "can't verify: add its ed25519 or ECDSA key "
		    "(ssh-keyscan), or run with libssh2 1.11 or later here",
		    libssh2_version(0));
	return session_end(s, STATUS_ERROR, STAGE_LOCAL,
	    "libssh2 %s has no memory or none of our methods",
	    libssh2_version(0));
}

static bool
list_has_common(const char *ours, const char *theirs)
{
	const char *p;
	size_t len;

	for (p = theirs; *p != '\0'; p += len + (p[len] == ',')) {
		len = strcspn(p, ",");
		if (namelist_has(ours, p, len))
			return true;
	}
	return false;
}

/* libssh2 before 1.11 verifies RSA host keys with SHA-1 only. */
static bool
has_rsa_host_keys(void)
{
	return libssh2_version(0x010b00) != NULL;
}

enum want
session_handshake_failed(struct session *s, int rc)
{
	static const char *const names[] = {"key exchange method",
	    "host key algorithm", "cipher", "cipher", "MAC", "MAC"};
	const struct methods *m = worker_methods(s->worker);
	const char *const ours[] = {m->kex, session_algorithms(s), m->cipher,
	    m->cipher, m->mac, m->mac};
	char theirs[1024], *text = NULL;
	unsigned i;

	if (s->transport.is_closed || s->disconnect[0] != '\0')
		return session_handshake_closed(s);
	if (!s->transport.has_banner)
		return not_ssh(s);
	if (transport_proposal(&s->transport, 1, theirs, sizeof(theirs)) == 0 &&
	    !has_rsa_host_keys() && strstr(theirs, "rsa") != NULL &&
	    !list_has_common("ssh-ed25519,ecdsa-sha2-nistp256,"
			     "ecdsa-sha2-nistp384,ecdsa-sha2-nistp521",
		theirs))
		return session_end(s, STATUS_UNREACHABLE, STAGE_PROTOCOL,
		    "the host has only an RSA host key, which libssh2 %s "
		    "can't verify: give the host an ed25519 key "
		    "(ssh-keygen -A there, restart sshd), or run with libssh2 "
		    "1.11 or later here",
		    libssh2_version(0));
	for (i = 0; i < 6; i++) {
		if (transport_proposal(
			&s->transport, i, theirs, sizeof(theirs)) == 0 &&
		    !list_has_common(ours[i], theirs))
			return session_end(s, STATUS_UNREACHABLE,
			    STAGE_PROTOCOL,
			    "no common %s: the server offers %s", names[i],
			    theirs);
	}
	libssh2_session_last_error(s->ssh, &text, NULL, 0);
	return session_end(s, STATUS_UNREACHABLE, STAGE_PROTOCOL,
	    "key exchange failed: %s (libssh2 error %d)",
	    text != NULL ? text : "", rc);
}
