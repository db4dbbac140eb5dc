/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * crypto_alloc: let what libcrypto allocates not fail, as in xalloc.h. OpenSSL
 * does not survive every allocation that fails (3.0 crashes on some), and what
 * it could not do for want of memory looks to us like a bad key. Its memory is
 * that of util/secret.h, where the process has such.
 */
#ifndef UTIL_CRYPTO_ALLOC_H
#define UTIL_CRYPTO_ALLOC_H

/* To be called before anything else of libcrypto. */
void crypto_alloc_init(void);

#endif
