/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * crypto_once: what libssh2 has libcrypto do for each packet and each
 * connection, done once or for many.
 */
#ifndef WORKER_CRYPTO_ONCE_H
#define WORKER_CRYPTO_ONCE_H

/*
 * Have it ready. To be called before the first session; until then libcrypto's
 * own functions serve. fatal() if libcrypto lacks something.
 */
void crypto_once_init(void);

/*
 * Put the function that libcrypto has by a name that is ours too into
 * *function, a pointer to a function. fatal() if there is none.
 */
void crypto_next(const char *name, void *function);

#endif
