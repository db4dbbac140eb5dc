/* SPDX-License-Identifier: GPL-3.0-or-later */
/* identity, identity_openssh, pubkey: reading key files and signing. */
#include "config.h"

#include "control/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/dsa.h>
#include <openssl/pem.h>

#include "control/identity_openssh.h"
#include "control/pubkey.h"
#include "keys.h"
#include "util/buf.h"
#include "util/xalloc.h"

static const uint8_t data[300] = "what is to be signed";

static const struct {
	const char *type;
	const char *algorithm;
} kinds[] = {
    {"ed25519", "ssh-ed25519"},
    {"ecdsa-256", "ecdsa-sha2-nistp256"},
    {"ecdsa-384", "ecdsa-sha2-nistp384"},
    {"ecdsa-521", "ecdsa-sha2-nistp521"},
    {"rsa-2048", "rsa-sha2-512"},
    {"rsa-3072", "rsa-sha2-512"},
};
#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

static const char *const formats[] = {"RFC4716", "PEM", "PKCS8"};
#define FORMAT_COUNT (sizeof(formats) / sizeof(formats[0]))

static int
make_keys(void **state)
{
	size_t i;

	if (keys_setup(state) == -1)
		return -1;
	for (i = 0; i < KIND_COUNT; i++)
		keys_make(kinds[i].type, kinds[i].type, "");
	return 0;
}

static enum identity_state
read_file(const char *path, struct identity **id, struct error *err)
{
	err->text[0] = '\0';
	return identity_read_file(path, id, err);
}

static void
assert_blob(const struct identity *id, const char *name)
{
	size_t len;
	uint8_t *blob = keys_blob(name, &len);

	assert_int_equal(id->blob_len, len);
	assert_memory_equal(id->blob, blob, len);
	free(blob);
}

static void
assert_signs(const struct identity *id, const char *name)
{
	struct error err;
	uint8_t *sig;
	size_t len;
	int i;

	/* Twice: the first must not use the key up. */
	for (i = 0; i < 2; i++) {
		assert_int_equal(
		    identity_sign(id, data, sizeof(data), &sig, &len, &err), 0);
		assert_true(keys_verify(name, sig, len, data, sizeof(data)));
		sig[len - 1] ^= 1;
		assert_false(keys_verify(name, sig, len, data, sizeof(data)));
		free(sig);
	}
}

static void
test_every_type_and_format_is_read_and_signs(void **state)
{
	struct identity *id;
	struct error err;
	size_t i, k;

	(void)state;
	for (i = 0; i < KIND_COUNT; i++) {
		for (k = 0; k < FORMAT_COUNT; k++) {
			keys_run("cp %s key && ssh-keygen -q -p -P '' -N '' "
				 "-m %s -f key",
			    kinds[i].type, formats[k]);
			assert_int_equal(
			    read_file("key", &id, &err), IDENTITY_OK);
			assert_string_equal(id->algorithm, kinds[i].algorithm);
			assert_string_equal(id->source, "key");
			assert_blob(id, kinds[i].type);
			assert_signs(id, kinds[i].type);
			identity_free(id);
		}
	}
}

static void
test_encrypted_keys_give_their_public_half(void **state)
{
	struct identity *id;
	struct error err;
	size_t i, k;
	bool is_pem;

	(void)state;
	for (i = 0; i < KIND_COUNT; i++) {
		for (k = 0; k < FORMAT_COUNT; k++) {
			keys_run("rm -f key.pub; cp %s key && ssh-keygen -q -p "
				 "-P '' -N secret -m %s -f key",
			    kinds[i].type, formats[k]);
			is_pem = k > 0 && i > 0; /* never for ed25519 */
			assert_int_equal(
			    read_file("key", &id, &err), IDENTITY_ENCRYPTED);
			assert_true((id->blob == NULL) == is_pem);
			identity_free(id);
			keys_run("cp %s.pub key.pub", kinds[i].type);
			assert_int_equal(
			    read_file("key", &id, &err), IDENTITY_ENCRYPTED);
			assert_blob(id, kinds[i].type);
			assert_null(id->private_key);
			assert_null(id->agent);
			identity_free(id);
		}
	}
}

