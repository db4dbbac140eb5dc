/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whom a host lets in: anybody, if nothing else is told. The requests are
 * answered as messages, not in libssh's callbacks, which know no answer but yes
 * and no, and cannot wait; some calls for that are marked as deprecated in
 * favour of the callbacks.
 */
#define SSH_SUPPRESS_DEPRECATED
#include "config.h"

#include <string.h>

#include "simhost_conn_impl.h"

enum answer {
	ANSWER_NO,
	ANSWER_YES,
	ANSWER_PARTLY,
	ANSWER_GIVEN /* it was something else, and is sent */
};

/* libssh's bits, in the order of enum auth_method. */
static const int method_bits[AUTH_COUNT] = {SSH_AUTH_METHOD_PASSWORD,
    SSH_AUTH_METHOD_PUBLICKEY, SSH_AUTH_METHOD_INTERACTIVE};

static bool
is_in_set(const struct host *h, enum behaviour b, enum auth_method method)
{
	return host_has(h, b) && host_number(h, b) >> method & 1;
}

static bool
is_offered(const struct conn *conn, enum auth_method method)
{
	if (conn->has_key)
		return method == AUTH_PASSWORD;
	return !host_has(conn->host, B_METHODS) ||
	    is_in_set(conn->host, B_METHODS, method);
}

static void
offer(struct conn *conn)
{
	int bits = 0, i;

	for (i = 0; i < AUTH_COUNT; i++) {
		if (is_offered(conn, (enum auth_method)i))
			bits |= method_bits[i];
	}
	ssh_set_auth_methods(conn->session, bits);
}

void
auth_init(struct conn *conn)
{
	offer(conn);
}

static bool
is_right(const struct host *h, const char *password)
{
	return !host_has(h, B_PASSWORD) ||
	    (password != NULL &&
		strcmp(password, h->values[B_PASSWORD].text) == 0);
}

/*
 * PASSWD_CHANGEREQ (RFC 4252, 8) has the number of INFO_REQUEST, 60; a client
 * that sent a password takes the name for the prompt.
 */
static enum answer
answer_password(struct conn *conn, ssh_message message)
{
	const struct host *h = conn->host;

	if (host_has(h, B_CHANGE_PASSWORD)) {
		/* What a change looks like to libssh, too. */
		if (conn->has_expired)
			return ANSWER_NO;
		conn->has_expired = true;
		ssh_message_auth_interactive_request(
		    message, "Your password has expired", "", 0, NULL, NULL);
		return ANSWER_GIVEN;
	}
	if (!is_right(h, ssh_message_auth_password(message)) ||
	    (host_has(h, B_PARTIAL) && !conn->has_key))
		return ANSWER_NO;
	return ANSWER_YES;
}

static enum answer
answer_publickey(struct conn *conn, ssh_message message)
{
	switch (ssh_message_auth_publickey_state(message)) {
	case SSH_PUBLICKEY_STATE_NONE: /* only asked whether it may */
		ssh_message_auth_reply_pk_ok_simple(message);
		return ANSWER_GIVEN;
	case SSH_PUBLICKEY_STATE_VALID:
		break;
	case SSH_PUBLICKEY_STATE_ERROR:
	case SSH_PUBLICKEY_STATE_WRONG:
		return ANSWER_NO;
	}
	if (!host_has(conn->host, B_PARTIAL))
		return ANSWER_YES;
	conn->has_key = true;
	offer(conn);
	return ANSWER_PARTLY;
}

static enum answer
answer_interactive(struct conn *conn, ssh_message message)
{
	const char *prompts[] = {"Password: "};
	char echo[] = {0};

	if (!ssh_message_auth_kbdint_is_response(message)) {
		ssh_message_auth_interactive_request(
		    message, "", "", 1, prompts, echo);
		return ANSWER_GIVEN;
	}
	return !host_has(conn->host, B_PARTIAL) &&
		ssh_userauth_kbdint_getnanswers(conn->session) == 1 &&
		is_right(
		    conn->host, ssh_userauth_kbdint_getanswer(conn->session, 0))
	    ? ANSWER_YES
	    : ANSWER_NO;
}

static enum answer
answer_to(struct conn *conn, ssh_message message)
{
	static enum answer (*const by_method[AUTH_COUNT])(
	    struct conn *, ssh_message) = {
	    answer_password, answer_publickey, answer_interactive};
	int i;

	for (i = 0; i < AUTH_COUNT; i++) {
		if (ssh_message_subtype(message) == method_bits[i])
			break;
	}
	if (ssh_message_subtype(message) == SSH_AUTH_METHOD_NONE)
		return host_has(conn->host, B_OPEN) ? ANSWER_YES : ANSWER_NO;
	if (i == AUTH_COUNT || !is_offered(conn, (enum auth_method)i) ||
	    is_in_set(conn->host, B_DENY, (enum auth_method)i))
		return ANSWER_NO;
	return by_method[i](conn, message);
}

static void
refuse(struct conn *conn, ssh_message message)
{
	const struct host *h = conn->host;
	bool is_attempt = ssh_message_subtype(message) != SSH_AUTH_METHOD_NONE;

	if (is_attempt)
		conn->denied++;
	if (host_has(h, B_NO_AUTHS) &&
	    conn->denied >= host_number(h, B_NO_AUTHS)) {
		conn->fault = FAULT_DISCONNECT;
		conn->fault_text = "Too many authentication failures";
		return;
	}
	ssh_message_reply_default(message);
	if (is_attempt && host_has(h, B_HANGUP_DENIED))
		conn->fault = FAULT_HANGUP;
}

void
auth_serve(struct conn *conn, ssh_message message)
{
	switch (answer_to(conn, message)) {
	case ANSWER_GIVEN:
		break;
	case ANSWER_NO:
		refuse(conn, message);
		break;
	case ANSWER_PARTLY:
		ssh_message_auth_reply_success(message, 1);
		break;
	case ANSWER_YES:
		conn->host->counts[C_AUTHS]++;
		conn->host->counts[C_STARTUPS]--;
		conn->is_let_in = true;
		rekey_let_in(conn);
		ssh_message_auth_reply_success(message, 0);
		break;
	}
}
