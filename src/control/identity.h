/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * identity: one user key, public half and a way to sign with it. It is read
 * from a file (OpenSSH format; PEM and PKCS#8 with OpenSSL) or lives in an
 * agent.
 */
#ifndef CONTROL_IDENTITY_H
#define CONTROL_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/agent.h"
#include "util/error.h"

struct identity {
	/* Signature algorithm: "ssh-ed25519", "ecdsa-sha2-nistp256" (384,
	 * 521), or for RSA keys "rsa-sha2-512" (see identity_rsa_sha256()).
	 * NULL if blob is NULL. */
	const char *algorithm;
	uint8_t *blob; /* public key, RFC 4253 section 6.6 wire format */
	size_t blob_len;
	char *source;	     /* path, or "agent: comment" */
	void *private_key;   /* EVP_MD_CTX ready to sign; NULL: agent signs */
	struct agent *agent; /* not owned; NULL if private_key signs */
};

enum identity_state {
	IDENTITY_OK,
	IDENTITY_ENCRYPTED, /* only the blob may be known */
	IDENTITY_PUBLIC,    /* only the blob is there; err is filled */
	IDENTITY_ABSENT,    /* no such file; err is filled */
	IDENTITY_BAD,	    /* err is filled */
};

/*
 * Read a private key file. path is used as given. *id is NULL or a new
 * identity:
 * IDENTITY_OK: it can sign.
 * IDENTITY_ENCRYPTED: it has neither private_key nor agent; its blob is
 * filled if it can be known (OpenSSH format, or a .pub file beside it).
 * IDENTITY_PUBLIC: path names a public key, or only path.pub exists; the
 * identity has that blob. An agent may hold the private half.
 * IDENTITY_ABSENT, IDENTITY_BAD: NULL. A file of ours that others may use is
 * bad, as ssh refuses it, chmod 600 named. Security-key (sk-) types, DSA and
 * certificates are bad with a message that says so, and so is a key that does
 * not verify what it signs.
 */
enum identity_state identity_read_file(
    const char *path, struct identity **id, struct error *err);

/* An identity of an agent's key; NULL if the type can't be used. */
struct identity *identity_from_agent(
    struct agent *agent, const struct agent_key *key);

void identity_free(struct identity *id);

/* Do both have the same public key? False if one is not known. */
bool identity_equal(const struct identity *a, const struct identity *b);

/*
 * Sign with private_key. *sig (caller frees) is the inner signature as RFC
 * 4253/5656/8332/8709 have it, without the algorithm name: ed25519 64 bytes;
 * ECDSA mpint r, mpint s; RSA PKCS#1 v1.5 over the algorithm's hash. Returns 0
 * or -1 with err.
 */
int identity_sign(const struct identity *id, const uint8_t *data,
    size_t data_len, uint8_t **sig, size_t *sig_len, struct error *err);

/*
 * The same key signing with "rsa-sha2-256", for servers that don't know
 * "rsa-sha2-512" (RFC 8332); NULL if id is no RSA key that signs with that.
 * The caller frees it; it uses what id uses.
 */
struct identity *identity_rsa_sha256(const struct identity *id);

#endif
