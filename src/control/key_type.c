/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One row a type. "fields" describes what follows the type's name in a blob,
 * a letter each:
 *
 *	e  a string of 32 bytes (an Ed25519 point)
 *	c  a string that is the curve's name
 *	p  a string that is an uncompressed point of the curve
 *	n  an RSA modulus: a positive mpint of 1,024 to 16,384 bits
 *	i  any other positive mpint
 *	s  any string
 *	*  the rest, whatever it is (certificates, which we never accept)
 *
 * As in OpenSSH, a blob with anything before or after is no key. Whether a
 * point lies on its curve is not checked: these keys are compared, never
 * used.
 */
#include "config.h"

#include "control/key_type.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "util/buf.h"
#include "util/log.h"
#include "util/xalloc.h"

#define RSA_MIN_BITS 1024u
#define RSA_MAX_BITS 16384u

#define CERT(name)   name "-cert-v01@openssh.com"
#define NISTP256     "nistp256", 65
#define NISTP384     "nistp384", 97
#define NISTP521     "nistp521", 133
#define NO_CURVE     NULL, 0

/*
 * In the order of the offer: a nistp256 signature is the cheapest by far to
 * make and to verify.
 */
static const struct key_type key_types[] = {
    {"ecdsa-sha2-nistp256", "ECDSA nistp256", "ecdsa-sha2-nistp256", NISTP256,
	"cp"},
    {"ssh-ed25519", "ED25519", "ssh-ed25519", NO_CURVE, "e"},
    {"ecdsa-sha2-nistp384", "ECDSA nistp384", "ecdsa-sha2-nistp384", NISTP384,
	"cp"},
    {"ecdsa-sha2-nistp521", "ECDSA nistp521", "ecdsa-sha2-nistp521", NISTP521,
	"cp"},
    {"ssh-rsa", "RSA", "rsa-sha2-512,rsa-sha2-256", NO_CURVE, "in"},
    {"ssh-dss", "DSA", NULL, NO_CURVE, "iiii"},
    {"sk-ssh-ed25519@openssh.com", "ED25519-SK", NULL, NO_CURVE, "es"},
    {"sk-ecdsa-sha2-nistp256@openssh.com", "ECDSA-SK", NULL, NISTP256, "cps"},
    {CERT("ssh-ed25519"), "ED25519-CERT", NULL, NO_CURVE, "*"},
    {CERT("ecdsa-sha2-nistp256"), "ECDSA-CERT", NULL, NO_CURVE, "*"},
    {CERT("ecdsa-sha2-nistp384"), "ECDSA-CERT", NULL, NO_CURVE, "*"},
    {CERT("ecdsa-sha2-nistp521"), "ECDSA-CERT", NULL, NO_CURVE, "*"},
    {CERT("ssh-rsa"), "RSA-CERT", NULL, NO_CURVE, "*"},
    {CERT("ssh-dss"), "DSA-CERT", NULL, NO_CURVE, "*"},
    {CERT("sk-ssh-ed25519"), "ED25519-SK-CERT", NULL, NO_CURVE, "*"},
    {CERT("sk-ecdsa-sha2-nistp256"), "ECDSA-SK-CERT", NULL, NO_CURVE, "*"},
};
#define KEY_TYPE_COUNT (sizeof(key_types) / sizeof(key_types[0]))
_Static_assert(KEY_TYPE_COUNT <= 32, "a set of types is a uint32_t");

const struct key_type *
key_type_at(size_t i)
{
	return i < KEY_TYPE_COUNT ? &key_types[i] : NULL;
}

uint32_t
key_type_bit(const struct key_type *type)
{
	return type != NULL ? UINT32_C(1) << (type - key_types) : 0;
}

static bool
bytes_are(const void *data, size_t len, const char *s)
{
	return len == strlen(s) && memcmp(data, s, len) == 0;
}

static const struct key_type *
type_by_name(const void *name, size_t len)
{
	size_t i;

	for (i = 0; i < KEY_TYPE_COUNT; i++) {
		if (bytes_are(name, len, key_types[i].name))
			return &key_types[i];
	}
	return NULL;
}

const struct key_type *
key_type_by_word(const char *word, size_t len)
{
	if (bytes_are(word, len, "rsa-sha2-256") ||
	    bytes_are(word, len, "rsa-sha2-512"))
		return type_by_name("ssh-rsa", 7);
	return type_by_name(word, len);
}