static void
write_pem(const char *name, EVP_PKEY *key)
{
	FILE *fp = fopen(name, "w");

	assert_non_null(key);
	assert_non_null(fp);
	assert_int_equal(chmod(name, 0600), 0);
	assert_int_equal(
	    PEM_write_PKCS8PrivateKey(fp, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(fp);
	EVP_PKEY_free(key);
}

static void
test_ed25519_in_pkcs8_is_read(void **state)
{
	struct identity *id;
	struct error err;
	uint8_t *sig;
	size_t len;

	(void)state;
	write_pem("pkcs8", EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	assert_int_equal(read_file("pkcs8", &id, &err), IDENTITY_OK);
	assert_string_equal(id->algorithm, "ssh-ed25519");
	assert_int_equal(
	    identity_sign(id, data, sizeof(data), &sig, &len, &err), 0);
	assert_int_equal(len, 64);
	free(sig);
	identity_free(id);
}

static void
test_file_that_others_may_use_is_refused(void **state)
{
	static const struct {
		mode_t mode;
		enum identity_state want;
	} rows[] = {{0600, IDENTITY_OK}, {0400, IDENTITY_OK},
	    {0700, IDENTITY_OK}, {0640, IDENTITY_BAD}, {0604, IDENTITY_BAD},
	    {0620, IDENTITY_BAD}, {0610, IDENTITY_BAD}, {0644, IDENTITY_BAD},
	    {0666, IDENTITY_BAD}};
	struct identity *id;
	struct error err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(chmod("ed25519", rows[i].mode), 0);
		assert_int_equal(read_file("ed25519", &id, &err), rows[i].want);
		if (rows[i].want == IDENTITY_BAD)
			assert_non_null(strstr(err.text, "chmod 600 ed25519"));
		identity_free(id);
	}
	chmod("ed25519", 0600);
}

static void
write_openssh(const char *name, const uint8_t *bytes, size_t len)
{
	char base64[2048], text[4096];
	int text_len;

	assert_true(len < 1024);
	EVP_EncodeBlock((uint8_t *)base64, bytes, (int)len);
	text_len = snprintf(text, sizeof(text),
	    "-----BEGIN OPENSSH PRIVATE KEY-----\n%s\n"
	    "-----END OPENSSH PRIVATE KEY-----\n",
	    base64);
	keys_write(name, text, (size_t)text_len);
}

/* A plain OpenSSH key file, up to the public key of that type. */
static void
write_openssh_of_type(const char *name, const char *type)
{
	static const char head[] = "openssh-key-v1\0\0\0\0\4none\0\0\0\4none"
				   "\0\0\0\0\0\0\0\1";
	struct buf b;

	buf_init(&b, 1024);
	buf_append(&b, head, sizeof(head) - 1);
	buf_put_u32(&b, (uint32_t)strlen(type) + 4);
	buf_put_string(&b, type, strlen(type));
	buf_put_string(&b, "", 0);
	write_openssh(name, buf_head(&b), buf_len(&b));
	buf_clear(&b);
}

static EVP_PKEY *
make_dsa(void)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL);
	EVP_PKEY *params = NULL, *key = NULL;

	assert_int_equal(EVP_PKEY_paramgen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_dsa_paramgen_bits(ctx, 1024), 1);
	assert_int_equal(EVP_PKEY_paramgen(ctx, &params), 1);
	EVP_PKEY_CTX_free(ctx);
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, params, NULL);
	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(params);
	return key;
}

