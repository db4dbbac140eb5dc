/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * AUTH_NEXT picks the next attempt, by what the server said that it takes:
 *
 *   NEXT ─▶ KEY, PASSWORD, KEYBOARD or NONE ─▶ NEXT (refused, or a partial
 *     └───▶ end: denied                               success)
 *
 * Each refusal carries the methods that can go on, and whether it was a partial
 * success (RFC 4252 section 5.1). libssh2 tells neither, but frees the packet,
 * see auth_packet(). A job with a key begins with it; one without asks, by the
 * method "none", what the server takes. Else "none" comes last: it would cost a
 * round trip, but there are servers that let in by it. Each method, and each
 * key, is used once, so this ends.
 */
#include "config.h"

#include "worker/auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/namelist.h"
#include "util/secret.h"
#include "util/xalloc.h"
#include "worker/session.h"
#include "worker/worker.h"

/* RFC 4252 section 6. */
#define SSH_USERAUTH_FAILURE 51

/* Rounds of questions that keyboard-interactive may take. */
#define KEYBOARD_ROUNDS_MAX 5

/* The next key of what is left. */
static int
next_key(struct cursor *keys, struct bytes *algorithm, struct bytes *key)
{
	if (cursor_get_string(keys, &algorithm->data, &algorithm->len) == -1)
		return -1;
	return cursor_get_string(keys, &key->data, &key->len);
}

void
auth_init(struct auth *a, struct bytes keys, const char *password)
{
	memset(a, 0, sizeof(*a));
	a->state = AUTH_NEXT;
	a->keys = (struct cursor){keys.data, keys.len};
	if (password != NULL)
		a->password = secret_strdup(password);
}

static void
auth_forget_password(struct auth *a)
{
	secret_free(a->password);
	a->password = NULL;
}

void
auth_clear(struct auth *a)
{
	auth_forget_password(a);
	free(a->offer);
	a->offer = NULL;
}

void
auth_signature(struct session *s, struct bytes signature)
{
	struct auth *a = &s->auth;

	if (!a->is_signing)
		return;
	a->is_signing = false;
	a->has_signature = true;
	a->signature = NULL;
	a->signature_len = signature.len;
	if (signature.len > 0)
		a->signature = heap_alloc(&s->heap, signature.len);
	if (a->signature != NULL)
		memcpy(a->signature, signature.data, signature.len);
}

/* The key that is tried next, as libssh2 is to see it first. */
static void
auth_take_key(struct auth *a)
{
	struct buf b;

	a->key_index++;
	/* RSA keys come a second time, with the older algorithm. */
	if (a->algorithm.len != 12 ||
	    memcmp(a->algorithm.data, "rsa-sha2-256", 12) != 0)
		a->keys_tried++;
	a->was_signed = false;
	a->is_unsigned = false;
	a->has_signature = false;
	free(a->offer);
	buf_init(&b, a->key.len);
	/* A blob too short for that is none of a known type. */
	if (buf_put_string(&b, a->algorithm.data, a->algorithm.len) == -1 ||
	    buf_append(
		&b, a->key.data + buf_len(&b), a->key.len - buf_len(&b)) == -1)
		a->offer = xmemdup(a->key.data, a->key.len);
	else
		a->offer = xmemdup(buf_head(&b), buf_len(&b));
	buf_clear(&b);
}

void
auth_allocated(struct auth *a, size_t size)
{
	/* The packet is the first that is larger than the blob. */
	if (a->state == AUTH_KEY && a->offer != NULL && size > a->key.len)
		memcpy(a->offer, a->key.data, a->key.len);
}

static void
auth_set_methods(struct auth *a, const char *methods, size_t len)
{
	if (len >= sizeof(a->methods))
		len = sizeof(a->methods) - 1;
	memcpy(a->methods, methods, len);
	a->methods[len] = '\0';
	a->is_listed = true;
}

void
auth_packet(struct auth *a, const uint8_t *data, size_t size)
{
	struct cursor packet = {data, size};
	struct bytes methods;
	uint8_t type, is_partial;

	if (cursor_get_u8(&packet, &type) == -1 ||
	    type != SSH_USERAUTH_FAILURE ||
	    cursor_get_string(&packet, &methods.data, &methods.len) == -1 ||
	    cursor_get_u8(&packet, &is_partial) == -1)
		return;
	auth_set_methods(a, (const char *)methods.data, methods.len);
	a->is_answered = true;
	a->is_partial = is_partial != 0;
}

