/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libssh2 encrypts and decrypts a packet in pieces of one cipher block, each
 * with a call of EVP_Cipher(). With AES-CTR such a call costs ten times what
 * the cipher does to 16 bytes, and these calls are two fifths of all that a
 * transfer costs.
 *
 * CTR mode is a key stream that is XORed to the data (NIST SP 800-38A, section
 * 6.5; RFC 4344, section 4), and does not depend on the data. So this module
 * has libcrypto make the key stream for 64 blocks in one call, by encrypting
 * zeros, and then XORs block by block. How it comes in between: interpose.c.
 *
 * The stream stays in step because libssh2 gives a context its key and counter
 * once and then uses no other function on it that encrypts. Calls for other
 * modes are passed on.
 */
#include "config.h"

#include "worker/ctr_stream.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "util/xalloc.h"
#include "worker/interpose.h"

#define STREAM_BYTES 1024u
#define MAGIC	     0x6374722073747265u

/* The key stream made in advance for one context, its application data. */
struct stream {
	uint64_t magic; /* it is ours */
	unsigned used;
	uint8_t bytes[STREAM_BYTES];
};

typedef int cipher_function(EVP_CIPHER_CTX *ctx, unsigned char *out,
    const unsigned char *in, unsigned int len);
typedef void free_function(EVP_CIPHER_CTX *ctx);

/* Set once, by ctr_stream_init(): these functions get no argument of ours. */
static cipher_function *next_cipher;
static free_function *next_free;

void
ctr_stream_init(void)
{
	interpose_next("EVP_Cipher", &next_cipher);
	interpose_next("EVP_CIPHER_CTX_free", &next_free);
}

/* Make more. Returns 1, or what libcrypto said. */
static int
stream_refill(EVP_CIPHER_CTX *ctx, struct stream *s)
{
	int rc;

	memset(s->bytes, 0, sizeof(s->bytes));
	rc = next_cipher(ctx, s->bytes, s->bytes, sizeof(s->bytes));
	if (rc <= 0)
		return rc;
	s->used = 0;
	return 1;
}

/* XOR as many of len bytes as the stream has. Returns how many. */
static unsigned
stream_apply(
    struct stream *s, unsigned char *out, const unsigned char *in, unsigned len)
{
	uint64_t data, key;
	unsigned i;

	if (len > STREAM_BYTES - s->used)
		len = STREAM_BYTES - s->used;
	for (i = 0; i + sizeof(data) <= len; i += sizeof(data)) {
		memcpy(&data, in + i, sizeof(data));
		memcpy(&key, s->bytes + s->used + i, sizeof(key));
		data ^= key;
		memcpy(out + i, &data, sizeof(data));
	}
	for (; i < len; i++)
		out[i] = in[i] ^ s->bytes[s->used + i];
	s->used += len;
	return len;
}

/* The stream of ctx, NULL if it is not one of those that we look after. */
static struct stream *
stream_find(EVP_CIPHER_CTX *ctx)
{
	struct stream *s = EVP_CIPHER_CTX_get_app_data(ctx);

	return s != NULL && s->magic == MAGIC ? s : NULL;
}

static struct stream *
stream_of(EVP_CIPHER_CTX *ctx)
{
	struct stream *s = stream_find(ctx);

	if (s != NULL || EVP_CIPHER_CTX_get_app_data(ctx) != NULL ||
	    EVP_CIPHER_CTX_get_mode(ctx) != EVP_CIPH_CTR_MODE)
		return s;
	s = xcalloc(1, sizeof(*s));
	s->magic = MAGIC;
	s->used = STREAM_BYTES;
	EVP_CIPHER_CTX_set_app_data(ctx, s);
	return s;
}

/* Any call but the usual one. */
static int
cipher_any(EVP_CIPHER_CTX *ctx, unsigned char *out, const unsigned char *in,
    unsigned int len)
{
	struct stream *s = stream_of(ctx);
	unsigned done, n;
	int rc;

	if (next_cipher == NULL)
		ctr_stream_init(); /* a library at work before us */
	if (s == NULL)
		return next_cipher(ctx, out, in, len);
	for (done = 0; done < len; done += n) {
		if (s->used == STREAM_BYTES &&
		    (rc = stream_refill(ctx, s)) != 1)
			return rc;
		n = stream_apply(s, out + done, in + done, len - done);
	}
	return (int)len;
}

int
EVP_Cipher(EVP_CIPHER_CTX *ctx, unsigned char *out, const unsigned char *in,
    unsigned int len)
{
	struct stream *s = stream_find(ctx);
	uint64_t data[2], key[2];

	if (s == NULL || len != sizeof(data) ||
	    s->used > STREAM_BYTES - sizeof(data))
		return cipher_any(ctx, out, in, len);
	memcpy(data, in, sizeof(data));
	memcpy(key, s->bytes + s->used, sizeof(key));
	s->used += sizeof(data);
	data[0] ^= key[0];
	data[1] ^= key[1];
	memcpy(out, data, sizeof(data));
	return (int)len;
}

void
EVP_CIPHER_CTX_free(EVP_CIPHER_CTX *ctx)
{
	struct stream *s = ctx != NULL ? stream_find(ctx) : NULL;

	if (s != NULL) {
		OPENSSL_cleanse(s, sizeof(*s));
		free(s);
	}
	if (next_free == NULL)
		ctr_stream_init();
	next_free(ctx);
}
