/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The file is base64 between two marker lines. It holds:
 *
 *	"openssh-key-v1" NUL
 *	string  cipher, string kdf, string kdf options
 *	uint32  number of keys (always 1)
 *	string  public key
 *	string  private section, encrypted unless the cipher is "none":
 *		uint32  check, uint32 the same check
 *		string  key type, then the fields of that type
 *		string  comment
 *		padding 1, 2, 3, ... to a multiple of the cipher's block
 *
 * An encrypted key is left to ssh-agent; its public half is all we take. Of a
 * plain one an OpenSSL key is made, and its public half must be the one in
 * the file. Private numbers are held in BIGNUMs of BN_secure_new(), because
 * OpenSSL wipes those, and the copies it makes of them, when it frees them.
 */
#include "config.h"

#include "control/identity_openssh.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "control/pubkey.h"
#include "util/buf.h"
#include "util/xalloc.h"

#define BEGIN_MARK	   "-----BEGIN OPENSSH PRIVATE KEY-----"
#define END_MARK	   "-----END OPENSSH PRIVATE KEY-----"
#define MAGIC		   "openssh-key-v1" /* with its NUL */

#define ED25519_SEED_BYTES 32
#define PLAIN_BLOCK_BYTES  8

static bool
string_is(const uint8_t *data, size_t len, const char *s)
{
	return len == strlen(s) && memcmp(data, s, len) == 0;
}

bool
identity_openssh_is(const char *text, size_t len)
{
	return len >= strlen(BEGIN_MARK) &&
	    memcmp(text, BEGIN_MARK, strlen(BEGIN_MARK)) == 0;
}

/* string public (32 bytes), string seed and public (64 bytes) */
static EVP_PKEY *
get_ed25519(struct cursor *c)
{
	const uint8_t *public, *both;
	size_t public_len, both_len;

	if (cursor_get_string(c, &public, &public_len) == -1 ||
	    public_len != ED25519_SEED_BYTES ||
	    cursor_get_string(c, &both, &both_len) == -1 ||
	    both_len != 2 * ED25519_SEED_BYTES ||
	    memcmp(both + ED25519_SEED_BYTES, public, public_len) != 0)
		return NULL;
	return EVP_PKEY_new_raw_private_key(
	    EVP_PKEY_ED25519, NULL, both, ED25519_SEED_BYTES);
}

/* string curve, string point, mpint scalar */
static EVP_PKEY *
get_ecdsa(const struct pubkey_type *type, struct cursor *c)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	const uint8_t *curve, *point;
	size_t curve_len, point_len;
	BIGNUM *scalar = NULL;
	EVP_PKEY *key = NULL;

	if (bld == NULL || cursor_get_string(c, &curve, &curve_len) == -1 ||
	    !string_is(curve, curve_len, type->curve) ||
	    cursor_get_string(c, &point, &point_len) == -1 ||
	    (scalar = pubkey_get_mpint(c)) == NULL)
		goto out;
	if (OSSL_PARAM_BLD_push_utf8_string(
		bld, OSSL_PKEY_PARAM_GROUP_NAME, type->group, 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(
		bld, OSSL_PKEY_PARAM_PUB_KEY, point, point_len) == 1 &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, scalar) == 1)
		key = pubkey_from_params(type, EVP_PKEY_KEYPAIR, bld);
out:
	BN_clear_free(scalar);
	OSSL_PARAM_BLD_free(bld);
	return key;
}

/* The numbers of an RSA key, in the order of the file; two are computed. */
enum { RSA_N, RSA_E, RSA_D, RSA_IQMP, RSA_P, RSA_Q, RSA_DMP1, RSA_DMQ1 };
#define RSA_IN_FILE (RSA_Q + 1)
#define RSA_COUNT   (RSA_DMQ1 + 1)

static const char *const rsa_names[RSA_COUNT] = {
    OSSL_PKEY_PARAM_RSA_N,
    OSSL_PKEY_PARAM_RSA_E,
    OSSL_PKEY_PARAM_RSA_D,
    OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
    OSSL_PKEY_PARAM_RSA_FACTOR1,
    OSSL_PKEY_PARAM_RSA_FACTOR2,
    OSSL_PKEY_PARAM_RSA_EXPONENT1,
    OSSL_PKEY_PARAM_RSA_EXPONENT2,
};

