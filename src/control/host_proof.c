/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "control/host_proof.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "control/pubkey.h"
#include "util/buf.h"

/* Larger than the signature of any key within our limits. */
#define DER_MAX (PUBKEY_RSA_MAX_BITS / 8 + 64)

/* The type of a key's blob. */
static const struct pubkey_type *
type_of(struct bytes host_key)
{
	struct cursor c = {host_key.data, host_key.len};
	const uint8_t *name;
	size_t len;

	if (cursor_get_string(&c, &name, &len) == -1)
		return NULL;
	return pubkey_type(name, len, NULL);
}

static bool
bytes_are(struct bytes b, const char *s)
{
	return b.len == strlen(s) && memcmp(b.data, s, b.len) == 0;
}

/*
 * *digest: the hash of that signature algorithm, NULL for ed25519. Returns 0,
 * or -1 if it is none that keys of the type sign with.
 */
static int
find_digest(
    const struct pubkey_type *type, struct bytes algorithm, const char **digest)
{
	*digest = type->digest;
	if (bytes_are(algorithm, type->algorithm))
		return 0;
	/* RFC 8332 */
	*digest = "SHA256";
	return strcmp(type->openssl, "RSA") == 0 &&
		bytes_are(algorithm, "rsa-sha2-256")
	    ? 0
	    : -1;
}

/*
 * mpint r, mpint s (RFC 5656 section 3.1.2) as OpenSSL has it, into der, which
 * holds DER_MAX bytes.
 */
static int
der_from_ecdsa(uint8_t *der, struct bytes *signature)
{
	struct cursor c = {signature->data, signature->len};
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = pubkey_get_mpint(&c), *s = pubkey_get_mpint(&c);
	int len = -1;

	if (sig != NULL && r != NULL && s != NULL && c.left == 0 &&
	    ECDSA_SIG_set0(sig, r, s) == 1) {
		r = s = NULL; /* they are its own now */
		len = i2d_ECDSA_SIG(sig, NULL);
	}
	if (len > 0 && (size_t)len <= DER_MAX) {
		signature->data = der;
		len = i2d_ECDSA_SIG(sig, &der);
		signature->len = (size_t)len;
	} else
		len = -1;
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(sig);
	return len > 0 ? 0 : -1;
}

static bool
verifies(struct bytes host_key, const char *digest, struct bytes data,
    struct bytes signature)
{
	EVP_PKEY *key = pubkey_to_openssl(host_key.data, host_key.len);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok;

	ok = key != NULL && ctx != NULL &&
	    EVP_DigestVerifyInit_ex(ctx, NULL, digest, NULL, NULL, key, NULL) ==
		1 &&
	    EVP_DigestVerify(
		ctx, signature.data, signature.len, data.data, data.len) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return ok;
}

int
host_proof_check(struct bytes host_key, struct bytes request,
    struct bytes proof, struct error *err)
{
	const struct pubkey_type *type = type_of(host_key);
	struct cursor r = {request.data, request.len};
	struct cursor p = {proof.data, proof.len};
	struct bytes id, algorithm, signature;
	uint8_t der[DER_MAX];
	const char *digest;

	if (type == NULL || cursor_get_string(&r, &id.data, &id.len) == -1 ||
	    cursor_get_string(&p, &algorithm.data, &algorithm.len) == -1 ||
	    cursor_get_string(&p, &signature.data, &signature.len) == -1 ||
	    p.left != 0 || find_digest(type, algorithm, &digest) == -1 ||
	    (type->curve != NULL && der_from_ecdsa(der, &signature) == -1) ||
	    !verifies(host_key, digest, id, signature))
		return error_set(err,
		    "refused to sign: not a session that the host's key has "
		    "signed");
	return 0;
}
