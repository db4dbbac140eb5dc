/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * agent: a client of ssh-agent (draft-miller-ssh-agent) over its Unix
 * socket. Listing is done once, at the start; signatures are asked for
 * without blocking, in order, while the control loop polls.
 */
#ifndef CONTROL_AGENT_H
#define CONTROL_AGENT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/error.h"

struct agent;

/* How long an agent may take to list its keys. */
#define AGENT_LIST_MS 5000

/* sig is the inner signature (see agent_sign()), or NULL if the agent refused
 * or is gone, and why says so. */
typedef void (*agent_signed)(void *ctx, uint64_t ticket, const uint8_t *sig,
    size_t sig_len, const char *why);

struct agent_key {
	uint8_t *blob; /* public key, SSH wire format */
	size_t blob_len;
	char *comment; /* printable: other bytes became '?' */
};

/* Connect to the socket at path. NULL with err on failure. */
struct agent *agent_connect(const char *path, struct error *err);

/*
 * A private ssh-agent(1) of our own, a child process that nobody else can
 * reach: its socket is unlinked by agent_private_seal(). It dies with us
 * (PR_SET_PDEATHSIG) and by agent_free(). NULL with err on failure.
 *
 * Until it is sealed or freed SIGINT, SIGQUIT, SIGTERM and SIGHUP are blocked,
 * so that its socket and directory can't be left behind. They come through
 * then, and meanwhile they end a prompt of agent_private_add().
 */
struct agent *agent_private_new(struct error *err);

/*
 * Private agents only: let ssh-add(1) put the key file at path into it;
 * ssh-add asks for the passphrase on the terminal itself (or through
 * $SSH_ASKPASS), so that it never passes through our memory. Blocks until
 * then. Returns 0, or -1 with err.
 */
int agent_private_add(struct agent *agent, const char *path, struct error *err);

/* Private agents only: no more keys; unlink the socket. */
void agent_private_seal(struct agent *agent);

/* NULL is fine. Signatures that were asked for are dropped, without a call;
 * not to be called from within an agent_signed function. */
void agent_free(struct agent *agent);

/*
 * The keys the agent holds. Blocks for at most timeout_ms; an agent that took
 * longer, or broke the protocol, is gone. Returns their number and the array
 * in *keys (owned by the agent, valid until agent_free() or the next call),
 * or -1 with err.
 */
ssize_t agent_list(struct agent *agent, unsigned timeout_ms,
    const struct agent_key **keys, struct error *err);

/*
 * Ask for a signature over data with the key of that blob. algorithm is the
 * signature's ("rsa-sha2-512", "ssh-ed25519", ...; a string that stays valid):
 * the agent's reply must be of it, and signed_cb(ctx, ticket, ...) gets what
 * the reply holds behind its name, valid during the call. It is called once,
 * from agent_handle(), in the order of the requests; at once if the agent is
 * gone or too many requests wait for it.
 */
void agent_sign(struct agent *agent, const uint8_t *blob, size_t blob_len,
    const uint8_t *data, size_t data_len, const char *algorithm,
    uint64_t ticket, agent_signed signed_cb, void *ctx);

/* For poll(2): the descriptor (-1 if the agent is gone) and the events. */
int agent_fd(const struct agent *agent);
short agent_events(const struct agent *agent);
/* To be called when poll(2) reports something on agent_fd(). */
void agent_handle(struct agent *agent);

#endif
