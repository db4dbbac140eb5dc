/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One table of key types drives everything: a type that is not in it is not
 * used anywhere. A blob is made from an OpenSSL key here and nowhere else, so
 * two halves of a key are compared by comparing blobs. A user's blob from
 * outside is only offered to servers and compared, and its shape is checked; an
 * OpenSSL key is made of a host's, to verify with.
 */
#include "config.h"

#include "control/pubkey.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>

#include "util/xalloc.h"

#define ED25519_BYTES 32
/* Larger than the blob of any key within our limits. */
#define BLOB_MAX (2 * (PUBKEY_RSA_MAX_BITS / 8) + 256)

static const struct pubkey_type types[] = {
    {.name = "ssh-ed25519", .algorithm = "ssh-ed25519", .openssl = "ED25519"},
    {.name = "ecdsa-sha2-nistp256",
	.algorithm = "ecdsa-sha2-nistp256",
	.openssl = "EC",
	.digest = "SHA256",
	.curve = "nistp256",
	.group = "prime256v1",
	.field_bytes = 32},
    {.name = "ecdsa-sha2-nistp384",
	.algorithm = "ecdsa-sha2-nistp384",
	.openssl = "EC",
	.digest = "SHA384",
	.curve = "nistp384",
	.group = "secp384r1",
	.field_bytes = 48},
    {.name = "ecdsa-sha2-nistp521",
	.algorithm = "ecdsa-sha2-nistp521",
	.openssl = "EC",
	.digest = "SHA512",
	.curve = "nistp521",
	.group = "secp521r1",
	.field_bytes = 66},
    {.name = "ssh-rsa",
	.algorithm = "rsa-sha2-512",
	.openssl = "RSA",
	.digest = "SHA512"},
};
#define TYPE_COUNT (sizeof(types) / sizeof(types[0]))

static bool
bytes_equal(const uint8_t *data, size_t len, const char *s)
{
	return len == strlen(s) && memcmp(data, s, len) == 0;
}

const struct pubkey_type *
pubkey_type(const uint8_t *name, size_t len, struct error *err)
{
	static const char cert[] = "-cert-v0";
	size_t i;

	for (i = 0; i < TYPE_COUNT; i++) {
		if (bytes_equal(name, len, types[i].name))
			return &types[i];
	}
	if (memmem(name, len, cert, strlen(cert)) != NULL)
		error_set(err, "certificates are not supported");
	else if (len > 3 && memcmp(name, "sk-", 3) == 0)
		error_set(err, "security keys (sk-) are not supported");
	else if (bytes_equal(name, len, "ssh-dss"))
		error_set(err, "DSA keys are not supported");
	else
		error_set(err, "unknown type of key");
	return NULL;
}

static int
check_rsa_bits(size_t bits, struct error *err)
{
	if (bits >= PUBKEY_RSA_MIN_BITS && bits <= PUBKEY_RSA_MAX_BITS)
		return 0;
	return error_set(err, "an RSA key of %zu bits is refused (%d to %d)",
	    bits, PUBKEY_RSA_MIN_BITS, PUBKEY_RSA_MAX_BITS);
}

/* A positive mpint in its shortest form; its length in bits. */
static int
get_mpint_bits(struct cursor *c, size_t *bits)
{
	const uint8_t *p;
	size_t len;

	if (cursor_get_string(c, &p, &len) == -1 || len == 0 ||
	    (p[0] & 0x80) != 0)
		return -1;
	if (p[0] == 0) {
		p++;
		len--;
		if (len == 0 || (p[0] & 0x80) == 0)
			return -1;
	}
	for (*bits = len * 8; (p[0] >> ((*bits - 1) % 8)) == 0;)
		(*bits)--;
	return 0;
}

static int
check_ecdsa(const struct pubkey_type *type, struct cursor *c)
{
	const uint8_t *p;
	size_t len;

	if (cursor_get_string(c, &p, &len) == -1 ||
	    !bytes_equal(p, len, type->curve) ||
	    cursor_get_string(c, &p, &len) == -1 ||
	    len != 1 + 2 * type->field_bytes || p[0] != 4)
		return -1;
	return 0;
}

const struct pubkey_type *
pubkey_check(const uint8_t *blob, size_t len, struct error *err)
{
	struct cursor c = {blob, len};
	const struct pubkey_type *type;
	const uint8_t *p;
	size_t p_len, bits = 0;
	int rc = -1;

	if (cursor_get_string(&c, &p, &p_len) == -1) {
		error_set(err, "malformed public key");
		return NULL;
	}
	type = pubkey_type(p, p_len, err);
	if (type == NULL)
		return NULL;
	if (type->curve != NULL)
		rc = check_ecdsa(type, &c);
	else if (type->digest == NULL)
		rc = cursor_get_string(&c, &p, &p_len) == -1 ||
			p_len != ED25519_BYTES
		    ? -1
		    : 0;
	else if (get_mpint_bits(&c, &bits) == 0 &&
	    get_mpint_bits(&c, &bits) == 0)
		rc = 0;
	if (rc == -1 || c.left != 0) {
		error_set(err, "malformed public key");
		return NULL;
	}
	if (bits != 0 && check_rsa_bits(bits, err) == -1)
		return NULL;
	return type;
}

