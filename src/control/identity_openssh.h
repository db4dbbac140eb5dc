/* SPDX-License-Identifier: GPL-3.0-or-later */
/* identity_openssh: private keys in OpenSSH's own format. */
#ifndef CONTROL_IDENTITY_OPENSSH_H
#define CONTROL_IDENTITY_OPENSSH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "control/identity.h"
#include "util/error.h"

/* Does the text start as such a file does? */
bool identity_openssh_is(const char *text, size_t len);

/*
 * Parse the text of a key file ("openssh-key-v1", OpenSSH's PROTOCOL.key).
 * IDENTITY_OK: *key is the private key (caller frees), which fits to the
 * public key in the file. IDENTITY_ENCRYPTED: *blob is the public key (caller
 * frees). IDENTITY_BAD: err says why, without the file's name.
 */
enum identity_state identity_openssh_parse(const char *text, size_t len,
    EVP_PKEY **key, uint8_t **blob, size_t *blob_len, struct error *err);

#endif
