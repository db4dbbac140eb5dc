/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The grammar is OpenSSH's (hostfile.c, match.c), with these differences, all
 * of them towards refusing:
 *
 *  - OpenSSH skips a line whose marker it does not understand. Here it refuses
 *    the names it matches: somebody wanted to restrict something.
 *  - A marker may be followed by a tab (OpenSSH looks for a blank first, and
 *    then takes "@revoked<tab>name" for one long unknown marker).
 *  - A line with a NUL byte is malformed (OpenSSH reads up to it).
 */
#include "config.h"

#include "control/known_hosts_line.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/rand.h>

#include "util/log.h"
#include "util/xalloc.h"

#define HASH_MAGIC	 "|1|"
#define HASH_MAGIC_BYTES 3u
#define HASH_TEXT_BYTES	 28u   /* base64 of NAME_HASH_BYTES */
#define PATTERN_MAX	 1022u /* OpenSSH: no match at all beyond */

struct span {
	const char *p;
	size_t len;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
span_is(struct span s, const char *word)
{
	return s.len == strlen(word) && memcmp(s.p, word, s.len) == 0;
}

static bool
span_is_number(struct span s)
{
	while (s.len > 0 && s.p[0] >= '0' && s.p[0] <= '9') {
		s.p++;
		s.len--;
	}
	return s.len == 0;
}

static void
skip_blanks(struct span *s)
{
	while (s->len > 0 && is_blank(s->p[0])) {
		s->p++;
		s->len--;
	}
}

/* Take a word off the head of s, and the blanks that follow. */
static struct span
take_word(struct span *s)
{
	struct span word = {s->p, 0};

	while (word.len < s->len && !is_blank(s->p[word.len]))
		word.len++;
	s->p += word.len;
	s->len -= word.len;
	skip_blanks(s);
	return word;
}

static enum line_marker
take_marker(struct span *s)
{
	enum line_marker marker = MARKER_NONE;
	struct span word;

	while (s->len > 0 && s->p[0] == '@') {
		word = take_word(s);
		if (marker != MARKER_NONE)
			marker = MARKER_NOT_UNDERSTOOD;
		else if (span_is(word, "@revoked"))
			marker = MARKER_REVOKED;
		else if (span_is(word, "@cert-authority"))
			marker = MARKER_CA;
		else
			marker = MARKER_NOT_UNDERSTOOD;
	}
	return marker;
}

/* Returns 0, or -1 if names is not exactly |1|salt|hash. */
static int
hashed_names_decode(const char *names, size_t len,
    uint8_t salt[NAME_HASH_BYTES], uint8_t hash[NAME_HASH_BYTES])
{
	const char *salt_text = names + HASH_MAGIC_BYTES;
	const char *hash_text = salt_text + HASH_TEXT_BYTES + 1;

	if (len != HASH_MAGIC_BYTES + 2 * HASH_TEXT_BYTES + 1 ||
	    memcmp(names, HASH_MAGIC, HASH_MAGIC_BYTES) != 0 ||
	    salt_text[HASH_TEXT_BYTES] != '|')
		return -1;
	if (base64_decode(salt_text, HASH_TEXT_BYTES, salt, NAME_HASH_BYTES) !=
		NAME_HASH_BYTES ||
	    base64_decode(hash_text, HASH_TEXT_BYTES, hash, NAME_HASH_BYTES) !=
		NAME_HASH_BYTES)
		return -1;
	return 0;
}

static int
parse_names(struct known_line *line, struct span names)
{
	uint8_t salt[NAME_HASH_BYTES], hash[NAME_HASH_BYTES];
	size_t i, pattern_len = 0;

	line->names = names.p;
	line->names_len = names.len;
	line->kind = NAMES_EXACT;
	if (names.p[0] == '|') {
		line->kind = NAMES_HASHED;
		return hashed_names_decode(names.p, names.len, salt, hash);
	}
	for (i = 0; i < names.len; i++) {
		pattern_len = names.p[i] == ',' ? 0 : pattern_len + 1;
		if (strchr("*?!", names.p[i]) != NULL ||
		    pattern_len > PATTERN_MAX)
			line->kind = NAMES_PATTERN;
	}
	return 0;
}

/* rest: "keytype base64 [comment]". */
static enum line_status
parse_key(struct known_line *line, struct span rest, const char **why)
{
	uint8_t blob[KEY_BLOB_MAX];
	const struct key_type *type;
	struct span word, key;
	long len;

	word = take_word(&rest);
	key = take_word(&rest);
	if (word.len == 0 || word.p[0] == '#')
		*why = "no key";
	else if (span_is_number(word))
		return LINE_EMPTY;
	else if (key.len == 0)
		*why = "no key after the key type";
	else if (key.len > KEY_TEXT_MAX)
		*why = "the key is too long";
	else if ((len = base64_decode(key.p, key.len, blob, sizeof(blob))) ==
	    -1)
		*why = "the key is not base64";
	else if ((type = key_type_by_word(word.p, word.len)) == NULL) {
		if (key_blob_is_named(blob, (size_t)len, word.p, word.len))
			return LINE_EMPTY;
		*why = "unknown key type, and the key is of another one";
	} else if (!key_blob_is_named(
		       blob, (size_t)len, type->name, strlen(type->name)))
		*why = "the key is not of the type that the line names";
	else if (key_type_of_blob(blob, (size_t)len) != type)
		*why = "the key is damaged";
	else {
		line->type = type;
		line->key = key.p;
		line->key_len = key.len;
		return LINE_ENTRY;
	}
	return LINE_MALFORMED;
}

enum line_status
known_line_parse(
    struct known_line *line, const char *text, size_t len, const char **why)
{
	struct span rest = {text, len}, names;

