/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * known_hosts: the verdict over a key is what a plain walk over all lines
 * gives, and a key that was accepted is known from then on. The input is a
 * line with a name, one with a port, one with a key in base64 (or any bytes),
 * and the file.
 */
#include "config.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "control/host_keys.h"
#include "control/key_type.h"
#include "control/known_hosts_line.h"
#include "util/xalloc.h"

struct question {
	char *name;
	uint16_t port;
	uint8_t *key;
	size_t key_len;
};

static void
question_init(struct question *q, struct cursor *c)
{
	uint8_t blob[KEY_BLOB_MAX];
	char *port, *key;
	long len;

	q->name = fuzz_line(c);
	port = fuzz_line(c);
	q->port = (uint16_t)strtoul(port, NULL, 10);
	key = fuzz_line(c);
	len = base64_decode(key, strlen(key), blob, sizeof(blob));
	q->key_len = len != -1 ? (size_t)len : strlen(key);
	q->key = xmemdup(len != -1 ? (char *)blob : key, q->key_len);
	free(port);
	free(key);
}

static void
question_clear(struct question *q)
{
	free(q->name);
	free(q->key);
}

/* --- the verdict, line by line ------------------------------------------- */

/* What the lines for one name say. */
struct found {
	bool is_refused, is_equal, is_other;
};

static void
look_at_line(struct known_line *line, const char *name, const char *key,
    EVP_MAC_CTX **hmac, struct found *found)
{
	bool is_equal = known_line_holds(line, key, strlen(key));
	bool is_for_name = known_line_matches(line, name, hmac);

	free(line->name);
	if (!is_for_name || line->marker == MARKER_CA)
		return;
	if (line->marker == MARKER_NOT_UNDERSTOOD)
		found->is_refused = true;
	else if (line->marker == MARKER_REVOKED)
		found->is_refused |= is_equal;
	else if (is_equal)
		found->is_equal = true;
	else
		found->is_other = true;
}

static struct found
look_for(const char *name, const char *key, struct cursor file)
{
	struct found found = {false, false, false};
	EVP_MAC_CTX *hmac = NULL;
	struct known_line line;
	const uint8_t *nl;
	const char *why;
	size_t len;

	while (file.left > 0) {
		nl = memchr(file.p, '\n', file.left);
		len = nl != NULL ? (size_t)(nl - file.p) : file.left;
		if (known_line_parse(&line, (const char *)file.p, len, &why) ==
		    LINE_ENTRY)
			look_at_line(&line, name, key, &hmac, &found);
		file.p += len + (nl != NULL);
		file.left -= len + (nl != NULL);
	}
	EVP_MAC_CTX_free(hmac);
	return found;
}

static enum host_key_verdict
expected_verdict(const struct question *q, struct cursor file)
{
	bool has_port = q->port != 22 && q->port != 0;
	char *bare = xstrdup(q->name), *full, *c;
	char *key = base64_encode(q->key, q->key_len);
	struct found f, b = {false, false, false};

	for (c = bare; *c != '\0'; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
	full = has_port ? xasprintf("[%s]:%u", bare, q->port) : xstrdup(bare);
	f = look_for(full, key, file);
	if (has_port)
		b = look_for(bare, key, file);
	free(key);
	free(full);
	free(bare);
	if (f.is_refused || b.is_refused)
		return HOST_KEY_REVOKED;
	if (f.is_equal)
		return HOST_KEY_OK;
	if (f.is_other)
		return HOST_KEY_MISMATCH;
	return b.is_equal ? HOST_KEY_OK : HOST_KEY_UNKNOWN;
}

/* --- checks -------------------------------------------------------------- */

static enum host_key_verdict
ask(struct host_keys *hk, const struct question *q)
{
	enum host_key_verdict verdict;
	char *reason, *retry;

	verdict = host_keys_check(
	    hk, q->name, q->port, q->key, q->key_len, &reason, &retry);
	FUZZ_CHECK((reason == NULL) == (verdict == HOST_KEY_OK));
	FUZZ_CHECK(reason == NULL || strchr(reason, '\n') == NULL);
	FUZZ_CHECK(retry == NULL || verdict == HOST_KEY_UNKNOWN ||
	    verdict == HOST_KEY_MISMATCH);
	free(reason);
	free(retry);
	return verdict;
}

static struct host_keys *
load(const char *path)
{
	struct error err = {""};
	struct host_keys *hk = host_keys_load(&path, 1, &err);

	FUZZ_CHECK(hk != NULL);
	return hk;
}

/* Whatever the lines are, each algorithm is offered once. */
static void
check_algorithms(struct host_keys *hk, const struct question *q)
{
	char *list = host_keys_algorithms(hk, q->name, q->port);
	const struct key_type *type;
	size_t i, len = 0;

	for (i = 0; (type = key_type_at(i)) != NULL; i++) {
		if (type->algorithms == NULL)
			continue;
		FUZZ_CHECK(strstr(list, type->algorithms) != NULL);
		len += strlen(type->algorithms) + 1;
	}
	FUZZ_CHECK(strlen(list) + 1 == len);
	free(list);
}

static off_t
size_of(const struct fuzz_file *file)
{
	struct stat st;

	FUZZ_CHECK(fstat(file->fd, &st) == 0);
	return st.st_size;
}

/* Only a key that is not known is written down, and then it is known. */
static void
check_accept(struct host_keys *hk, const struct question *q,
    enum host_key_verdict verdict, const struct fuzz_file *file)
{
	struct error err = {""};
	off_t size = size_of(file);
	struct host_keys *again;
	bool is_longer;
	int rc;

	rc = host_keys_accept(hk, q->name, q->port, q->key, q->key_len, &err);
	fuzz_check_result(rc, &err);
	is_longer = size_of(file) > size;
	FUZZ_CHECK(is_longer == (rc == 0 && verdict == HOST_KEY_UNKNOWN));
	FUZZ_CHECK(rc == -1 || ask(hk, q) == HOST_KEY_OK);
	if (!is_longer)
		return;
	again = load(file->path);
	FUZZ_CHECK(ask(again, q) == HOST_KEY_OK);
	host_keys_free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = {data, size};
	enum host_key_verdict verdict;
	struct fuzz_file file;
	struct question q;
	struct host_keys *hk;

	question_init(&q, &c);
	fuzz_file_open(&file, c.p, c.left);
	hk = load(file.path);
	check_algorithms(hk, &q);
	verdict = ask(hk, &q);
	FUZZ_CHECK(verdict == expected_verdict(&q, c));
	check_accept(hk, &q, verdict, &file);
	host_keys_free(hk);
	fuzz_file_close(&file);
	question_clear(&q);
	return 0;
}
