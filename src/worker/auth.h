/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * auth: user authentication (RFC 4252) of one session: the job's keys in
 * their order, signed by control, then one attempt with the password, by
 * "password" or "keyboard-interactive". Only what the server offers is tried,
 * but that it is not asked before the first key, and the method "none" is last.
 */
#ifndef WORKER_AUTH_H
#define WORKER_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "wire/frame.h"
#include "worker/want.h"

struct session;

enum auth_state {
	AUTH_NEXT, /* choose one of the others */
	AUTH_NONE, /* which also tells the methods that the server takes */
	AUTH_KEY,
	AUTH_PASSWORD,
	AUTH_KEYBOARD,
};

struct auth {
	enum auth_state state;
	bool is_none_used;
	bool is_listed;		     /* the server said what it takes */
	char methods[256];	     /* as it listed them last */
	bool is_answered;	     /* the attempt, by a refusal */
	bool is_partial;	     /* which asks for more than that */
	struct cursor keys;	     /* those not tried yet */
	struct bytes algorithm, key; /* of the one being tried */
	uint8_t *offer;		     /* see auth_allocated() */
	uint32_t key_index;	     /* of the next one */
	uint32_t keys_tried;
	bool is_signing; /* control was asked and has not answered */
	bool has_signature;
	bool was_signed;    /* the key being tried got as far as that */
	bool is_unsigned;   /* control did not sign with it */
	uint8_t *signature; /* of the session's heap */
	size_t signature_len;
	char *password; /* wiped as soon as it was used */
	bool is_password_used;
	unsigned rounds; /* of keyboard-interactive */
};

/* password may be NULL; it is copied. keys as in struct msg_job. */
void auth_init(struct auth *a, struct bytes keys, const char *password);
void auth_clear(struct auth *a);

/*
 * Go on. Returns what is waited for; WANT_STEP once authenticated (then
 * *is_done is set); WANT_END when the session was ended.
 */
enum want auth_step(struct session *s, bool *is_done);

/* The method tried last, as RFC 4252 and RFC 4256 call it. */
const char *auth_method(const struct auth *a);

/*
 * Every allocation of libssh2 passes here. libssh2 takes the name of the
 * signature algorithm from the head of the key blob, but for RSA they differ
 * (RFC 8332 section 3: "rsa-sha2-512" with a blob that says "ssh-rsa"). So
 * the blob is handed to it with the algorithm's name at its head; libssh2
 * copies the name, then allocates the packet, and only then copies the blob:
 * at that allocation the real one is put in its place.
 */
void auth_allocated(struct auth *a, size_t size);

/*
 * Every block that libssh2 frees passes here: of a refusal are kept the methods
 * that the server says can go on.
 */
void auth_packet(struct auth *a, const uint8_t *data, size_t size);

/* Control's answer to a SIGN frame. Ignored if none was asked for. */
void auth_signature(struct session *s, struct bytes signature);

#endif