/* d mod (prime - 1), or NULL. */
static BIGNUM *
crt_exponent(const BIGNUM *d, const BIGNUM *prime)
{
	BN_CTX *ctx = BN_CTX_secure_new();
	BIGNUM *r = BN_secure_new(), *secret_d = BN_dup(d);
	BIGNUM *less_one = BN_secure_new();
	bool ok = false;

	if (ctx != NULL && r != NULL && secret_d != NULL && less_one != NULL &&
	    BN_sub(less_one, prime, BN_value_one()) == 1 &&
	    !BN_is_zero(less_one) && !BN_is_negative(less_one)) {
		BN_set_flags(secret_d, BN_FLG_CONSTTIME);
		ok = BN_mod(r, secret_d, less_one, ctx) == 1;
	}
	BN_clear_free(secret_d);
	BN_clear_free(less_one);
	BN_CTX_free(ctx);
	if (!ok) {
		BN_clear_free(r);
		return NULL;
	}
	return r;
}

/* Do the numbers make an RSA key whose size we take? */
static bool
rsa_is_sane(BIGNUM *const n[])
{
	BN_CTX *ctx = BN_CTX_secure_new();
	BIGNUM *product = BN_secure_new();
	bool ok;

	ok = ctx != NULL && product != NULL &&
	    BN_num_bits(n[RSA_N]) >= PUBKEY_RSA_MIN_BITS &&
	    BN_num_bits(n[RSA_N]) <= PUBKEY_RSA_MAX_BITS &&
	    BN_is_odd(n[RSA_P]) && BN_is_odd(n[RSA_Q]) &&
	    BN_mul(product, n[RSA_P], n[RSA_Q], ctx) == 1 &&
	    BN_cmp(product, n[RSA_N]) == 0;
	BN_clear_free(product);
	BN_CTX_free(ctx);
	return ok;
}

/* mpint n, e, d, iqmp, p, q */
static EVP_PKEY *
get_rsa(const struct pubkey_type *type, struct cursor *c)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	BIGNUM *n[RSA_COUNT] = {NULL};
	EVP_PKEY *key = NULL;
	int i;

	if (bld == NULL)
		return NULL;
	for (i = 0; i < RSA_IN_FILE; i++) {
		if ((n[i] = pubkey_get_mpint(c)) == NULL)
			goto out;
	}
	if (!rsa_is_sane(n))
		goto out;
	n[RSA_DMP1] = crt_exponent(n[RSA_D], n[RSA_P]);
	n[RSA_DMQ1] = crt_exponent(n[RSA_D], n[RSA_Q]);
	for (i = 0; i < RSA_COUNT; i++) {
		if (n[i] == NULL ||
		    OSSL_PARAM_BLD_push_BN(bld, rsa_names[i], n[i]) != 1)
			goto out;
	}
	key = pubkey_from_params(type, EVP_PKEY_KEYPAIR, bld);
out:
	for (i = 0; i < RSA_COUNT; i++)
		BN_clear_free(n[i]);
	OSSL_PARAM_BLD_free(bld);
	return key;
}

static EVP_PKEY *
get_key(const struct pubkey_type *type, struct cursor *c)
{
	if (type->curve != NULL)
		return get_ecdsa(type, c);
	if (type->digest == NULL)
		return get_ed25519(c);
	return get_rsa(type, c);
}

/* The comment, then padding up to the end. */
static int
check_tail(struct cursor *c)
{
	const uint8_t *comment;
	size_t len;
	uint8_t pad, want = 0;

	if (cursor_get_string(c, &comment, &len) == -1)
		return -1;
	while (cursor_get_u8(c, &pad) == 0) {
		if (pad != ++want)
			return -1;
	}
	return 0;
}

