/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "util/crypto_alloc.h"

#include <openssl/crypto.h>

#include "util/log.h"
#include "util/secret.h"

static void *
crypto_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return size > 0 ? secret_alloc(size) : NULL;
}

static void
crypto_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	secret_release(p);
}

static void *
crypto_realloc(void *p, size_t size, const char *file, int line)
{
	if (size > 0)
		return secret_realloc(p, size);
	crypto_free(p, file, line);
	return NULL;
}

void
crypto_alloc_init(void)
{
	if (CRYPTO_set_mem_functions(
		crypto_malloc, crypto_realloc, crypto_free) != 1)
		fatal("OpenSSL has allocated already");
}