int
pubkey_put_mpint(struct buf *b, const BIGNUM *n)
{
	size_t len = (size_t)BN_num_bytes(n);
	/* A set top bit would make it negative: a zero byte goes before. */
	size_t pad = len > 0 && BN_num_bits(n) % 8 == 0 ? 1 : 0;
	uint8_t *p;

	if (BN_is_negative(n) || buf_reserve(b, 4 + pad + len) == NULL)
		return -1;
	buf_put_u32(b, (uint32_t)(pad + len));
	if (pad > 0)
		buf_put_u8(b, 0);
	p = buf_reserve(b, len);
	BN_bn2bin(n, p);
	buf_advance(b, len);
	return 0;
}

BIGNUM *
pubkey_get_mpint(struct cursor *c)
{
	const uint8_t *p;
	size_t len;
	BIGNUM *n;

	if (cursor_get_string(c, &p, &len) == -1 || len == 0 ||
	    len > PUBKEY_RSA_MAX_BITS / 8 + 1 || (p[0] & 0x80) != 0)
		return NULL;
	n = BN_secure_new();
	if (n == NULL || BN_bin2bn(p, (int)len, n) == NULL) {
		BN_clear_free(n);
		return NULL;
	}
	return n;
}

EVP_PKEY *
pubkey_from_params(
    const struct pubkey_type *type, int selection, OSSL_PARAM_BLD *bld)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY_CTX *ctx;
	EVP_PKEY *key = NULL;

	ctx = EVP_PKEY_CTX_new_from_name(NULL, type->openssl, NULL);
	if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, selection, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return key;
}

/* string curve, string point */
static int
push_ecdsa(
    OSSL_PARAM_BLD *bld, const struct pubkey_type *type, struct cursor *c)
{
	const uint8_t *p;
	size_t len;

	if (cursor_get_string(c, &p, &len) == -1 ||
	    cursor_get_string(c, &p, &len) == -1 ||
	    OSSL_PARAM_BLD_push_utf8_string(
		bld, OSSL_PKEY_PARAM_GROUP_NAME, type->group, 0) != 1 ||
	    OSSL_PARAM_BLD_push_octet_string(
		bld, OSSL_PKEY_PARAM_PUB_KEY, p, len) != 1)
		return -1;
	return 0;
}

/* A blob that was checked, behind its type; ECDSA or RSA. */
static EVP_PKEY *
get_key(const struct pubkey_type *type, struct cursor *c)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	BIGNUM *e = NULL, *n = NULL;
	EVP_PKEY *key = NULL;

	if (bld == NULL)
		return NULL;
	if (type->curve != NULL) {
		if (push_ecdsa(bld, type, c) == -1)
			goto out;
	} else if ((e = pubkey_get_mpint(c)) == NULL ||
	    (n = pubkey_get_mpint(c)) == NULL ||
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e) != 1 ||
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) != 1)
		goto out;
	key = pubkey_from_params(type, EVP_PKEY_PUBLIC_KEY, bld);
out:
	BN_clear_free(e);
	BN_clear_free(n);
	OSSL_PARAM_BLD_free(bld);
	return key;
}

EVP_PKEY *
pubkey_to_openssl(const uint8_t *blob, size_t len)
{
	const struct pubkey_type *type = pubkey_check(blob, len, NULL);
	struct cursor c = {blob, len};
	const uint8_t *p;
	size_t p_len;

	if (type == NULL || cursor_get_string(&c, &p, &p_len) == -1)
		return NULL;
	if (type->digest != NULL)
		return get_key(type, &c);
	if (cursor_get_string(&c, &p, &p_len) == -1)
		return NULL;
	return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, p, p_len);
}

static int
put_ed25519(struct buf *b, const EVP_PKEY *key)
{
	uint8_t raw[ED25519_BYTES];
	size_t len = sizeof(raw);

	if (EVP_PKEY_get_raw_public_key(key, raw, &len) != 1 ||
	    len != sizeof(raw))
		return -1;
	return buf_put_string(b, raw, len);
}

/* From the coordinates: the encoded point might be a compressed one. */
static int
put_ecdsa(struct buf *b, const struct pubkey_type *type, const EVP_PKEY *key)
{
	uint8_t point[1 + 2 * 66];
	int field = (int)type->field_bytes;
	BIGNUM *x = NULL, *y = NULL;
	int rc = -1;

	point[0] = 4;
	if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 &&
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1 &&
	    BN_bn2binpad(x, point + 1, field) == field &&
	    BN_bn2binpad(y, point + 1 + field, field) == field &&
	    buf_put_string(b, type->curve, strlen(type->curve)) == 0)
		rc = buf_put_string(b, point, 1 + 2 * type->field_bytes);
	BN_free(x);
	BN_free(y);
	return rc;
}

