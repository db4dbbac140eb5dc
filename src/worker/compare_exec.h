/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * compare_exec: the SHA-256 of the start of a file, computed on the host by a
 * command over a channel of the same session. One at a time. Many hosts don't
 * run commands or have no sha256sum: the first that fails is the last that is
 * tried in this session.
 *
 * What the command says is a hint: a shell may see another file under that
 * path than the SFTP server does, or none, and exit with 0 all the same. Only
 * a hash that is the expected one proves something.
 */
#ifndef WORKER_COMPARE_EXEC_H
#define WORKER_COMPARE_EXEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libssh2.h>

#include "util/digest.h"

struct session;

/* Channels that wait for the peer's CLOSE. */
#define COMPARE_EXEC_CLOSING_MAX 4
/* 64 digits and what follows them. */
#define COMPARE_EXEC_OUTPUT (2 * DIGEST_BYTES + 1)

enum compare_exec_state {
	COMPARE_EXEC_IDLE,
	COMPARE_EXEC_OPEN,
	COMPARE_EXEC_START,
	COMPARE_EXEC_READ,
};

enum compare_exec_result {
	COMPARE_EXEC_AGAIN,  /* not yet */
	COMPARE_EXEC_HASHED, /* sha256 is set */
	COMPARE_EXEC_NONE,   /* the host does not tell */
};

struct compare_exec {
	struct session *session;
	enum compare_exec_state state;
	bool is_off;	  /* of no use in this session */
	bool is_stopping; /* while the channel is being opened */
	bool is_eof_sent;
	char *command;
	LIBSSH2_CHANNEL *channel;
	LIBSSH2_CHANNEL *closing[COMPARE_EXEC_CLOSING_MAX];
	char output[COMPARE_EXEC_OUTPUT];
	size_t output_len;
};

void compare_exec_init(struct compare_exec *e, struct session *s);
/* The channels are left to be freed with the session. */
void compare_exec_clear(struct compare_exec *e);

/* Whether one may start: no other is in work. Never, once it is off. */
bool compare_exec_is_free(const struct compare_exec *e);

/*
 * Whether path is one that any login shell takes as it is meant: the host may
 * have one that knows other quotes than sh(1), or none.
 */
bool compare_exec_can(const char *path);

/*
 * Begin with the first length bytes of path (any bytes). Nothing is sent
 * before the first step.
 */
void compare_exec_start(
    struct compare_exec *e, const char *path, uint64_t length);

/*
 * Go on with it and with the closing of channels. AGAIN also when there is
 * nothing to do; after another result it is over.
 */
enum compare_exec_result compare_exec_step(
    struct compare_exec *e, uint8_t sha256[static DIGEST_BYTES]);

/* Give it up. Makes no call to libssh2: the session may be gone already. */
void compare_exec_stop(struct compare_exec *e);

#endif
