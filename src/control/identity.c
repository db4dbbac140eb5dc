/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A key file is read once. What kind it is its text says: a public key (a
 * frequent slip, and of use with an agent), OpenSSH's own format, or what
 * OpenSSL reads. Whatever the format, the key must verify a signature of its
 * own before it is taken, so that a damaged file is found here and not at a
 * thousand hosts.
 *
 * The private key is kept as a digest context that is ready to sign. Each
 * signature works on a copy of it: that saves OpenSSL's look-ups of
 * algorithms, and a context may sign only once.
 */
#include "config.h"

#include "control/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "control/identity_openssh.h"
#include "control/pubkey.h"
#include "util/buf.h"
#include "util/fdio.h"
#include "util/xalloc.h"

#define FILE_MAX (256 * 1024)
#define SIG_MAX	 (PUBKEY_RSA_MAX_BITS / 8 + 64)

/* blob may be NULL; else it is well-formed. */
static struct identity *
identity_new(const char *source, const uint8_t *blob, size_t len)
{
	struct identity *id = xcalloc(1, sizeof(*id));
	const struct pubkey_type *type;

	id->source = xstrdup(source);
	if (blob != NULL && (type = pubkey_check(blob, len, NULL)) != NULL) {
		id->algorithm = type->algorithm;
		id->blob = xmemdup(blob, len);
		id->blob_len = len;
	}
	return id;
}

struct identity *
identity_from_agent(struct agent *agent, const struct agent_key *key)
{
	struct identity *id;
	char *source;

	if (pubkey_check(key->blob, key->blob_len, NULL) == NULL)
		return NULL;
	source = xasprintf("agent: %s", key->comment);
	id = identity_new(source, key->blob, key->blob_len);
	id->agent = agent;
	free(source);
	return id;
}

void
identity_free(struct identity *id)
{
	if (id == NULL)
		return;
	EVP_MD_CTX_free(id->private_key);
	free(id->blob);
	free(id->source);
	free(id);
}

bool
identity_equal(const struct identity *a, const struct identity *b)
{
	return a->blob != NULL && b->blob != NULL &&
	    a->blob_len == b->blob_len &&
	    memcmp(a->blob, b->blob, a->blob_len) == 0;
}

/*
 * Signing
 */

/* OpenSSL's DER signature into mpint r, mpint s. */
static int
ecdsa_from_der(struct buf *b, const uint8_t *der, size_t len)
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
	int rc = -1;

	if (sig != NULL && pubkey_put_mpint(b, ECDSA_SIG_get0_r(sig)) == 0)
		rc = pubkey_put_mpint(b, ECDSA_SIG_get0_s(sig));
	ECDSA_SIG_free(sig);
	return rc;
}

/* A signature in OpenSSL's form into raw, which holds SIG_MAX bytes. */
static int
sign_raw(const struct identity *id, const uint8_t *data, size_t data_len,
    uint8_t *raw, size_t *raw_len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int rc = -1;

	*raw_len = SIG_MAX;
	if (ctx != NULL && EVP_MD_CTX_copy_ex(ctx, id->private_key) == 1 &&
	    EVP_DigestSign(ctx, raw, raw_len, data, data_len) == 1)
		rc = 0;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return rc;
}

int
identity_sign(const struct identity *id, const uint8_t *data, size_t data_len,
    uint8_t **sig, size_t *sig_len, struct error *err)
{
	uint8_t raw[SIG_MAX];
	size_t raw_len;
	struct buf b;
	int rc;

	if (id->private_key == NULL)
		return error_set(err, "%s: no private key", id->source);
	if (sign_raw(id, data, data_len, raw, &raw_len) == -1)
		return error_set(
		    err, "%s: OpenSSL cannot sign with it", id->source);
	buf_init(&b, SIG_MAX);
	if (strncmp(id->algorithm, "ecdsa-", 6) == 0)
		rc = ecdsa_from_der(&b, raw, raw_len);
	else
		rc = buf_append(&b, raw, raw_len);
	if (rc == 0) {
		*sig_len = buf_len(&b);
		*sig = xmemdup(buf_head(&b), *sig_len);
	} else
		error_set(err, "%s: malformed signature", id->source);
	buf_clear(&b);
	return rc;
}

