/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * crypto_once: what libssh2 has libcrypto do for each packet and each
 * connection, done once.
 */
#ifndef WORKER_CRYPTO_ONCE_H
#define WORKER_CRYPTO_ONCE_H

/*
 * Have it ready. To be called before the first session; until then, and for
 * what libcrypto fails to give here, its own functions serve.
 */
void crypto_once_init(void);

#endif
