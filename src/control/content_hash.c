/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "control/content_hash.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "util/log.h"
#include "util/xalloc.h"

struct content_hash {
	EVP_MD_CTX *ctx;
	uint8_t block[128 * 1024];
};

struct content_hash *
content_hash_new(void)
{
	struct content_hash *h = xmalloc(sizeof(*h));

	h->ctx = EVP_MD_CTX_new();
	if (h->ctx == NULL)
		fatal("OpenSSL: no memory");
	return h;
}

void
content_hash_free(struct content_hash *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

int
content_hash_read(struct content_hash *h, int fd,
    uint8_t out[static CONTENT_HASH_BYTES], uint64_t *size)
{
	ssize_t n;
	int ok;

	*size = 0;
	ok = EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL);
	while (ok == 1 && (n = read(fd, h->block, sizeof(h->block))) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		*size += (uint64_t)n;
		ok = EVP_DigestUpdate(h->ctx, h->block, (size_t)n);
	}
	if (ok != 1 || EVP_DigestFinal_ex(h->ctx, out, NULL) != 1)
		fatal("OpenSSL: no SHA-256");
	return 0;
}