const char *
key_type_label(const struct key_type *type)
{
	return type != NULL ? type->label : "unknown-type";
}

static bool
is_positive_mpint(const uint8_t *data, size_t len)
{
	return len > 0 && (data[0] & 0x80) == 0 &&
	    (data[0] != 0 || (len > 1 && (data[1] & 0x80) != 0));
}

static bool
is_rsa_modulus(const uint8_t *data, size_t len)
{
	size_t bits;

	if (!is_positive_mpint(data, len))
		return false;
	for (; len > 0 && data[0] == 0; data++)
		len--;
	if (len == 0 || len > RSA_MAX_BITS / 8)
		return false;
	bits = len * 8;
	for (unsigned int top = data[0]; (top & 0x80) == 0; top <<= 1)
		bits--;
	return bits >= RSA_MIN_BITS;
}

static bool
field_is_valid(
    const struct key_type *type, char field, const uint8_t *data, size_t len)
{
	switch (field) {
	case 'e':
		return len == 32;
	case 'c':
		return bytes_are(data, len, type->curve);
	case 'p':
		return len == type->point_bytes && data[0] == 0x04;
	case 'n':
		return is_rsa_modulus(data, len);
	case 'i':
		return is_positive_mpint(data, len);
	default:
		return field == 's';
	}
}

const struct key_type *
key_type_of_blob(const uint8_t *blob, size_t len)
{
	struct cursor c = {blob, len};
	const struct key_type *type;
	const uint8_t *data;
	const char *field;
	size_t size;

	if (len > KEY_BLOB_MAX || cursor_get_string(&c, &data, &size) == -1)
		return NULL;
	type = type_by_name(data, size);
	if (type == NULL)
		return NULL;
	for (field = type->fields; *field != '\0'; field++) {
		if (*field == '*')
			return type;
		if (cursor_get_string(&c, &data, &size) == -1 ||
		    !field_is_valid(type, *field, data, size))
			return NULL;
	}
	return c.left == 0 ? type : NULL;
}

bool
key_blob_is_named(
    const uint8_t *blob, size_t len, const char *word, size_t word_len)
{
	struct cursor c = {blob, len};
	const uint8_t *name;
	size_t name_len;

	return cursor_get_string(&c, &name, &name_len) == 0 &&
	    name_len == word_len && memcmp(name, word, word_len) == 0;
}

char *
base64_encode(const uint8_t *data, size_t len)
{
	char *text;

	if (len > INT_MAX / 2)
		fatal("base64 of %zu bytes", len);
	text = xmalloc((len + 2) / 3 * 4 + 1);
	text[EVP_EncodeBlock((unsigned char *)text, data, (int)len)] = '\0';
	return text;
}

static bool
is_base64_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '+' || c == '/';
}

/*
 * EVP_DecodeBlock() is lenient about white space, '=' in the middle and unused
 * bits, so the characters and the last four of them are checked here.
 */
long
base64_decode(const char *text, size_t len, uint8_t *out, size_t max)
{
	uint8_t bytes[KEY_BLOB_MAX + 2];
	uint8_t last[5];
	size_t padding, size, i;

	if (len == 0 || len % 4 != 0 || len > KEY_TEXT_MAX)
		return -1;
	padding = text[len - 1] != '=' ? 0 : text[len - 2] != '=' ? 1 : 2;
	size = len / 4 * 3 - padding;
	for (i = 0; i < len - padding; i++) {
		if (!is_base64_char(text[i]))
			return -1;
	}
	if (size > max ||
	    EVP_DecodeBlock(bytes, (const uint8_t *)text, (int)len) == -1)
		return -1;
	EVP_EncodeBlock(last, bytes + len / 4 * 3 - 3, (int)(3 - padding));
	if (memcmp(last, text + len - 4, 4) != 0)
		return -1;
	memcpy(out, bytes, size);
	return (long)size;
}

char *
key_fingerprint(const uint8_t *blob, size_t len)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int size = 0;
	char *text, *fingerprint;

	if (EVP_Digest(blob, len, digest, &size, EVP_sha256(), NULL) != 1)
		fatal("SHA-256 failed");
	text = base64_encode(digest, size);
	text[strcspn(text, "=")] = '\0';
	fingerprint = xasprintf("SHA256:%s", text);
	free(text);
	return fingerprint;
}