static EVP_PKEY *
parse_private(
    const struct pubkey_type *type, const uint8_t *section, size_t len)
{
	struct cursor c = {section, len};
	uint32_t check1, check2;
	const uint8_t *name;
	size_t name_len;
	EVP_PKEY *key;

	if (len % PLAIN_BLOCK_BYTES != 0 || cursor_get_u32(&c, &check1) == -1 ||
	    cursor_get_u32(&c, &check2) == -1 || check1 != check2 ||
	    cursor_get_string(&c, &name, &name_len) == -1 ||
	    !string_is(name, name_len, type->name))
		return NULL;
	key = get_key(type, &c);
	if (key != NULL && check_tail(&c) == -1) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	return key;
}

/* Is blob the public half of key? */
static bool
has_public_half(const EVP_PKEY *key, const uint8_t *blob, size_t len)
{
	const struct pubkey_type *type;
	size_t own_len;
	uint8_t *own = pubkey_from_openssl(key, &own_len, &type, NULL);
	bool same;

	same = own != NULL && own_len == len && memcmp(own, blob, len) == 0;
	free(own);
	return same;
}

/* What stands before the private section. */
struct outer {
	bool is_encrypted;
	const uint8_t *blob;
	size_t blob_len;
	const uint8_t *section;
	size_t section_len;
};

static int
parse_outer(struct cursor *c, struct outer *o)
{
	const uint8_t *magic, *cipher, *kdf, *options;
	size_t cipher_len, kdf_len, options_len;
	uint32_t key_count;

	if (cursor_get_bytes(c, &magic, sizeof(MAGIC)) == -1 ||
	    memcmp(magic, MAGIC, sizeof(MAGIC)) != 0 ||
	    cursor_get_string(c, &cipher, &cipher_len) == -1 ||
	    cursor_get_string(c, &kdf, &kdf_len) == -1 ||
	    cursor_get_string(c, &options, &options_len) == -1 ||
	    cursor_get_u32(c, &key_count) == -1 || key_count != 1 ||
	    cursor_get_string(c, &o->blob, &o->blob_len) == -1 ||
	    cursor_get_string(c, &o->section, &o->section_len) == -1)
		return -1;
	o->is_encrypted = !string_is(cipher, cipher_len, "none");
	if (o->is_encrypted)
		return o->section_len > 0 ? 0 : -1;
	/* Ciphers with a tag have it behind the section, "none" nothing. */
	return c->left == 0 && string_is(kdf, kdf_len, "none") ? 0 : -1;
}

static enum identity_state
parse_binary(const uint8_t *data, size_t len, EVP_PKEY **key, uint8_t **blob,
    size_t *blob_len, struct error *err)
{
	struct cursor c = {data, len};
	const struct pubkey_type *type;
	struct outer o;

	if (parse_outer(&c, &o) == -1) {
		error_set(err, "malformed OpenSSH private key");
		return IDENTITY_BAD;
	}
	type = pubkey_check(o.blob, o.blob_len, err);
	if (type == NULL)
		return IDENTITY_BAD;
	if (o.is_encrypted) {
		*blob = xmemdup(o.blob, o.blob_len);
		*blob_len = o.blob_len;
		return IDENTITY_ENCRYPTED;
	}
	*key = parse_private(type, o.section, o.section_len);
	if (*key != NULL && has_public_half(*key, o.blob, o.blob_len))
		return IDENTITY_OK;
	EVP_PKEY_free(*key);
	*key = NULL;
	error_set(err, "malformed OpenSSH private key");
	return IDENTITY_BAD;
}

enum identity_state
identity_openssh_parse(const char *text, size_t len, EVP_PKEY **key,
    uint8_t **blob, size_t *blob_len, struct error *err)
{
	enum identity_state state = IDENTITY_BAD;
	const char *body, *end;
	size_t body_len;
	struct buf b;

	if (!identity_openssh_is(text, len)) {
		error_set(err, "malformed OpenSSH private key");
		return IDENTITY_BAD;
	}
	body = text + strlen(BEGIN_MARK);
	body_len = len - strlen(BEGIN_MARK);
	end = memmem(body, body_len, END_MARK, strlen(END_MARK));
	buf_init(&b, body_len + 4);
	if (end == NULL ||
	    pubkey_decode_base64(&b, body, (size_t)(end - body)) == -1)
		error_set(err, "malformed OpenSSH private key");
	else
		state = parse_binary(
		    buf_head(&b), buf_len(&b), key, blob, blob_len, err);
	buf_clear(&b);
	return state;
}
