/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * host_keys: known_hosts with OpenSSH's semantics (sshd(8), SSH_KNOWN_HOSTS
 * FILE FORMAT), and the verdict over a presented host key.
 */
#ifndef CONTROL_HOST_KEYS_H
#define CONTROL_HOST_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "report/advice.h"
#include "util/error.h"

enum host_key_verdict {
	HOST_KEY_UNKNOWN, /* no key is known for that name */
	HOST_KEY_OK,
	HOST_KEY_MISMATCH, /* another key is known for that name */
	/*
	 * This very key is revoked for that name, or the name is under a marker
	 * that is not understood.
	 */
	HOST_KEY_REVOKED,
};

struct host_keys;

/*
 * Read known_hosts files, in order; "~/" is expanded. A file that is absent is
 * empty; one that can't be read is an error. With paths NULL or count 0: the
 * four files that ssh(1) uses. New keys (accept-new) go to the first.
 * Malformed lines are skipped with log_warn() naming file and line (the first
 * ten of a file, then their count); lines of SSH1 and of key types that we
 * don't know, silently, as ssh does. Returns NULL with err filled on error.
 */
struct host_keys *host_keys_load(
    const char *const *paths, size_t count, struct error *err);
void host_keys_free(struct host_keys *hk);

/*
 * In all that follows, name is the look-up name without port: what is
 * connected to, or the host_key_alias. Case does not matter. As in OpenSSH an
 * alias is looked up as it stands, without a port: pass port 22 with it.
 */

/*
 * The host key algorithms to offer to name:port (plain ones, never
 * certificates), a comma-separated preference list: the types that plain
 * (not hashed) lines hold for that name first (for name alone, if there are
 * none for [name]:port), then the types that any line of the files holds,
 * then the others. "ssh-rsa" of known_hosts stands for
 * "rsa-sha2-512,rsa-sha2-256". Caller frees.
 */
char *host_keys_algorithms(
    struct host_keys *hk, const char *name, uint16_t port);

/*
 * The verdict over key (the SSH wire blob, RFC 4253 section 6.6) presented
 * by name:port. Looked up as name on port 22, else as [name]:port; if
 * [name]:port is unknown, name alone can still yield HOST_KEY_OK. Revocations
 * count for both names. Cost of HOST_KEY_OK does not grow with the lines that
 * hold other keys, unless it comes from name alone and there are hashed lines:
 * then, as for UNKNOWN and MISMATCH, each of those costs an HMAC (about 1 us),
 * because one might hold another key for [name]:port. key may be any bytes.
 *
 * Unless the verdict is HOST_KEY_OK, *reason (caller frees) is one line for
 * the result's message that says what is known where, and what to do, e.g.
 * "host key mismatch: /home/u/.ssh/known_hosts:12 holds another ED25519 key
 * for web1 (presented: SHA256:...); if the change is expected: ssh-keygen -R
 * web1 -f /home/u/.ssh/known_hosts".
 *
 * If the verdict is UNKNOWN or MISMATCH and known_hosts holds keys for that
 * name, but none of the presented type, *retry_algorithms (caller frees, else
 * NULL) is a preference list with the known types first: the handshake should
 * be repeated with it, once, before the host is refused (OpenSSH orders its
 * offer by known_hosts beforehand; here hashed lines make that too expensive).
 * With accept-new, too: else a key of a second type would be added.
 */
enum host_key_verdict host_keys_check(struct host_keys *hk, const char *name,
    uint16_t port, const uint8_t *key, size_t key_len, char **reason,
    char **retry_algorithms);

/*
 * What is to be done about all hosts whose key is unknown as that of name:port,
 * which presented this one. The caller frees it with advice_free().
 */
struct advice *host_keys_advice(struct host_keys *hk, const char *name,
    uint16_t port, const uint8_t *key, size_t key_len);

/*
 * accept-new: append the key of an unknown host to the first file, under a
 * lock (flock, waited for up to 5 seconds), hashed if the file's last entry
 * is, creating file (0600) and directory (0700) where needed; and know it from
 * now on. What other processes wrote to that file meanwhile is read first: if
 * the verdict is then no longer HOST_KEY_UNKNOWN, nothing is appended. A
 * malformed key, one of a type that we don't offer, and a name that has a
 * meaning of its own in known_hosts ("*", ",", "#", ...) are refused. With
 * /dev/null as first file the key is known for this run. Returns 0 if the key
 * is now accepted, or -1 with err filled.
 */
int host_keys_accept(struct host_keys *hk, const char *name, uint16_t port,
    const uint8_t *key, size_t key_len, struct error *err);

#endif