/* libssh2's sign callback: ask control, and come again when it answered. */
static int
sign_cb(LIBSSH2_SESSION *ssh, unsigned char **sig, size_t *sig_len,
    const unsigned char *data, size_t data_len, void **abstract)
{
	struct session *s = *abstract;
	struct auth *a = &s->auth;
	struct msg_sign msg = {.key = a->key_index - 1,
	    .request = {data, data_len},
	    .exchange = {
		buf_head(&s->exchange.text), buf_len(&s->exchange.text)}};

	(void)ssh;
	if (!a->has_signature) {
		if (!a->is_signing)
			worker_send(s->worker, FRAME_SIGN, s->job, &msg);
		a->is_signing = true;
		return LIBSSH2_ERROR_EAGAIN;
	}
	a->has_signature = false;
	if (a->signature == NULL) {
		a->is_unsigned = true;
		return LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED;
	}
	a->was_signed = true;
	*sig = a->signature; /* libssh2 frees it, with the session's heap */
	*sig_len = a->signature_len;
	a->signature = NULL;
	return 0;
}

/* Answer a single question that is not echoed with the password. */
static void
keyboard_cb(const char *name, int name_len, const char *instruction,
    int instruction_len, int num_prompts,
    const LIBSSH2_USERAUTH_KBDINT_PROMPT *prompts,
    LIBSSH2_USERAUTH_KBDINT_RESPONSE *responses, void **abstract)
{
	struct session *s = *abstract;
	struct auth *a = &s->auth;
	size_t len;

	(void)name;
	(void)name_len;
	(void)instruction;
	(void)instruction_len;
	if (++a->rounds > KEYBOARD_ROUNDS_MAX) {
		transport_abort(&s->transport);
		return;
	}
	if (num_prompts != 1 || prompts[0].echo || a->password == NULL)
		return;
	len = strlen(a->password);
	responses[0].text = heap_alloc(&s->heap, len + 1);
	if (responses[0].text == NULL)
		return;
	memcpy(responses[0].text, a->password, len + 1);
	responses[0].length = (unsigned int)len;
	auth_forget_password(a);
}

/* Whether the server takes it, as far as it has said. */
static bool
auth_offers(const struct auth *a, const char *method)
{
	return !a->is_listed ||
	    namelist_has(a->methods, method, strlen(method));
}

static enum want
auth_denied(struct session *s)
{
	struct auth *a = &s->auth;
	char tried[64] = "";

	if (a->keys_tried > 0)
		snprintf(tried, sizeof(tried), "%u key%s%s", a->keys_tried,
		    a->keys_tried == 1 ? "" : "s",
		    a->is_password_used ? " and the password" : "");
	else if (a->is_password_used)
		snprintf(tried, sizeof(tried), "the password");
	if (tried[0] == '\0' && a->password != NULL)
		return session_end(s, STATUS_DENIED, STAGE_AUTH,
		    "no key to log in with as %s, and the server takes no "
		    "password: it takes %s",
		    s->spec.user, a->methods);
	if (tried[0] == '\0')
		return session_end(s, STATUS_DENIED, STAGE_AUTH,
		    "no key or password to log in with as %s: the server "
		    "takes %s",
		    s->spec.user, a->methods);
	if (a->is_partial)
		return session_end(s, STATUS_DENIED, STAGE_AUTH,
		    "login as %s takes more than one method: tried %s; the "
		    "server also wants one of %s",
		    s->spec.user, tried, a->methods);
	return session_end(s, STATUS_DENIED, STAGE_AUTH,
	    "login as %s refused: tried %s; the server takes %s", s->spec.user,
	    tried, a->methods);
}

static void
auth_tell_refused(struct session *s)
{
	const struct auth *a = &s->auth;
	bool is_key = a->state == AUTH_KEY;
	const struct msg_auth_refused msg = {.method = auth_method(a),
	    .key = is_key ? a->key_index - 1 : 0,
	    .is_signed = is_key && a->was_signed};

	worker_send_later(s->worker, FRAME_AUTH_REFUSED, s->job, &msg);
}

/* The server answered no, or not yet. */
static void
auth_refused(struct session *s)
{
	struct auth *a = &s->auth;

	/* It looked at no key if it takes none. */
	if (a->state == AUTH_KEY && a->keys_tried == 1 && !a->was_signed &&
	    !auth_offers(a, AUTH_PUBLICKEY))
		a->keys_tried = 0;
	if (!a->is_partial)
		auth_tell_refused(s);
}

/* An attempt ended with rc: where to go from here. */
static enum want
auth_attempted(struct session *s, int rc, bool *is_done)
{
	struct auth *a = &s->auth;

	if (rc == 0) {
		*is_done = true;
		return WANT_STEP;
	}
	if (rc == LIBSSH2_ERROR_EAGAIN)
		return a->is_signing ? WANT_CONTROL
				     : session_again(s, STAGE_AUTH);
	/* An answer counts even if the server closes behind it. */
	if (a->is_answered)
		auth_refused(s);
	else if (a->state != AUTH_KEY || !a->is_unsigned)
		return session_broken(s, STAGE_AUTH, rc, "authentication");
	a->state = AUTH_NEXT;
	return WANT_STEP;
}