struct identity *
identity_rsa_sha256(const struct identity *id)
{
	struct identity *other;
	EVP_PKEY *key;

	if (id->blob == NULL || strcmp(id->algorithm, "rsa-sha2-512") != 0)
		return NULL;
	other = identity_new(id->source, id->blob, id->blob_len);
	other->algorithm = "rsa-sha2-256";
	other->agent = id->agent;
	if (id->private_key == NULL)
		return other;
	key = EVP_PKEY_CTX_get0_pkey(EVP_MD_CTX_get_pkey_ctx(id->private_key));
	other->private_key = EVP_MD_CTX_new();
	if (key == NULL || other->private_key == NULL ||
	    EVP_DigestSignInit_ex(other->private_key, NULL, "SHA256", NULL,
		NULL, key, NULL) != 1) {
		identity_free(other);
		return NULL;
	}
	return other;
}

/* Does the key verify what the identity signs? */
static bool
verifies_itself(
    const struct identity *id, const struct pubkey_type *type, EVP_PKEY *key)
{
	static const uint8_t data[] = "a signature of one's own";
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t raw[SIG_MAX];
	size_t len;
	bool ok;

	ok = ctx != NULL && sign_raw(id, data, sizeof(data), raw, &len) == 0 &&
	    EVP_DigestVerifyInit_ex(
		ctx, NULL, type->digest, NULL, NULL, key, NULL) == 1 &&
	    EVP_DigestVerify(ctx, raw, len, data, sizeof(data)) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

/*
 * Reading
 */

/* An identity that signs with key; NULL with err (without the path). */
static struct identity *
identity_from_key(const char *path, EVP_PKEY *key, struct error *err)
{
	const struct pubkey_type *type;
	struct identity *id;
	uint8_t *blob;
	size_t len;

	blob = pubkey_from_openssl(key, &len, &type, err);
	if (blob == NULL)
		return NULL;
	id = identity_new(path, blob, len);
	free(blob);
	id->private_key = EVP_MD_CTX_new();
	if (id->private_key == NULL ||
	    EVP_DigestSignInit_ex(id->private_key, NULL, type->digest, NULL,
		NULL, key, NULL) != 1 ||
	    !verifies_itself(id, type, key)) {
		error_set(err, "the key does not verify what it signs");
		identity_free(id);
		return NULL;
	}
	return id;
}

/* The public key in path.pub, if that is a usable one; else NULL. */
static struct identity *
read_pub_beside(const char *path)
{
	char *pub = xasprintf("%s.pub", path);
	struct identity *id = NULL;
	uint8_t *blob;
	size_t text_len, len;
	char *text;

	text = file_read(pub, FILE_MAX, &text_len, NULL);
	if (text != NULL &&
	    pubkey_parse_text(text, text_len, &blob, &len, NULL) == 1) {
		id = identity_new(path, blob, len);
		free(blob);
	}
	free(text);
	free(pub);
	return id;
}

/* Called by OpenSSL if the key is encrypted; we never have a passphrase. */
static int
note_encrypted(char *passphrase, int size, int is_writing, void *is_encrypted)
{
	(void)passphrase;
	(void)size;
	(void)is_writing;
	*(bool *)is_encrypted = true;
	return -1;
}

static enum identity_state
parse_pem(const struct buf *text, EVP_PKEY **key, struct error *err)
{
	BIO *bio = BIO_new_mem_buf(buf_head(text), (int)buf_len(text));
	bool is_encrypted = false;

	if (bio != NULL)
		*key = PEM_read_bio_PrivateKey(
		    bio, NULL, note_encrypted, &is_encrypted);
	BIO_free(bio);
	if (*key != NULL)
		return IDENTITY_OK;
	if (is_encrypted)
		return IDENTITY_ENCRYPTED;
	error_set(err,
	    "not a private key that can be read (OpenSSH, PEM or "
	    "PKCS#8 format)");
	return IDENTITY_BAD;
}

/* Errors are without the path. */
static enum identity_state
parse_private(const char *path, const struct buf *text, struct identity **id,
    struct error *err)
{
	const char *p = (const char *)buf_head(text);
	EVP_PKEY *key = NULL;
	enum identity_state state;
	uint8_t *blob = NULL;
	size_t len = 0;

	if (identity_openssh_is(p, buf_len(text)))
		state = identity_openssh_parse(
		    p, buf_len(text), &key, &blob, &len, err);
	else
		state = parse_pem(text, &key, err);
	if (state == IDENTITY_OK) {
		*id = identity_from_key(path, key, err);
		if (*id == NULL)
			state = IDENTITY_BAD;
	} else if (state == IDENTITY_ENCRYPTED) {
		if (blob == NULL)
			*id = read_pub_beside(path);
		if (*id == NULL)
			*id = identity_new(path, blob, len);
	}
	EVP_PKEY_free(key);
	free(blob);
	/* OpenSSL's queue of errors: nobody else looks into it. */
	ERR_clear_error();
	return state;
}

/* Read all of fd, and fill st. */
static int
read_fd(int fd, struct stat *st, struct buf *text)
{
	return fstat(fd, st) == -1 ? -1 : fd_read_all(fd, text);
}

/* Errors are without the path. */
static enum identity_state
parse_file(const char *path, const struct stat *st, const struct buf *text,
    struct identity **id, struct error *err)
{
	uint8_t *blob;
	size_t len;
	int rc;

	if (buf_len(text) == 0) {
		error_set(err, "the file is empty");
		return IDENTITY_BAD;
	}
	rc = pubkey_parse_text(
	    (const char *)buf_head(text), buf_len(text), &blob, &len, err);
	if (rc == -1)
		return IDENTITY_BAD;
	if (rc == 1) {
		*id = identity_new(path, blob, len);
		free(blob);
		error_set(err,
		    "a public key, and no agent holds its private "
		    "half; name the file of the private key");
		return IDENTITY_PUBLIC;
	}
	/* As ssh: who owns the file answers for its mode. */
	if (st->st_uid == getuid() && (st->st_mode & 077) != 0) {
		error_set(err,
		    "mode %04o lets others use this private key "
		    "(chmod 600 %s)",
		    (unsigned)st->st_mode & 07777, path);
		return IDENTITY_BAD;
	}
	return parse_private(path, text, id, err);
}

static enum identity_state
state_of_errno(const char *path, struct identity **id, struct error *err)
{
	int errnum = errno;

	error_set(err, "%s: %s", path, strerror(errnum));
	if (errnum != ENOENT && errnum != ENOTDIR)
		return IDENTITY_BAD;
	*id = read_pub_beside(path);
	if (*id == NULL)
		return IDENTITY_ABSENT;
	error_set(err,
	    "%s: no such file, and no agent holds the private half "
	    "of %s.pub",
	    path, path);
	return IDENTITY_PUBLIC;
}

enum identity_state
identity_read_file(const char *path, struct identity **id, struct error *err)
{
	enum identity_state state = IDENTITY_BAD;
	struct error why;
	struct stat st;
	struct buf text;
	int fd;

	*id = NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return state_of_errno(path, id, err);
	buf_init(&text, FILE_MAX + FD_READ_BYTES);
	why.text[0] = '\0';
	if (read_fd(fd, &st, &text) == -1)
		error_set(&why, "%s",
		    errno == ENOBUFS ? "too large for a private key"
				     : strerror(errno));
	else
		state = parse_file(path, &st, &text, id, &why);
	buf_clear(&text);
	close(fd);
	if (state != IDENTITY_OK && state != IDENTITY_ENCRYPTED)
		error_set(err, "%s: %s", path, why.text);
	return state;
}