static void
make_unusable(void)
{
	write_openssh_of_type("dsa", "ssh-dss");
	write_openssh_of_type("sk", "sk-ssh-ed25519@openssh.com");
	write_openssh_of_type("new", "ssh-mldsa");
	write_pem("dsa_pem", make_dsa());
	write_pem("k1", EVP_PKEY_Q_keygen(NULL, NULL, "EC", "secp256k1"));
	write_pem("rsa768", EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)768));
	keys_run("ssh-keygen -q -s rsa-2048 -I id -n user ed25519.pub");
	keys_write("empty", "", 0);
	keys_write("garbage", "\0\377garbage\n\n----\n", 16);
	keys_write("pem",
	    "-----BEGIN PRIVATE KEY-----\nAAAA\n"
	    "-----END PRIVATE KEY-----\n",
	    59);
	keys_run("dd if=/dev/zero of=huge bs=1024 count=300; chmod 600 huge; "
		 "mkdir dir");
}

static void
test_what_cannot_be_used_is_refused_with_a_reason(void **state)
{
	static const struct {
		const char *name;
		const char *reason;
	} rows[] = {{"dsa", "dsa: DSA keys are not supported"},
	    {"new", "new: unknown type of key"},
	    {"dsa_pem", "dsa_pem: DSA keys are not supported"},
	    {"k1", "k1: no ed25519, ECDSA (nistp) or RSA key"},
	    {"rsa768", "an RSA key of 768 bits is refused"},
	    {"sk", "security keys (sk-) are not supported"},
	    {"ed25519-cert.pub", "certificates are not supported"},
	    {"empty", "empty: the file is empty"},
	    {"garbage", "garbage: not a private key"},
	    {"pem", "pem: not a private key"}, {"huge", "huge: too large"},
	    {"dir", "dir: Is a directory"}};
	struct identity *id;
	struct error err;
	size_t i;

	(void)state;
	make_unusable();
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
		    read_file(rows[i].name, &id, &err), IDENTITY_BAD);
		assert_null(id);
		if (strstr(err.text, rows[i].reason) == NULL)
			fail_msg("%s: %s", rows[i].name, err.text);
	}
}

static void
test_public_key_and_absent_file_are_told_apart(void **state)
{
	struct identity *id;
	struct error err;

	(void)state;
	assert_int_equal(read_file("rsa-2048.pub", &id, &err), IDENTITY_PUBLIC);
	assert_non_null(strstr(err.text, "rsa-2048.pub: a public key"));
	assert_blob(id, "rsa-2048");
	identity_free(id);
	keys_run("cp ed25519.pub alone.pub");
	assert_int_equal(read_file("alone", &id, &err), IDENTITY_PUBLIC);
	assert_blob(id, "ed25519");
	identity_free(id);
	assert_int_equal(read_file("nothing", &id, &err), IDENTITY_ABSENT);
	assert_string_equal(err.text, "nothing: No such file or directory");
	assert_null(id);
}

/*
 * The OpenSSH format, byte by byte
 */

/* Parse bytes as if they stood in a key file. */
static enum identity_state
parse_binary(const uint8_t *bytes, size_t len, EVP_PKEY **key)
{
	char *base64 = xmalloc(len * 4 / 3 + 8), *text;
	enum identity_state result;
	struct error err;
	uint8_t *blob = NULL;
	size_t blob_len;

	EVP_EncodeBlock((uint8_t *)base64, bytes, (int)len);
	text = xasprintf("-----BEGIN OPENSSH PRIVATE KEY-----\n%s\n"
			 "-----END OPENSSH PRIVATE KEY-----\n",
	    base64);
	*key = NULL;
	result = identity_openssh_parse(
	    text, strlen(text), key, &blob, &blob_len, &err);
	free(blob);
	free(text);
	free(base64);
	return result;
}