static int
put_rsa(struct buf *b, const EVP_PKEY *key)
{
	BIGNUM *e = NULL, *n = NULL;
	int rc = -1;

	if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 &&
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
	    pubkey_put_mpint(b, e) == 0)
		rc = pubkey_put_mpint(b, n);
	BN_free(e);
	BN_free(n);
	return rc;
}

static const struct pubkey_type *
type_from_openssl(const EVP_PKEY *key, struct error *err)
{
	char group[64] = "";
	size_t i;

	if (EVP_PKEY_is_a(key, "EC") &&
	    EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1)
		group[0] = '\0';
	for (i = 0; i < TYPE_COUNT; i++) {
		if (EVP_PKEY_is_a(key, types[i].openssl) &&
		    (types[i].group == NULL ||
			strcmp(types[i].group, group) == 0))
			return &types[i];
	}
	if (EVP_PKEY_is_a(key, "DSA"))
		error_set(err, "DSA keys are not supported");
	else
		error_set(err, "no ed25519, ECDSA (nistp) or RSA key");
	return NULL;
}

uint8_t *
pubkey_from_openssl(const EVP_PKEY *key, size_t *len,
    const struct pubkey_type **type, struct error *err)
{
	const struct pubkey_type *t = type_from_openssl(key, err);
	uint8_t *blob = NULL;
	struct buf b;
	int rc;

	if (t == NULL)
		return NULL;
	if (strcmp(t->openssl, "RSA") == 0 &&
	    check_rsa_bits((size_t)EVP_PKEY_get_bits(key), err) == -1)
		return NULL;
	buf_init(&b, BLOB_MAX);
	buf_put_string(&b, t->name, strlen(t->name));
	if (t->curve != NULL)
		rc = put_ecdsa(&b, t, key);
	else if (t->digest == NULL)
		rc = put_ed25519(&b, key);
	else
		rc = put_rsa(&b, key);
	if (rc == 0 && pubkey_check(buf_head(&b), buf_len(&b), NULL) == t) {
		*type = t;
		*len = buf_len(&b);
		blob = xmemdup(buf_head(&b), *len);
	} else
		error_set(err, "the key has no usable public half");
	buf_clear(&b);
	return blob;
}

int
pubkey_decode_base64(struct buf *b, const char *text, size_t len)
{
	char *dense = xmalloc(len + 1);
	size_t count = 0, pad = 0, i;
	uint8_t *out;
	int n, rc = -1;

	for (i = 0; i < len; i++) {
		if (!isspace((unsigned char)text[i]))
			dense[count++] = text[i];
	}
	while (pad < count && pad < 2 && dense[count - 1 - pad] == '=')
		pad++;
	/* OpenSSL takes '=' anywhere for a zero. */
	if (count % 4 != 0 || memchr(dense, '=', count - pad) != NULL)
		goto out;
	out = buf_reserve(b, count / 4 * 3);
	if (out == NULL)
		goto out;
	n = EVP_DecodeBlock(out, (const uint8_t *)dense, (int)count);
	if (n >= 0) {
		buf_advance(b, (size_t)n - pad);
		rc = 0;
	}
out:
	explicit_bzero(dense, count);
	free(dense);
	return rc;
}

/* The next word of a line, or length 0. */
static const char *
next_word(const char **p, const char *end, size_t *len)
{
	const char *word;

	while (*p < end && (**p == ' ' || **p == '\t'))
		(*p)++;
	word = *p;
	while (*p < end && !isspace((unsigned char)**p) && **p != '\0')
		(*p)++;
	*len = (size_t)(*p - word);
	return word;
}

int
pubkey_parse_text(const char *text, size_t text_len, uint8_t **blob,
    size_t *len, struct error *err)
{
	const char *p = text, *end = text + text_len, *name, *base64;
	size_t name_len, base64_len;
	struct cursor c;
	const uint8_t *inner;
	size_t inner_len;
	struct buf b;
	int rc = 0;

	name = next_word(&p, end, &name_len);
	base64 = next_word(&p, end, &base64_len);
	buf_init(&b, BLOB_MAX);
	if (name_len == 0 || base64_len == 0 ||
	    pubkey_decode_base64(&b, base64, base64_len) == -1)
		goto out;
	c = (struct cursor){buf_head(&b), buf_len(&b)};
	if (cursor_get_string(&c, &inner, &inner_len) == -1 ||
	    inner_len != name_len || memcmp(inner, name, name_len) != 0)
		goto out;
	rc = -1;
	if (pubkey_check(buf_head(&b), buf_len(&b), err) != NULL) {
		*len = buf_len(&b);
		*blob = xmemdup(buf_head(&b), *len);
		rc = 1;
	}
out:
	buf_clear(&b);
	return rc;
}
