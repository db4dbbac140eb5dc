/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pubkey: the types of user keys that can be used, and their public halves
 * in SSH wire format ("blobs": RFC 4253 section 6.6, RFC 5656, RFC 8709).
 */
#ifndef CONTROL_PUBKEY_H
#define CONTROL_PUBKEY_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "util/buf.h"
#include "util/error.h"

/* Limits for RSA, as ssh has them. */
#define PUBKEY_RSA_MIN_BITS 1024
#define PUBKEY_RSA_MAX_BITS 16384

struct pubkey_type {
	const char *name;      /* first string of the blob */
	const char *algorithm; /* of its signatures */
	const char *openssl;   /* OpenSSL's name of the key type */
	const char *digest;    /* hash that is signed; NULL for ed25519 */
	const char *curve;     /* ECDSA: the name in the blob; else NULL */
	const char *group;     /* ECDSA: OpenSSL's name of the curve */
	size_t field_bytes;    /* ECDSA: length of a coordinate */
};

/* The type of that name; or NULL, and err says why it can't be used. */
const struct pubkey_type *pubkey_type(
    const uint8_t *name, size_t len, struct error *err);

/*
 * Check a blob from outside: a usable type, all fields, nothing behind them.
 * Returns its type, or NULL with err.
 */
const struct pubkey_type *pubkey_check(
    const uint8_t *blob, size_t len, struct error *err);

/*
 * The blob of an OpenSSL key (caller frees) and its type; or NULL with err
 * if the key's type or size can't be used.
 */
uint8_t *pubkey_from_openssl(const EVP_PKEY *key, size_t *len,
    const struct pubkey_type **type, struct error *err);

/*
 * The OpenSSL key of a blob from outside (caller frees); or NULL if it is not
 * of a usable type, or OpenSSL does not take it: a point off its curve, say.
 */
EVP_PKEY *pubkey_to_openssl(const uint8_t *blob, size_t len);

/*
 * The OpenSSL key of these parameters (caller frees): both halves
 * (EVP_PKEY_KEYPAIR) or the public one (EVP_PKEY_PUBLIC_KEY). NULL if OpenSSL
 * does not take them.
 */
EVP_PKEY *pubkey_from_params(
    const struct pubkey_type *type, int selection, OSSL_PARAM_BLD *bld);

/*
 * Parse the text of a .pub file ("type base64 comment"). Returns 1 with
 * *blob (caller frees) for a usable key, 0 if the text is no public key, -1
 * with err if it is one that can't be used.
 */
int pubkey_parse_text(const char *text, size_t text_len, uint8_t **blob,
    size_t *len, struct error *err);

/* Append a non-negative number as an mpint of RFC 4251 section 5. */
int pubkey_put_mpint(struct buf *b, const BIGNUM *n);

/*
 * A non-negative mpint, no longer than the limit of RSA, as a new number that
 * OpenSSL wipes when it frees it; or NULL.
 */
BIGNUM *pubkey_get_mpint(struct cursor *c);

/*
 * Append what the base64 text stands for; white space in it is skipped.
 * Returns 0, or -1 if it is malformed or the buffer's maximum is exceeded.
 */
int pubkey_decode_base64(struct buf *b, const char *text, size_t len);

#endif
