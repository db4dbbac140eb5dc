/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * host_keys_reason: why a host key was refused, in one line for a tired
 * operator. Callers free the texts.
 */
#ifndef CONTROL_HOST_KEYS_REASON_H
#define CONTROL_HOST_KEYS_REASON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/known_hosts_line.h"
#include "report/advice.h"

/* The key that a host presented, and the names it is looked up by. */
struct presented {
	char *host; /* lower-case */
	uint16_t port;
	char *name;    /* host, or [host]:port */
	bool has_port; /* name is [host]:port */
	const uint8_t *blob;
	size_t blob_len;
	char *key;		     /* base64 of blob */
	const struct key_type *type; /* NULL if unknown or malformed */
};

/* files: how many were searched, path the first of them. */
char *reason_unknown(
    const struct presented *p, const char *path, size_t files, bool is_hashed);

/* The same for all hosts whose key is unknown as this one's. */
struct advice *advice_unknown(
    const struct presented *p, const char *path, size_t files, bool is_hashed);

char *reason_mismatch(const struct presented *p, const struct known_line *line);

/* name: the one of the two that the line is for. */
char *reason_revoked(
    const struct presented *p, const struct known_line *line, const char *name);
char *reason_refused(const struct known_line *line, const char *name);

#endif
