/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * known_hosts_line: one line of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS
 * FILE FORMAT): "[@marker] names keytype base64-key [comment]".
 */
#ifndef CONTROL_KNOWN_HOSTS_LINE_H
#define CONTROL_KNOWN_HOSTS_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "control/key_type.h"

#define NAME_HASH_BYTES 20u /* SHA-1: of the salt and of the hash */

enum line_marker {
	MARKER_NONE,
	MARKER_REVOKED,
	MARKER_CA,
	MARKER_NOT_UNDERSTOOD, /* refuses its names, whatever the key */
};

enum line_names {
	NAMES_EXACT,   /* a comma list of plain names */
	NAMES_PATTERN, /* a comma list with '*', '?' or '!' */
	NAMES_HASHED,  /* |1|salt|hash */
};

struct known_line {
	const char *path; /* of the file, for messages */
	size_t number;	  /* in the file, from 1 */
	enum line_marker marker;
	enum line_names kind;
	const char *names; /* not NUL-terminated, as is key */
	size_t names_len;
	const char *key; /* base64; NULL with MARKER_NOT_UNDERSTOOD */
	size_t key_len;
	const struct key_type *type; /* NULL with MARKER_NOT_UNDERSTOOD */
	char *name; /* NAMES_HASHED: the name once known, owned; else NULL */
};

enum line_status {
	LINE_ENTRY,
	LINE_EMPTY,    /* blank, a comment, SSH1, a key type we don't know */
	LINE_MALFORMED /* *why tells */
};

/*
 * Parse text (one line without its newline; it must outlive line) into
 * everything but path and number.
 */
enum line_status known_line_parse(
    struct known_line *line, const char *text, size_t len, const char **why);

/*
 * Whether the line is for this name (lower-case, "host" or "[host]:port").
 * *hmac starts out NULL and is made when a hashed line first needs it; free it
 * with EVP_MAC_CTX_free(). A hashed line remembers the name that it matched.
 */
bool known_line_matches(
    struct known_line *line, const char *name, EVP_MAC_CTX **hmac);

/* Whether the line holds this key. */
bool known_line_holds(
    const struct known_line *line, const char *key, size_t key_len);

/*
 * "|1|salt|hash" with a fresh salt; caller frees. *hmac is as with
 * known_line_matches().
 */
char *name_hash(const char *name, EVP_MAC_CTX **hmac);

/* One name against a comma list of patterns, as OpenSSH's match_hostname(). */
bool name_matches_list(const char *name, const char *list, size_t len);

#endif