	memset(line, 0, sizeof(*line));
	if (rest.len > 0 && rest.p[rest.len - 1] == '\r')
		rest.len--;
	skip_blanks(&rest);
	if (rest.len == 0 || rest.p[0] == '#')
		return LINE_EMPTY;
	if (memchr(rest.p, '\0', rest.len) != NULL) {
		*why = "a NUL byte";
		return LINE_MALFORMED;
	}
	line->marker = take_marker(&rest);
	names = take_word(&rest);
	if (names.len == 0) {
		*why = "no names";
		return LINE_MALFORMED;
	}
	if (parse_names(line, names) == -1) {
		*why = "a malformed hashed name";
		return LINE_MALFORMED;
	}
	if (line->marker == MARKER_NOT_UNDERSTOOD)
		return LINE_ENTRY;
	return parse_key(line, rest, why);
}

/* Letters of the pattern count as lower-case, as name is. */
static bool
char_matches(char pattern, char c)
{
	if (pattern >= 'A' && pattern <= 'Z')
		pattern = (char)(pattern - 'A' + 'a');
	return pattern == '?' || pattern == c;
}

/*
 * '*' and '?' against a whole name. On a mismatch only the last '*' needs to
 * take one more character, so that no pattern takes exponential time.
 */
static bool
pattern_matches(struct span pattern, const char *name)
{
	const char *p = pattern.p, *end = pattern.p + pattern.len;
	const char *star = NULL, *star_name = NULL;

	while (*name != '\0') {
		if (p < end && *p == '*') {
			star = ++p;
			star_name = name;
		} else if (p < end && char_matches(*p, *name)) {
			p++;
			name++;
		} else if (star != NULL) {
			p = star;
			name = ++star_name;
		} else {
			return false;
		}
	}
	while (p < end && *p == '*')
		p++;
	return p == end;
}

bool
name_matches_list(const char *name, const char *list, size_t len)
{
	const char *end = list + len, *comma;
	struct span pattern;
	bool is_negated, is_matched = false;

	for (; list < end; list = comma + 1) {
		comma = memchr(list, ',', (size_t)(end - list));
		if (comma == NULL)
			comma = end;
		is_negated = *list == '!';
		pattern.p = list + is_negated;
		pattern.len = (size_t)(comma - pattern.p);
		if (pattern.len > PATTERN_MAX)
			return false;
		if (!pattern_matches(pattern, name))
			continue;
		if (is_negated)
			return false;
		is_matched = true;
	}
	return is_matched;
}

static EVP_MAC_CTX *
name_hmac_new(void)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *hmac = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
	char digest[] = "SHA1";
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
	    OSSL_PARAM_construct_end(),
	};

	EVP_MAC_free(mac);
	if (hmac == NULL || EVP_MAC_CTX_set_params(hmac, params) != 1)
		fatal("OpenSSL has no HMAC-SHA1");
	return hmac;
}

static void
name_hmac(EVP_MAC_CTX **hmac, const uint8_t salt[NAME_HASH_BYTES],
    const char *name, uint8_t out[NAME_HASH_BYTES])
{
	size_t len;

	if (*hmac == NULL)
		*hmac = name_hmac_new();
	if (EVP_MAC_init(*hmac, salt, NAME_HASH_BYTES, NULL) != 1 ||
	    EVP_MAC_update(*hmac, (const uint8_t *)name, strlen(name)) != 1 ||
	    EVP_MAC_final(*hmac, out, &len, NAME_HASH_BYTES) != 1 ||
	    len != NAME_HASH_BYTES)
		fatal("HMAC-SHA1 failed");
}

char *
name_hash(const char *name, EVP_MAC_CTX **hmac)
{
	uint8_t salt[NAME_HASH_BYTES], hash[NAME_HASH_BYTES];
	char *salt_text, *hash_text, *hashed;

	if (RAND_bytes(salt, sizeof(salt)) != 1)
		fatal("no random bytes");
	name_hmac(hmac, salt, name, hash);
	salt_text = base64_encode(salt, sizeof(salt));
	hash_text = base64_encode(hash, sizeof(hash));
	hashed = xasprintf(HASH_MAGIC "%s|%s", salt_text, hash_text);
	free(salt_text);
	free(hash_text);
	return hashed;
}

bool
known_line_matches(
    struct known_line *line, const char *name, EVP_MAC_CTX **hmac)
{
	uint8_t salt[NAME_HASH_BYTES], hash[NAME_HASH_BYTES];
	uint8_t mine[NAME_HASH_BYTES];

	if (line->kind != NAMES_HASHED)
		return name_matches_list(name, line->names, line->names_len);
	if (line->name != NULL)
		return strcmp(line->name, name) == 0;
	if (hashed_names_decode(line->names, line->names_len, salt, hash) == -1)
		return false;
	name_hmac(hmac, salt, name, mine);
	if (memcmp(mine, hash, sizeof(hash)) != 0)
		return false;
	line->name = xstrdup(name);
	return true;
}

bool
known_line_holds(const struct known_line *line, const char *key, size_t key_len)
{
	return line->key != NULL && line->key_len == key_len &&
	    memcmp(line->key, key, key_len) == 0;
}
