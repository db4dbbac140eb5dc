/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libssh2 up to 1.11.0 uses what libcrypto had before OpenSSL 3, and so asks
 * for the same things over and over:
 *
 *  - For each packet's MAC it names the digest by EVP_sha256() or EVP_sha512(),
 *    for which OpenSSL 3 then searches its providers twice, with locks: some 30
 *    searches a connection. Here the digest is found at the start.
 *  - For each key exchange it has the curve built from its parameters, by
 *    EC_KEY_new_by_curve_name(). Here nistp256, which METHODS_KEX has first, is
 *    built at the start and a key gets a copy.
 *
 * libssh2 1.11.1 with OpenSSL 3 gains nothing here: it names digests and curves
 * in parameters of EVP_MAC and EVP_PKEY. Of the functions here it calls those
 * of the digests alone, once for the signature of an RSA host key, and then
 * nothing but the digest's name is used.
 */
#include "config.h"

/* libssh2 calls what OpenSSL 3 has deprecated, so it has to be here too. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "worker/crypto_once.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>

#include "worker/interpose.h"

typedef const EVP_MD *digest_function(void);
typedef EC_KEY *curve_function(int nid);

/* Set once: the functions below get no argument of ours. */
static EVP_MD *sha256, *sha512;
static EC_GROUP *nistp256;

void
crypto_once_init(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	sha512 = EVP_MD_fetch(NULL, "SHA512", NULL);
	nistp256 = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
}

static const EVP_MD *
next_digest(const char *name)
{
	digest_function *next;

	interpose_next(name, &next);
	return next();
}

const EVP_MD *
EVP_sha256(void)
{
	return sha256 != NULL ? sha256 : next_digest("EVP_sha256");
}

const EVP_MD *
EVP_sha512(void)
{
	return sha512 != NULL ? sha512 : next_digest("EVP_sha512");
}

EC_KEY *
EC_KEY_new_by_curve_name(int nid)
{
	curve_function *next;
	EC_KEY *key;

	if (nistp256 == NULL || nid != NID_X9_62_prime256v1) {
		interpose_next("EC_KEY_new_by_curve_name", &next);
		return next(nid);
	}
	key = EC_KEY_new();
	if (key != NULL && EC_KEY_set_group(key, nistp256) != 1) {
		EC_KEY_free(key);
		key = NULL;
	}
	return key;
}
