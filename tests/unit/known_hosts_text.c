/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "known_hosts_text.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/key_type.h"
#include "control/known_hosts_line.h"
#include "util/fdio.h"
#include "util/log.h"
#include "util/xalloc.h"

#define TEXT_MAX ((size_t)1 << 20)
#define BLOB_MAX 4096u

/* --- keys --------------------------------------------------------------- */

struct test_key {
	char letter;
	const char *type;
	const char *fields; /* as in key_type.c; 'N' is a 512-bit modulus */
	const char *curve;
	size_t point_bytes;
};

static const struct test_key test_keys[] = {
    {'A', "ssh-ed25519", "e", NULL, 0}, {'B', "ssh-ed25519", "e", NULL, 0},
    {'E', "ecdsa-sha2-nistp256", "cp", "nistp256", 65},
    {'F', "ecdsa-sha2-nistp384", "cp", "nistp384", 97},
    {'G', "ecdsa-sha2-nistp521", "cp", "nistp521", 133},
    {'X', "ecdsa-sha2-nistp256", "cp", "nistp384", 97},
    {'R', "ssh-rsa", "in", NULL, 0}, {'S', "ssh-rsa", "in", NULL, 0},
    {'T', "ssh-rsa", "iN", NULL, 0}, {'D', "ssh-dss", "iiii", NULL, 0},
    {'K', "sk-ssh-ed25519@openssh.com", "es", NULL, 0},
    {'C', "ssh-ed25519-cert-v01@openssh.com", "ses", NULL, 0},
    {'U', "ssh-future2040", "ss", NULL, 0},
    {'L', "ssh-ed25519", "ee", NULL, 0},    /* too long */
    {'M', "ssh-ed25519", "i", NULL, 0},	    /* not 32 bytes */
    {'P', "ssh-ed25519", "", NULL, 0},	    /* no key in it */
    {'\n', "ssh-\n\033[31m", "e", NULL, 0}, /* hostile */
};

static size_t
field_bytes(const struct test_key *key, char field)
{
	switch (field) {
	case 'e':
		return 32;
	case 'p':
		return key->point_bytes;
	case 'n':
		return 256;
	case 'N':
		return 64;
	default:
		return 3;
	}
}

static const struct test_key *
find_key(char letter)
{
	const struct test_key *key = test_keys;

	while (key->letter != letter) {
		if (++key == test_keys + COUNT(test_keys))
			fail_msg("there is no test key '%c'", letter);
	}
	return key;
}

void
put_key(struct buf *b, char letter)
{
	const struct test_key *key = find_key(letter);
	uint8_t bytes[256];
	const char *field;

	buf_put_string(b, key->type, strlen(key->type));
	for (field = key->fields; *field != '\0'; field++) {
		if (*field == 'c') {
			buf_put_string(b, key->curve, strlen(key->curve));
			continue;
		}
		memset(bytes, letter, sizeof(bytes));
		if (*field == 'p')
			bytes[0] = 0x04;
		buf_put_string(b, bytes, field_bytes(key, *field));
	}
}

/* --- files -------------------------------------------------------------- */

static char folder[] = "/tmp/test_host_keys-XXXXXX";

int
folder_setup(void **state)
{
	(void)state;
	log_set_quiet(true);
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int
folder_teardown(void **state)
{
	(void)state;
	return nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

char *
in_folder(const char *name)
{
	return xasprintf("%s/%s", folder, name);
}

char *
key_text(char letter)
{
	struct buf blob;
	char *text;

	buf_init(&blob, BLOB_MAX);
	put_key(&blob, letter);
	text = base64_encode(buf_head(&blob), buf_len(&blob));
	buf_clear(&blob);
	return text;
}

static void
put_token(struct buf *b, const char *token, size_t len, EVP_MAC_CTX **hmac)
{
	char *name, *text;

	if (token[0] == '#') {
		name = xstrndup(token + 1, len - 1);
		text = name_hash(name, hmac);
		free(name);
	} else {
		text = key_text(token[len - 1]);
		if (token[0] != '=')
			buf_printf(b, "%s ", find_key(token[0])->type);
	}
	buf_puts(b, text);
	free(text);
}

static void
expand(struct buf *b, const char *template, size_t len)
{
	const char *p = template, *end = template + len, *close;
	EVP_MAC_CTX *hmac = NULL;

	buf_init(b, TEXT_MAX);
	while (p < end) {
		close = *p == '{' ? memchr(p, '}', (size_t)(end - p)) : NULL;
		if (close == NULL) {
			buf_append(b, p++, 1);
			continue;
		}
		put_token(b, p + 1, (size_t)(close - p) - 1, &hmac);
		p = close + 1;
	}
	EVP_MAC_CTX_free(hmac);
}

static void
put_file(const char *path, const char *template, size_t len, int flags)
{
	struct buf b;
	int fd = open(path, O_WRONLY | O_CREAT | flags, 0600);

	assert_int_not_equal(fd, -1);
	expand(&b, template, len);
	assert_int_equal(fd_flush(fd, &b), 0);
	buf_clear(&b);
	close(fd);
}

void
write_file(const char *path, const char *template)
{
	put_file(path, template, strlen(template), O_TRUNC);
}

void
append_file(const char *path, const char *template)
{
	put_file(path, template, strlen(template), O_APPEND);
}

void
write_bytes(const char *path, const char *template, size_t len)
{
	put_file(path, template, len, O_TRUNC);
}

char *
read_file(const char *path)
{
	struct error err;
	size_t len;
	char *text = file_read(path, TEXT_MAX, &len, &err);

	if (text == NULL)
		fail_msg("%s", err.text);
	return text;
}

struct host_keys *
load(const char *path)
{
	struct error err;
	struct host_keys *hk = host_keys_load(&path, 1, &err);

	if (hk == NULL)
		fail_msg("%s", err.text);
	return hk;
}

enum host_key_verdict
check(struct host_keys *hk, const char *name, unsigned int port, char letter,
    char **reason, char **retry)
{
	enum host_key_verdict verdict;
	struct buf blob;

	buf_init(&blob, BLOB_MAX);
	put_key(&blob, letter);
	verdict = host_keys_check(hk, name, (uint16_t)port, buf_head(&blob),
	    buf_len(&blob), reason, retry);
	buf_clear(&blob);
	return verdict;
}

enum host_key_verdict
verdict_of(
    struct host_keys *hk, const char *name, unsigned int port, char letter)
{
	enum host_key_verdict verdict;
	char *reason, *retry;

	verdict = check(hk, name, port, letter, &reason, &retry);
	free(reason);
	free(retry);
	return verdict;
}

int
accept_key(struct host_keys *hk, const char *name, unsigned int port,
    char letter, struct error *err)
{
	struct buf blob;
	int result;

	buf_init(&blob, BLOB_MAX);
	put_key(&blob, letter);
	result = host_keys_accept(
	    hk, name, (uint16_t)port, buf_head(&blob), buf_len(&blob), err);
	buf_clear(&blob);
	return result;
}
