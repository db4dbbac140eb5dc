/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "control/host_proof.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/evp.h>

#include "util/buf.h"

/* Banners and KEXINIT packets of both sides stand before it. */
#define HOST_KEY_PLACE 4

static bool
is_same(struct bytes a, struct bytes b)
{
	return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static bool
has_host_key(struct bytes exchange, struct bytes host_key)
{
	struct cursor c = {exchange.data, exchange.len};
	struct bytes field;
	unsigned i;

	for (i = 0; i <= HOST_KEY_PLACE; i++) {
		if (cursor_get_string(&c, &field.data, &field.len) == -1)
			return false;
	}
	return is_same(field, host_key);
}

/* The hash is told by its length: a key exchange uses no other ones. */
static const char *
digest_of(size_t len)
{
	switch (len) {
	case 32:
		return "SHA256";
	case 48:
		return "SHA384";
	case 64:
		return "SHA512";
	default:
		return NULL;
	}
}

static bool
is_hash_of(struct bytes id, struct bytes exchange)
{
	const char *digest = digest_of(id.len);
	uint8_t hash[EVP_MAX_MD_SIZE];
	size_t len;

	return digest != NULL &&
	    EVP_Q_digest(NULL, digest, NULL, exchange.data, exchange.len, hash,
		&len) == 1 &&
	    is_same((struct bytes){hash, len}, id);
}

int
host_proof_check(struct bytes host_key, struct bytes request,
    struct bytes exchange, struct error *err)
{
	struct cursor c = {request.data, request.len};
	struct bytes id;

	if (exchange.len == 0)
		return error_set(err,
		    "the worker cannot tell whose session it is (libssh2 may "
		    "not use OpenSSL 3)");
	if (cursor_get_string(&c, &id.data, &id.len) == -1 ||
	    !is_hash_of(id, exchange) || !has_host_key(exchange, host_key))
		return error_set(
		    err, "not a session with the host whose key was accepted");
	return 0;
}
