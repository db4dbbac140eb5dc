/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/digest.h"

#include <stdlib.h>

#include <openssl/evp.h>

#include "util/log.h"
#include "util/xalloc.h"

struct digest {
	EVP_MD_CTX *ctx;
};

static void
digest_begin(struct digest *d)
{
	if (EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL) != 1)
		fatal("OpenSSL: no SHA-256");
}

struct digest *
digest_new(void)
{
	struct digest *d = xcalloc(1, sizeof(*d));

	d->ctx = EVP_MD_CTX_new();
	if (d->ctx == NULL)
		fatal("OpenSSL: no memory");
	digest_begin(d);
	return d;
}

void
digest_free(struct digest *d)
{
	if (d == NULL)
		return;
	EVP_MD_CTX_free(d->ctx);
	free(d);
}

void
digest_add(struct digest *d, const void *data, size_t len)
{
	if (EVP_DigestUpdate(d->ctx, data, len) != 1)
		fatal("OpenSSL: no SHA-256");
}

void
digest_end(struct digest *d, uint8_t out[static DIGEST_BYTES])
{
	if (EVP_DigestFinal_ex(d->ctx, out, NULL) != 1)
		fatal("OpenSSL: no SHA-256");
	digest_begin(d);
}
