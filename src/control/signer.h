/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * signer: all user keys of a run. Loaded and unlocked once, before the first
 * connection; asked for signatures by workers through the control loop. It
 * signs nothing but a well-formed user authentication request (RFC 4252
 * section 7) for the very user and key that the job was given.
 */
#ifndef CONTROL_SIGNER_H
#define CONTROL_SIGNER_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/identity.h"
#include "util/error.h"

struct signer;

/* Called once for each signer_request() that was taken; sig NULL: it failed,
 * and why says so. sig is the inner signature (see identity_sign()). sig and
 * why are valid during the call only. It must not free the signer. */
typedef void (*signer_done)(void *ctx, uint64_t ticket, const uint8_t *sig,
    size_t sig_len, const char *why);

/*
 * Connect to $SSH_AUTH_SOCK, if set, and list its keys; an agent that does
 * not answer is a warning. done(ctx, ...) gets the signatures. Never NULL.
 */
struct signer *signer_new(signer_done done, void *ctx);

/* NULL is fine. Signatures that agents still owe are dropped, without a
 * call. */
void signer_free(struct signer *s);

/*
 * Make the key file at path usable. If it is encrypted and the agent does not
 * hold it, it goes into a private agent, and ssh-add asks for its passphrase
 * on the terminal, once; without a terminal (can_prompt false) that is an
 * error. A public key (path names one, or only path.pub is there) is enough if
 * the agent holds the private half. Each path is read once; later calls cost
 * nothing and return the same. Returns 0, or -1 with err.
 *
 * From the first prompt until signer_seal() or signer_free() SIGINT, SIGQUIT,
 * SIGTERM and SIGHUP are blocked (see agent_private_new()).
 */
int signer_add_file(
    struct signer *s, const char *path, bool can_prompt, struct error *err);

/*
 * The default identities of ssh(1): ~/.ssh/id_rsa, id_ecdsa, id_ed25519
 * (in ssh's order). Absent ones are skipped; ones that can't be used are
 * skipped with a warning; encrypted ones that the agent does not hold are
 * asked for as above if can_prompt, else skipped with a warning.
 */
void signer_add_defaults(struct signer *s, bool can_prompt);

/* To be called after the last add: seals the private agent. */
void signer_seal(struct signer *s);

/*
 * The identities to offer for a host, in order: keys of the agent (those
 * that match identity_path first), then the file's key, or the default
 * files' keys if identity_path is NULL; no key twice, but
 * RSA keys come once more at the end, to sign with rsa-sha2-256. A key that
 * both the
 * agent and a plain file hold stands at the agent's place, and the file's
 * copy signs: that is quicker and can't be refused. Returns their number;
 * *ids (owned by the signer, valid until signer_free()) is cached for each
 * identity_path, so this is cheap for thousands of hosts. To be called after
 * the adds; a path that was not added gives the agent's keys.
 */
size_t signer_identities(
    struct signer *s, const char *identity_path, struct identity *const **ids);

/*
 * Sign request on behalf of a job. request is what libssh2 gives its sign
 * callback: string session id, then SSH_MSG_USERAUTH_REQUEST. It must name
 * user, "ssh-connection", "publickey", and id's algorithm and blob exactly, and
 * nothing may follow; whose session it is, host_proof_check() tells. Returns 0,
 * and done() is called, maybe before that, with ticket; or -1 with err if it is
 * no such request, and nothing is signed.
 */
int signer_request(struct signer *s, const struct identity *id,
    const char *user, const uint8_t *request, size_t request_len,
    uint64_t ticket, struct error *err);

/*
 * Pure check behind signer_request(): 0, or -1 with err. The session id must
 * be 20 to 64 bytes.
 */
int signer_check_request(const struct identity *id, const char *user,
    const uint8_t *request, size_t request_len, struct error *err);

/*
 * For the control loop: fill at most max (2 is enough) pollfds with what the
 * agents wait for, return how many; after poll(2), hand the same ones back.
 */
size_t signer_poll(struct signer *s, struct pollfd *fds, size_t max);
void signer_handle(struct signer *s, const struct pollfd *fds, size_t count);

#endif
