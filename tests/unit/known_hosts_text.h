/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * known_hosts_text: what the tests of host keys share: keys, known_hosts
 * files from templates, and a folder for them.
 *
 * A key is a letter (see known_hosts_text.c). A template is the text of a
 * file with
 *
 *	{A}       a key's type and base64 text
 *	{=A}      the base64 text alone
 *	{#name}   the hashed form of name
 */
#ifndef TESTS_UNIT_KNOWN_HOSTS_TEXT_H
#define TESTS_UNIT_KNOWN_HOSTS_TEXT_H

#include <stddef.h>

#include "control/host_keys.h"
#include "util/buf.h"
#include "util/error.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Short, for tables. */
#define OK	 HOST_KEY_OK
#define UNKNOWN	 HOST_KEY_UNKNOWN
#define MISMATCH HOST_KEY_MISMATCH
#define REVOKED	 HOST_KEY_REVOKED

/* cmocka group set-up and tear-down: a temporary folder, and no warnings. */
int folder_setup(void **state);
int folder_teardown(void **state);
/* A path in the folder; caller frees. */
char *in_folder(const char *name);

/* Write a template to a file, anew or at its end. */
void write_file(const char *path, const char *template);
void append_file(const char *path, const char *template);
/* Likewise, with NUL bytes in it. */
void write_bytes(const char *path, const char *template, size_t len);
/* The content, NUL-terminated; caller frees. */
char *read_file(const char *path);

/* Append the blob of a key. */
void put_key(struct buf *b, char letter);
/* The base64 text of a key; caller frees. */
char *key_text(char letter);

/* The functions of host_keys.h for keys by letter; failures fail the test. */
struct host_keys *load(const char *path);
enum host_key_verdict check(struct host_keys *hk, const char *name,
    unsigned int port, char letter, char **reason, char **retry);
enum host_key_verdict verdict_of(
    struct host_keys *hk, const char *name, unsigned int port, char letter);
int accept_key(struct host_keys *hk, const char *name, unsigned int port,
    char letter, struct error *err);

#endif
