/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * host_proof: that a session is one with the host. A session's id is the hash
 * of its first key exchange, in which the host's key stands (RFC 4253
 * sections 7.2 and 8). So who sees what was hashed knows whose session it is,
 * without having taken part; and no other host has one of this id, for it
 * hashes its own key.
 */
#ifndef CONTROL_HOST_PROOF_H
#define CONTROL_HOST_PROOF_H

#include "util/error.h"
#include "wire/frame.h"

/*
 * host_key: the blob of a key that was accepted. request: begins with a string
 * that is a session's id. exchange: what it is the hash of, SHA-256, SHA-384 or
 * SHA-512. Returns 0 if that is so, and this is the host's key in it; else -1
 * with err.
 */
int host_proof_check(struct bytes host_key, struct bytes request,
    struct bytes exchange, struct error *err);

#endif
