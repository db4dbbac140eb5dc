/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "worker/exchange.h"

#include <string.h>

#include <openssl/evp.h>

#include "worker/interpose.h"

/* A KEXINIT packet of the server has 35,000 bytes at most, and so has what it
 * replies (RFC 4253 section 6.1). */
#define EXCHANGE_MAX (128u << 10)
#define LENGTH_BYTES 4u
static const char banner[] = "SSH-";
#define BANNER_LEN (sizeof(banner) - 1)

typedef int update_function(EVP_MD_CTX *ctx, const void *data, size_t count);
typedef int final_function(EVP_MD_CTX *ctx, uint8_t *out, unsigned *size);

static _Thread_local struct exchange *listener;

void
exchange_init(struct exchange *x)
{
	memset(x, 0, sizeof(*x));
	buf_init(&x->text, EXCHANGE_MAX);
}

void
exchange_clear(struct exchange *x)
{
	buf_clear(&x->text);
	exchange_init(x);
}

void
exchange_drop(struct exchange *x)
{
	buf_clear(&x->text);
	x->is_whole = true;
}

struct exchange *
exchange_listen(struct exchange *x)
{
	struct exchange *before = listener;

	listener = x;
	return before;
}

/*
 * libssh2 makes it of many small pieces, the first two being the length of our
 * banner and the banner; no other hash begins so.
 */
static void
exchange_note(
    struct exchange *x, const void *hash, const void *data, size_t count)
{
	size_t had = buf_len(&x->text);

	if (had <= LENGTH_BYTES && count == LENGTH_BYTES) {
		buf_consume(&x->text, had);
		x->hash = hash;
	} else if (hash != x->hash)
		return;
	else if (had == LENGTH_BYTES &&
	    (count < BANNER_LEN || memcmp(data, banner, BANNER_LEN) != 0)) {
		x->hash = NULL;
		return;
	}
	if (buf_append(&x->text, data, count) == -1)
		exchange_drop(x);
}

static void
exchange_end(struct exchange *x, const void *hash)
{
	if (hash == x->hash && buf_len(&x->text) > LENGTH_BYTES)
		x->is_whole = true;
}

int
EVP_DigestUpdate(EVP_MD_CTX *ctx, const void *data, size_t count)
{
	static update_function *next;

	if (next == NULL)
		interpose_next("EVP_DigestUpdate", &next);
	if (listener != NULL && !listener->is_whole)
		exchange_note(listener, ctx, data, count);
	return next(ctx, data, count);
}

static int
hash_final(const char *name, final_function **next, EVP_MD_CTX *ctx,
    uint8_t *out, unsigned *size)
{
	if (*next == NULL)
		interpose_next(name, next);
	if (listener != NULL && !listener->is_whole)
		exchange_end(listener, ctx);
	return (*next)(ctx, out, size);
}

int
EVP_DigestFinal(EVP_MD_CTX *ctx, uint8_t *out, unsigned *size)
{
	static final_function *next;

	return hash_final("EVP_DigestFinal", &next, ctx, out, size);
}

/* What libssh2 after 1.11.1 calls. */
int
EVP_DigestFinal_ex(EVP_MD_CTX *ctx, uint8_t *out, unsigned *size)
{
	static final_function *next;

	return hash_final("EVP_DigestFinal_ex", &next, ctx, out, size);
}