/* The bytes of a key file; caller frees. */
static uint8_t *
load_binary(const char *name, size_t *len)
{
	size_t text_len;
	char *text = keys_read(name, &text_len);
	char *body = strchr(text, '\n'), *end = strstr(text, "-----END");
	struct buf b;
	uint8_t *bytes;

	buf_init(&b, text_len);
	assert_int_equal(
	    pubkey_decode_base64(&b, body, (size_t)(end - body)), 0);
	*len = buf_len(&b);
	bytes = xmemdup(buf_head(&b), *len);
	buf_clear(&b);
	free(text);
	return bytes;
}

static void
test_truncated_at_every_byte_is_refused(void **state)
{
	struct identity *id;
	struct error err;
	uint8_t *bytes, *cut;
	size_t i, k, len, text_len;
	EVP_PKEY *key;
	char *text;

	(void)state;
	for (i = 0; i < KIND_COUNT; i++) {
		bytes = load_binary(kinds[i].type, &len);
		for (k = 0; k <= len; k++) {
			/* A block of its own, so that ASan sees its end. */
			cut = xmemdup(bytes, k);
			assert_int_equal(parse_binary(cut, k, &key),
			    k == len ? IDENTITY_OK : IDENTITY_BAD);
			EVP_PKEY_free(key);
			free(cut);
		}
		free(bytes);
	}
	text = keys_read("ed25519", &text_len);
	for (k = 0; k < text_len - 1; k++) {
		keys_write("cut", text, k);
		assert_int_equal(read_file("cut", &id, &err), IDENTITY_BAD);
	}
	free(text);
}

/* The comment alone may change. */
static void
test_changed_byte_is_refused_or_harmless(void **state)
{
	const uint8_t *comment;
	size_t i, k, len;
	uint8_t *bytes;
	EVP_PKEY *key;

	(void)state;
	for (i = 0; i < 4; i++) {
		bytes = load_binary(kinds[i].type, &len);
		comment = memmem(bytes, len, "\0\0\0\5a key", 9);
		assert_non_null(comment);
		comment += 4;
		for (k = 0; k < len; k++) {
			bytes[k] ^= 0x41;
			if (parse_binary(bytes, len, &key) == IDENTITY_OK &&
			    (bytes + k < comment || bytes + k >= comment + 5))
				/* Only an ECDSA scalar fits any public half:
				 * identity_read_file() finds that out. */
				assert_true(i > 0 &&
				    bytes + k >= comment - 4 - 67 &&
				    bytes + k < comment - 4);
			EVP_PKEY_free(key);
			bytes[k] ^= 0x41;
		}
		free(bytes);
	}
}

static void
test_key_that_does_not_fit_its_public_half_is_refused(void **state)
{
	struct identity *id;
	struct error err;
	uint8_t *bytes, *tail;
	size_t len;

	(void)state;
	bytes = load_binary("ecdsa-256", &len);
	/* The scalar's last byte stands before the comment. */
	tail = memmem(bytes, len, "\0\0\0\5a key", 9);
	assert_non_null(tail);
	tail[-1] ^= 1;
	write_openssh("damaged", bytes, len);
	assert_int_equal(read_file("damaged", &id, &err), IDENTITY_BAD);
	assert_string_equal(
	    err.text, "damaged: the key does not verify what it signs");
	free(bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_type_and_format_is_read_and_signs),
	    cmocka_unit_test(test_encrypted_keys_give_their_public_half),
	    cmocka_unit_test(test_ed25519_in_pkcs8_is_read),
	    cmocka_unit_test(test_file_that_others_may_use_is_refused),
	    cmocka_unit_test(test_what_cannot_be_used_is_refused_with_a_reason),
	    cmocka_unit_test(test_public_key_and_absent_file_are_told_apart),
	    cmocka_unit_test(test_truncated_at_every_byte_is_refused),
	    cmocka_unit_test(test_changed_byte_is_refused_or_harmless),
	    cmocka_unit_test(
		test_key_that_does_not_fit_its_public_half_is_refused),
	};

	return cmocka_run_group_tests(tests, make_keys, keys_teardown);
}
