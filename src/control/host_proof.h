/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * host_proof: that a session is one with the host. In a key exchange the host
 * signs its hash, and the hash of the first one is the session's id (RFC 4253
 * sections 7.2 and 8). So this signature tells whose session it is, also to
 * those who did not take part.
 */
#ifndef CONTROL_HOST_PROOF_H
#define CONTROL_HOST_PROOF_H

#include "util/error.h"
#include "wire/frame.h"

/*
 * host_key: the blob of a key that was accepted. request: begins with a string
 * that is a session's id. proof: string algorithm, string signature, as in a
 * reply of a key exchange. Returns 0 if it is the signature of this key over
 * this id, by an algorithm that we offer; else -1 with err.
 */
int host_proof_check(struct bytes host_key, struct bytes request,
    struct bytes proof, struct error *err);

#endif