static enum want
step_none(struct session *s, bool *is_done)
{
	struct auth *a = &s->auth;
	const char *list;
	int rc;

	list = libssh2_userauth_list(
	    s->ssh, s->spec.user, (unsigned int)strlen(s->spec.user));
	if (list != NULL) {
		auth_set_methods(a, list, strlen(list));
		a->state = AUTH_NEXT;
		return WANT_STEP;
	}
	if (libssh2_userauth_authenticated(s->ssh)) {
		*is_done = true;
		return WANT_STEP;
	}
	rc = libssh2_session_last_errno(s->ssh);
	if (rc == LIBSSH2_ERROR_EAGAIN &&
	    (!s->transport.is_closed || transport_has_more(&s->transport)))
		return session_again(s, STAGE_AUTH);
	/* One attempt too many; the others were refused. */
	if (a->is_listed)
		return auth_denied(s);
	return session_broken(s, STAGE_AUTH, rc, "authentication");
}

static enum want
auth_begin(struct auth *a, enum auth_state state)
{
	a->state = state;
	a->is_answered = false;
	a->is_partial = false;
	return WANT_STEP;
}

static enum want
step_next(struct session *s)
{
	struct auth *a = &s->auth;

	if (auth_offers(a, AUTH_PUBLICKEY) &&
	    next_key(&a->keys, &a->algorithm, &a->key) == 0) {
		auth_take_key(a);
		return auth_begin(a, AUTH_KEY);
	}
	if (a->is_listed && a->password != NULL) {
		if (auth_offers(a, "password"))
			return auth_begin(a, AUTH_PASSWORD);
		if (auth_offers(a, "keyboard-interactive"))
			return auth_begin(a, AUTH_KEYBOARD);
	}
	if (!a->is_none_used && !a->is_partial) {
		a->is_none_used = true;
		return auth_begin(a, AUTH_NONE);
	}
	return auth_denied(s);
}

static enum want
step_key(struct session *s, bool *is_done)
{
	struct auth *a = &s->auth;
	void *abstract = s;
	int rc;

	if (a->is_signing)
		return WANT_CONTROL;
	rc = libssh2_userauth_publickey(
	    s->ssh, s->spec.user, a->offer, a->key.len, sign_cb, &abstract);
	return auth_attempted(s, rc, is_done);
}

/* There is no new password; without a callback libssh2 says "refused". */
static LIBSSH2_PASSWD_CHANGEREQ_FUNC(password_expired_cb)
{
	(void)session;
	(void)abstract;
	*newpw = NULL;
	*newpw_len = 0;
}

static enum want
step_password(struct session *s, bool *is_done)
{
	struct auth *a = &s->auth;
	int rc;

	a->is_password_used = true;
	rc = libssh2_userauth_password_ex(s->ssh, s->spec.user,
	    (unsigned int)strlen(s->spec.user), a->password,
	    (unsigned int)strlen(a->password), password_expired_cb);
	if (rc == LIBSSH2_ERROR_EAGAIN)
		return session_again(s, STAGE_AUTH);
	auth_forget_password(a);
	if (rc == LIBSSH2_ERROR_PASSWORD_EXPIRED)
		return session_end(s, STATUS_DENIED, STAGE_AUTH,
		    "the password of %s has expired: log in once to change it",
		    s->spec.user);
	return auth_attempted(s, rc, is_done);
}

static enum want
step_keyboard(struct session *s, bool *is_done)
{
	int rc;

	s->auth.is_password_used = true;
	rc = libssh2_userauth_keyboard_interactive_ex(s->ssh, s->spec.user,
	    (unsigned int)strlen(s->spec.user), keyboard_cb);
	if (rc != LIBSSH2_ERROR_EAGAIN)
		auth_forget_password(&s->auth);
	return auth_attempted(s, rc, is_done);
}

const char *
auth_method(const struct auth *a)
{
	switch (a->state) {
	case AUTH_NEXT:
	case AUTH_NONE:
		break;
	case AUTH_KEY:
		return AUTH_PUBLICKEY;
	case AUTH_PASSWORD:
		return "password";
	case AUTH_KEYBOARD:
		return "keyboard-interactive";
	}
	return "none";
}

enum want
auth_step(struct session *s, bool *is_done)
{
	*is_done = false;
	switch (s->auth.state) {
	case AUTH_NEXT:
		return step_next(s);
	case AUTH_NONE:
		return step_none(s, is_done);
	case AUTH_KEY:
		return step_key(s, is_done);
	case AUTH_PASSWORD:
		return step_password(s, is_done);
	case AUTH_KEYBOARD:
		return step_keyboard(s, is_done);
	}
	return WANT_END;
}
