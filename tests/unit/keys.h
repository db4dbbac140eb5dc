/* SPDX-License-Identifier: GPL-3.0-or-later */
/* keys: what the tests of user keys share: a folder, keys, verification. */
#ifndef TESTS_UNIT_KEYS_H
#define TESTS_UNIT_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <openssl/evp.h>

/* Make a temporary folder and go there; cmocka group set-up. */
int keys_setup(void **state);
/* Remove it; cmocka group tear-down. */
int keys_teardown(void **state);

/* Run a shell command, whose output is discarded; it must succeed. */
void keys_run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Make the key files name and name.pub with ssh-keygen: type "ed25519",
 * "ecdsa-256", "rsa-2048", ...; passphrase may be "".
 */
void keys_make(const char *name, const char *type, const char *passphrase);

/* Write a file with mode 0600. */
void keys_write(const char *name, const void *data, size_t len);
/* Content of a file, NUL-terminated; caller frees. */
char *keys_read(const char *name, size_t *len);
/* The blob in name.pub, as ssh-keygen wrote it; caller frees. */
uint8_t *keys_blob(const char *name, size_t *len);

/*
 * Does the inner signature verify with the public key in name.pub? ssh-keygen
 * and OpenSSL judge, not the code under test.
 */
bool keys_verify(const char *name, const uint8_t *sig, size_t sig_len,
    const void *data, size_t data_len);
/* The same, for RSA keys with that hash instead of SHA512. */
bool keys_verify_with(const char *rsa_digest, const char *name,
    const uint8_t *sig, size_t sig_len, const void *data, size_t data_len);

/* In a child: a test that fails leaves no process behind. */
void keys_die_with_parent(void);

/* A running ssh-agent with its socket at path; and its end. */
pid_t keys_agent_start(const char *path);
void keys_agent_stop(pid_t pid);

#endif
