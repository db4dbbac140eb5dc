/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * key_type: the public key types of SSH and the shape of their blobs
 * (RFC 4253 section 6.6, RFC 5656, RFC 8709, OpenSSH's PROTOCOL.u2f and
 * PROTOCOL.certkeys).
 */
#ifndef CONTROL_KEY_TYPE_H
#define CONTROL_KEY_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest blob taken; a 16,384-bit RSA key has about 2,100 bytes. */
#define KEY_BLOB_MAX 16384u
/* Its base64 text, without a terminating NUL. */
#define KEY_TEXT_MAX ((KEY_BLOB_MAX + 2) / 3 * 4)

struct key_type {
	const char *name;  /* in the blob: "ssh-ed25519" */
	const char *label; /* for people: "ED25519" */
	/*
	 * The signature algorithms we offer for it, best first,
	 * comma-separated; NULL if we never ask a host for such a key.
	 */
	const char *algorithms;
	const char *curve;  /* ECDSA: its name in the blob */
	size_t point_bytes; /* ECDSA: an uncompressed point */
	const char *fields; /* after the name; see key_type.c */
};

/* Every type known, most preferred first; NULL from the end on. */
const struct key_type *key_type_at(size_t i);

/* One bit a type, for sets of types; 0 for NULL. */
uint32_t key_type_bit(const struct key_type *type);

/*
 * The type that a line of known_hosts names: the blob's name, or
 * "rsa-sha2-256" and "rsa-sha2-512" for "ssh-rsa". NULL if unknown.
 */
const struct key_type *key_type_by_word(const char *word, size_t len);

/*
 * The type of a blob from anywhere, the network included: NULL if the type is
 * unknown or the blob is not exactly one well-formed key of that type.
 */
const struct key_type *key_type_of_blob(const uint8_t *blob, size_t len);

/* The name at the head of a blob is this word. */
bool key_blob_is_named(
    const uint8_t *blob, size_t len, const char *word, size_t word_len);

/* For messages: the label, or "unknown-type" for NULL. */
const char *key_type_label(const struct key_type *type);

/*
 * Strict base64 (RFC 4648 section 4: padded, no blanks, unused bits zero), so
 * that equal bytes have equal texts. Returns the number of bytes put into
 * out, or -1 if text is not that or needs more than max bytes.
 */
long base64_decode(const char *text, size_t len, uint8_t *out, size_t max);

/* The base64 text, NUL-terminated; caller frees. */
char *base64_encode(const uint8_t *data, size_t len);

/* "SHA256:..." as ssh-keygen -l prints it; caller frees. */
char *key_fingerprint(const uint8_t *blob, size_t len);

#endif
