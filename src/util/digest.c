/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "util/digest.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "util/log.h"
#include "util/xalloc.h"

#define BLOCK_BYTES (128u << 10)

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

int
digest_file(int fd, uint8_t out[static DIGEST_BYTES], uint64_t *size)
{
	struct digest *d = digest_new();
	uint8_t block[BLOCK_BYTES];
	ssize_t n;
	int error;

	*size = 0;
	while ((n = read(fd, block, sizeof(block))) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			break;
		digest_add(d, block, (size_t)n);
		*size += (uint64_t)n;
	}
	if (n == 0)
		digest_end(d, out);
	error = errno;
	digest_free(d);
	errno = error;
	return n == 0 ? 0 : -1;
}
