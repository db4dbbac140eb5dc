/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libssh2 asks libcrypto for the same things over and over:
 *
 *  - For each packet's MAC it names the digest by EVP_sha256() or EVP_sha512(),
 *    and OpenSSL 3 then searches its providers for it, with locks: some 40
 *    searches a connection. Here the digest is found at the start.
 *  - For each key exchange it has the curve built from its parameters. Here it
 *    gets a copy.
 *
 * The functions are in between because those of the program are found before
 * those of the same name in a library. Where libssh2 is linked otherwise, its
 * calls go to libcrypto as ever.
 */
#include "config.h"

/* libssh2 calls what OpenSSL 3 has deprecated, so it has to be here too. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "worker/crypto_once.h"

#include <dlfcn.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>

#include "util/log.h"

typedef const EVP_MD *digest_function(void);

/* Set once: the functions below get no argument of ours. */
static EVP_MD *sha256, *sha512;
static EC_GROUP *nistp256;

void
crypto_once_init(void)
{
	EVP_MD *found_256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	EVP_MD *found_512 = EVP_MD_fetch(NULL, "SHA512", NULL);

	nistp256 = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	if (found_256 == NULL || found_512 == NULL || nistp256 == NULL)
		fatal("libcrypto has no SHA-2 or no nistp256");
	sha256 = found_256;
	sha512 = found_512;
}

void
crypto_next(const char *name, void *function)
{
	void *symbol = dlsym(RTLD_NEXT, name);

	if (symbol == NULL)
		fatal("libcrypto has no %s()", name);
	/* POSIX lets void pointers hold functions. */
	memcpy(function, &symbol, sizeof(symbol));
}

static const EVP_MD *
next_digest(const char *name)
{
	digest_function *next;

	crypto_next(name, &next);
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
	EC_GROUP *own = NULL;
	const EC_GROUP *group = nistp256;
	EC_KEY *key = EC_KEY_new();

	if (group == NULL || nid != NID_X9_62_prime256v1)
		group = own = EC_GROUP_new_by_curve_name(nid);
	if (key == NULL || group == NULL || EC_KEY_set_group(key, group) != 1) {
		EC_KEY_free(key);
		key = NULL;
	}
	EC_GROUP_free(own);
	return key;
}
