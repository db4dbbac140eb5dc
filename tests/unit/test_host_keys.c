/* SPDX-License-Identifier: GPL-3.0-or-later */
/* host_keys: OpenSSH's semantics of known_hosts, a row a case. */
#include "config.h"

#include "control/host_keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/key_type.h"
#include "known_hosts_text.h"
#include "util/log.h"
#include "util/xalloc.h"

struct verdict_case {
	const char *comment;
	const char *text;
	const char *name;
	unsigned int port;
	char key;
	enum host_key_verdict verdict;
};

static const struct verdict_case verdict_cases[] = {
    {"an empty file", "", "web1", 22, 'A', UNKNOWN},
    {"the key", "web1 {A}\n", "web1", 22, 'A', OK},
    {"another key of the type", "web1 {B}\n", "web1", 22, 'A', MISMATCH},
    {"a key of another type", "web1 {R}\n", "web1", 22, 'A', MISMATCH},
    {"the same type on another curve", "web1 {F}\n", "web1", 22, 'E', MISMATCH},
    {"another host", "web2 {A}\n", "web1", 22, 'A', UNKNOWN},
    {"a name is not a prefix", "web {A}\n", "web1", 22, 'A', UNKNOWN},
    {"a name has no suffix", "web1.example.com {A}\n", "web1", 22, 'A',
	UNKNOWN},
    {"ECDSA 256", "web1 {E}\n", "web1", 22, 'E', OK},
    {"ECDSA 384", "web1 {F}\n", "web1", 22, 'F', OK},
    {"ECDSA 521", "web1 {G}\n", "web1", 22, 'G', OK},
    {"RSA", "web1 {R}\n", "web1", 22, 'R', OK},
    {"rsa-sha2-512 names an RSA key", "web1 rsa-sha2-512 {=R}\n", "web1", 22,
	'R', OK},
    {"rsa-sha2-256 names an RSA key", "web1 rsa-sha2-256 {=R}\n", "web1", 22,
	'R', OK},
    {"several keys, the last one", "web1 {B}\nweb1 {R}\nweb1 {A}\n", "web1", 22,
	'A', OK},
    {"several keys, the first one", "web1 {A}\nweb1 {B}\n", "web1", 22, 'A',
	OK},
    {"the key twice", "web1 {A}\nweb1 {A}\n", "web1", 22, 'A', OK},
    /* names */
    {"a list, first", "web1,web2,10.0.0.1 {A}\n", "web1", 22, 'A', OK},
    {"a list, middle", "web1,web2,10.0.0.1 {A}\n", "web2", 22, 'A', OK},
    {"a list, last", "web1,web2,10.0.0.1 {A}\n", "10.0.0.1", 22, 'A', OK},
    {"a list with empty members", ",,web1,, {A}\n", "web1", 22, 'A', OK},
    {"a blank ends the list", "web2, web1 {A}\n", "web1", 22, 'A', UNKNOWN},
    {"an upper-case file", "WEB1.Example.COM {A}\n", "web1.example.com", 22,
	'A', OK},
    {"an upper-case name", "web1 {A}\n", "WEB1", 22, 'A', OK},
    {"an upper-case pattern", "WEB* {A}\n", "web1", 22, 'A', OK},
    {"an IPv6 address", "::1,fe80::1%eth0 {A}\n", "fe80::1%eth0", 22, 'A', OK},
    /* patterns */
    {"a star", "* {A}\n", "web1", 22, 'A', OK},
    {"a star stands for nothing, too", "web1* {A}\n", "web1", 22, 'A', OK},
    {"a star in the middle", "w*.com {A}\n", "web1.example.com", 22, 'A', OK},
    {"several stars", "*e*.*c*m* {A}\n", "web1.example.com", 22, 'A', OK},
    {"a star must still reach the end", "*.org {A}\n", "web1.example.com", 22,
	'A', UNKNOWN},
    {"a question mark", "web? {A}\n", "web1", 22, 'A', OK},
    {"a question mark is one character", "web? {A}\n", "web", 22, 'A', UNKNOWN},
    {"two question marks", "web?? {A}\n", "web1", 22, 'A', UNKNOWN},
    {"a pattern with another key", "web* {B}\n", "web1", 22, 'A', MISMATCH},
    {"a pattern and the key elsewhere", "web* {B}\nweb1 {A}\n", "web1", 22, 'A',
	OK},
    {"a bracket is no class", "web[12] {A}\n", "web1", 22, 'A', UNKNOWN},
    {"a name with a star matches itself", "web* {A}\n", "web*", 22, 'A', OK},
    {"negated, after", "web*,!web1 {A}\n", "web1", 22, 'A', UNKNOWN},
    {"negated, before", "!web1,web* {A}\n", "web1", 22, 'A', UNKNOWN},
    {"negated, another one", "!web1,web* {A}\n", "web2", 22, 'A', OK},
    {"negated alone matches nothing", "!web1 {A}\n", "web2", 22, 'A', UNKNOWN},
    {"negated with a pattern", "*,!*.evil.com {A}\n", "a.evil.com", 22, 'A',
	UNKNOWN},
    {"negated rejects its own line only", "web*,!web1 {B}\nweb1 {A}\n", "web1",
	22, 'A', OK},
    {"negated takes away a mismatch", "web*,!web1 {B}\n", "web1", 22, 'A',
	UNKNOWN},
    {"an exclamation mark inside is a letter", "we!b {A}\n", "we!b", 22, 'A',
	OK},
    /* hashed names */
    {"hashed", "{#web1} {A}\n", "web1", 22, 'A', OK},
    {"hashed, asked in upper case", "{#web1} {A}\n", "WEB1", 22, 'A', OK},
    {"hashed, another host", "{#web2} {A}\n", "web1", 22, 'A', UNKNOWN},
    {"hashed, another key", "{#web1} {B}\n", "web1", 22, 'A', MISMATCH},
    {"hashed, another type", "{#web1} {R}\n", "web1", 22, 'A', MISMATCH},
    {"hashed with a port", "{#[web1]:2222} {A}\n", "web1", 2222, 'A', OK},
    {"hashed is case-sensitive in the file", "{#WEB1} {A}\n", "WEB1", 22, 'A',
	UNKNOWN},
    {"many hashed with the same key", "{#web2} {A}\n{#web3} {A}\n{#web1} {A}\n",
	"web1", 22, 'A', OK},
    {"a hashed name is alone", "{#web1},web1 {A}\n", "web1", 22, 'A', UNKNOWN},
    {"hashed inside a list is a letter", "web2,{#web1} {A}\n", "web1", 22, 'A',
	UNKNOWN},
    {"a damaged salt", "|1|AAAA|AAAA {A}\n", "web1", 22, 'A', UNKNOWN},
    {"another hash magic", "|2|{#web1} {A}\n", "web1", 22, 'A', UNKNOWN},
    /* ports */
    {"a port", "[web1]:2222 {A}\n", "web1", 2222, 'A', OK},
    {"another port", "[web1]:2223 {A}\n", "web1", 2222, 'A', UNKNOWN},
    {"a port, asked without", "[web1]:2222 {A}\n", "web1", 22, 'A', UNKNOWN},
    {"port 22 in brackets is another name", "[web1]:22 {A}\n", "web1", 22, 'A',
	UNKNOWN},
    {"an IPv6 address with a port", "[::1]:2222 {A}\n", "::1", 2222, 'A', OK},
    {"a port in a list", "web1,[web1]:2222 {A}\n", "web1", 2222, 'A', OK},
    {"a pattern with a port", "[*.example.com]:2222 {A}\n", "a.example.com",
	2222, 'A', OK},
    {"a pattern for the port", "[web1]:* {A}\n", "web1", 2222, 'A', OK},
    {"a star matches a name with a port", "* {A}\n", "web1", 2222, 'A', OK},
    {"the bare name yields ok", "web1 {A}\n", "web1", 2222, 'A', OK},
    {"the bare name, hashed, yields ok", "{#web1} {A}\n", "web1", 2222, 'A',
	OK},
    {"the bare name yields no mismatch", "web1 {B}\n", "web1", 2222, 'A',
	UNKNOWN},
    {"a mismatch with the port beats the bare name",
	"[web1]:2222 {B}\nweb1 {A}\n", "web1", 2222, 'A', MISMATCH},
    {"likewise hashed", "{#[web1]:2222} {B}\nweb1 {A}\n", "web1", 2222, 'A',
	MISMATCH},
    {"ok with the port, another key without", "[web1]:2222 {A}\nweb1 {B}\n",
	"web1", 2222, 'A', OK},
    /* markers */
    {"revoked", "@revoked web1 {A}\n", "web1", 22, 'A', REVOKED},
    {"revoked before the key", "@revoked web1 {A}\nweb1 {A}\n", "web1", 22, 'A',
	REVOKED},
    {"revoked after the key", "web1 {A}\n@revoked web1 {A}\n", "web1", 22, 'A',
	REVOKED},
    {"revoked for all", "web1 {A}\n@revoked * {A}\n", "web1", 22, 'A', REVOKED},
    {"revoked, hashed", "web1 {A}\n@revoked {#web1} {A}\n", "web1", 22, 'A',
	REVOKED},
    {"revoked, both hashed", "{#web1} {A}\n@revoked {#web1} {A}\n", "web1", 22,
	'A', REVOKED},
    {"revoked by the bare name", "[web1]:2222 {A}\n@revoked web1 {A}\n", "web1",
	2222, 'A', REVOKED},
    {"revoked with the port, known without",
	"web1 {A}\n@revoked [web1]:2222 {A}\n", "web1", 2222, 'A', REVOKED},
    {"revoked with the port, asked without",
	"web1 {A}\n@revoked [web1]:2222 {A}\n", "web1", 22, 'A', OK},
    {"revoked for another host", "web1 {A}\n@revoked web2 {A}\n", "web1", 22,
	'A', OK},
    {"another key is revoked", "web1 {A}\n@revoked web1 {B}\n", "web1", 22, 'A',
	OK},
    {"a revoked key is no known key", "@revoked web1 {B}\n", "web1", 22, 'A',
	UNKNOWN},
    {"revoked, and mismatched", "web1 {B}\n@revoked web1 {A}\n", "web1", 22,
	'A', REVOKED},
    {"revoked but for one", "web1 {A}\n@revoked *,!web1 {A}\n", "web1", 22, 'A',
	OK},
    {"revoked and a tab", "web1 {A}\n@revoked\tweb1 {A}\n", "web1", 22, 'A',
	REVOKED},
    {"a CA is no key", "@cert-authority web1 {A}\n", "web1", 22, 'A', UNKNOWN},
    {"a CA is no mismatch", "@cert-authority * {B}\n", "web1", 22, 'A',
	UNKNOWN},
    {"a CA besides the key", "@cert-authority * {B}\nweb1 {A}\n", "web1", 22,
	'A', OK},
    {"a marker not understood", "web1 {A}\n@trusted web1 {A}\n", "web1", 22,
	'A', REVOKED},
    {"whatever its key", "web1 {A}\n@trusted web1 {B}\n", "web1", 22, 'A',
	REVOKED},
    {"without a key", "web1 {A}\n@trusted web1\n", "web1", 22, 'A', REVOKED},
    {"for another host", "web1 {A}\n@trusted web2 {A}\n", "web1", 22, 'A', OK},
    {"for a hashed name", "web1 {A}\n@trusted {#web1} {B}\n", "web1", 22, 'A',
	REVOKED},
    {"for a pattern", "web1 {A}\n@trusted w* {B}\n", "web1", 22, 'A', REVOKED},
    {"for the bare name", "[web1]:2222 {A}\n@trusted web1 {B}\n", "web1", 2222,
	'A', REVOKED},
    {"markers are case-sensitive", "web1 {A}\n@REVOKED web1 {B}\n", "web1", 22,
	'A', REVOKED},
    {"two markers", "web1 {A}\n@cert-authority @revoked web1 {B}\n", "web1", 22,
	'A', REVOKED},
    {"a marker without a word", "web1 {A}\n@ web1 {B}\n", "web1", 22, 'A',
	REVOKED},
    {"a marker alone", "@revoked\n@\n@x\nweb1 {A}\n", "web1", 22, 'A', OK},
    /* layout */
    {"no newline at the end", "web1 {A}", "web1", 22, 'A', OK},
    {"CRLF", "web1 {A}\r\nweb2 {B}\r\n", "web1", 22, 'A', OK},
    {"CRLF after a comment", "web1 {A} me\r\n", "web1", 22, 'A', OK},
    {"leading blanks", " \t web1 {A}\n", "web1", 22, 'A', OK},
    {"tabs", "web1\tssh-ed25519\t{=A}\tcomment\n", "web1", 22, 'A', OK},
    {"many blanks", "web1   ssh-ed25519  \t {=A}   \n", "web1", 22, 'A', OK},
    {"a comment after the key", "web1 {A} root@web1 # x\n", "web1", 22, 'A',
	OK},
    {"empty lines and comments", "\n# web1 {B}\n \t\n  #x\n\r\nweb1 {A}\n",
	"web1", 22, 'A', OK},
    {"a commented key", "#web1 {A}\n", "web1", 22, 'A', UNKNOWN},
    /* lines that are skipped */
    {"no key", "web1\nweb1 \nweb1 # {A}\n", "web1", 22, 'A', UNKNOWN},
    {"a type and no key", "web1 ssh-ed25519\n", "web1", 22, 'A', UNKNOWN},
    {"a key and no type", "web1 {=A}\n", "web1", 22, 'A', UNKNOWN},
    {"bad base64", "web1 ssh-ed25519 AAAA!AAA\n", "web1", 22, 'A', UNKNOWN},
    {"a cut key", "web1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==\n", "web1", 22,
	'A', UNKNOWN},
    {"base64 without its padding", "web1 ssh-ed25519 AAAAC3NzaC1lZA\n", "web1",
	22, 'A', UNKNOWN},
    {"more behind the base64", "web1 {A}AAAA\n", "web1", 22, 'A', UNKNOWN},
    {"the wrong type word", "web1 ssh-rsa {=A}\n", "web1", 22, 'A', UNKNOWN},
    {"the wrong curve word", "web1 ecdsa-sha2-nistp256 {=F}\n", "web1", 22, 'F',
	UNKNOWN},
    {"the wrong curve in the key", "web1 {X}\n", "web1", 22, 'E', UNKNOWN},
    {"a key too long", "web1 {L}\n", "web1", 22, 'A', UNKNOWN},
    {"a key too short", "web1 {M}\n", "web1", 22, 'A', UNKNOWN},
    {"a key with no key in it", "web1 {P}\n", "web1", 22, 'A', UNKNOWN},
    {"a 512-bit RSA key is no mismatch", "web1 {T}\n", "web1", 22, 'A',
	UNKNOWN},
    {"a malformed key never equals", "web1 {L}\n", "web1", 22, 'L', UNKNOWN},
    {"SSH1", "web1 1024 35 1234567890\n", "web1", 22, 'A', UNKNOWN},
    {"an unknown type is no mismatch", "web1 {U}\n", "web1", 22, 'A', UNKNOWN},
    {"an unknown type is never ok", "web1 {U}\n", "web1", 22, 'U', UNKNOWN},
    {"a security key type is a mismatch", "web1 {K}\n", "web1", 22, 'A',
	MISMATCH},
    {"a certificate is a mismatch", "web1 {C}\n", "web1", 22, 'A', MISMATCH},
    {"a DSA key is a mismatch", "web1 {D}\n", "web1", 22, 'A', MISMATCH},
    {"a bad line does not hide the next", "web1 ssh-ed25519 !\nweb1 {A}\n",
	"web1", 22, 'A', OK},
    {"a hostile type is looked up, too", "web1 {A}\n", "web1", 22, '\n',
	MISMATCH},
};

static void
test_verdicts(void **state)
{
	const struct verdict_case *c;
	char *path = in_folder("verdicts");
	struct host_keys *hk;
	int got, failures = 0;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(verdict_cases); i++) {
		c = &verdict_cases[i];
		write_file(path, c->text);
		hk = load(path);
		got = (int)verdict_of(hk, c->name, c->port, c->key);
		/* The second time from what the first one remembers. */
		if (got == (int)c->verdict)
			got = (int)verdict_of(hk, c->name, c->port, c->key);
		if (got != (int)c->verdict) {
			print_error("%s: %d, not %d\n", c->comment, got,
			    (int)c->verdict);
			failures++;
		}
		host_keys_free(hk);
	}
	print_message("%zu verdicts\n", COUNT(verdict_cases));
	free(path);
	assert_int_equal(failures, 0);
}

static void
test_nul_byte_makes_a_line_malformed(void **state)
{
	static const char text[] = "web1 {A}\0\nweb2 {A}\nweb1 {B} \0x\n";
	char *path = in_folder("nul");
	struct host_keys *hk;

	(void)state;
	write_bytes(path, text, sizeof(text) - 1);
	hk = load(path);
	assert_int_equal(verdict_of(hk, "web1", 22, 'A'), UNKNOWN);
	assert_int_equal(verdict_of(hk, "web2", 22, 'A'), OK);
	host_keys_free(hk);
	free(path);
}

/* --- several files ------------------------------------------------------ */

static void
test_verdict_over_all_files(void **state)
{
	char *first = in_folder("first"), *second = in_folder("second");
	const char *paths[] = {first, "/nonexistent/known_hosts", second};
	struct host_keys *hk;
	struct error err;

	(void)state;
	write_file(first, "web1 {B}\nweb2 {A}\n");
	write_file(second, "web1 {A}\n@revoked web2 {A}\nweb3 {R}\n");
	hk = host_keys_load(paths, COUNT(paths), &err);
	assert_non_null(hk);
	assert_int_equal(verdict_of(hk, "web1", 22, 'A'), OK);
	assert_int_equal(verdict_of(hk, "web1", 22, 'B'), OK);
	assert_int_equal(verdict_of(hk, "web1", 22, 'R'), MISMATCH);
	assert_int_equal(verdict_of(hk, "web2", 22, 'A'), REVOKED);
	assert_int_equal(verdict_of(hk, "web3", 22, 'R'), OK);
	assert_int_equal(verdict_of(hk, "web4", 22, 'A'), UNKNOWN);
	host_keys_free(hk);
	free(first);
	free(second);
}

static void
test_unreadable_file_is_an_error(void **state)
{
	char *folder = in_folder("");
	const char *path = folder;
	struct error err;

	(void)state;
	assert_null(host_keys_load(&path, 1, &err));
	assert_non_null(strstr(err.text, folder));
	free(folder);
}

/* --- algorithms --------------------------------------------------------- */

#define P256 "ecdsa-sha2-nistp256"
#define P384 "ecdsa-sha2-nistp384"
#define P521 "ecdsa-sha2-nistp521"
#define ED   "ssh-ed25519"
#define RSA  "rsa-sha2-512,rsa-sha2-256"

static const struct {
	const char *comment;
	const char *text;
	unsigned int port;
	const char *list;
} algorithm_cases[] = {
    {"nothing known", "", 22, P256 "," ED "," P384 "," P521 "," RSA},
    {"RSA known", "web1 {R}\n", 22, RSA "," P256 "," ED "," P384 "," P521},
    {"two known, our order", "web1 {R}\nweb1 {F}\n", 22,
	P384 "," RSA "," P256 "," ED "," P521},
    {"a type of other hosts comes second", "web1 {R}\nweb2 {G}\n", 22,
	RSA "," P521 "," P256 "," ED "," P384},
    {"hashed lines count as other hosts", "{#web1} {R}\nweb1 {G}\n", 22,
	P521 "," RSA "," P256 "," ED "," P384},
    {"a pattern", "web? {E}\n", 22, P256 "," ED "," P384 "," P521 "," RSA},
    {"the port's own first", "web1 {E}\n[web1]:2222 {R}\n", 2222,
	RSA "," P256 "," ED "," P384 "," P521},
    {"the bare name where the port is unknown", "web1 {R}\nweb2 {E}\n", 2222,
	RSA "," P256 "," ED "," P384 "," P521},
    {"marked lines say nothing",
	"@revoked web1 {R}\n@cert-authority web1 {E}\n@x {#web1} {G}\n", 22,
	P256 "," ED "," P384 "," P521 "," RSA},
    {"types we never offer", "web1 {K}\nweb1 {C}\nweb1 {D}\n", 22,
	P256 "," ED "," P384 "," P521 "," RSA},
};

static void
test_algorithms(void **state)
{
	char *path = in_folder("algorithms"), *list;
	struct host_keys *hk;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(algorithm_cases); i++) {
		write_file(path, algorithm_cases[i].text);
		hk = load(path);
		list = host_keys_algorithms(
		    hk, "WEB1", (uint16_t)algorithm_cases[i].port);
		if (strcmp(list, algorithm_cases[i].list) != 0)
			fail_msg("%s: %s", algorithm_cases[i].comment, list);
		free(list);
		host_keys_free(hk);
	}
	free(path);
}

static const struct {
	const char *comment;
	const char *text;
	unsigned int port;
	char key;
	const char *list; /* NULL: asking again is of no use */
} retry_cases[] = {
    {"ok", "web1 {A}\n", 22, 'A', NULL},
    {"unknown host", "web2 {R}\n", 22, 'A', NULL},
    {"another key of the type", "web1 {B}\nweb1 {R}\n", 22, 'A', NULL},
    {"another type", "web1 {R}\n", 22, 'A',
	RSA "," P256 "," ED "," P384 "," P521},
    {"another type, hashed", "{#web1} {R}\n{#web1} {E}\n", 22, 'A',
	P256 "," RSA "," ED "," P384 "," P521},
    {"another curve", "web1 {E}\n", 22, 'F',
	P256 "," ED "," P384 "," P521 "," RSA},
    {"only types we never offer", "web1 {K}\nweb1 {D}\n", 22, 'A', NULL},
    {"revoked", "web1 {R}\n@revoked * {A}\n", 22, 'A', NULL},
    {"the bare name", "web1 {R}\n", 2222, 'A',
	RSA "," P256 "," ED "," P384 "," P521},
    {"the bare name, hashed", "{#web1} {R}\n", 2222, 'A',
	RSA "," P256 "," ED "," P384 "," P521},
    {"the bare name holds the type", "web1 {R}\nweb1 {B}\n", 2222, 'A', NULL},
    {"the bare name does not help the port", "[web1]:2222 {E}\nweb1 {R}\n",
	2222, 'A', P256 "," ED "," P384 "," P521 "," RSA},
    {"a presented type that is unknown", "web1 {A}\n", 22, 'U',
	ED "," P256 "," P384 "," P521 "," RSA},
};

static void
test_retry_algorithms(void **state)
{
	char *path = in_folder("retry"), *reason, *list;
	struct host_keys *hk;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(retry_cases); i++) {
		write_file(path, retry_cases[i].text);
		hk = load(path);
		check(hk, "web1", retry_cases[i].port, retry_cases[i].key,
		    &reason, &list);
		if ((list == NULL) != (retry_cases[i].list == NULL) ||
		    (list != NULL && strcmp(list, retry_cases[i].list) != 0))
			fail_msg("%s: %s", retry_cases[i].comment,
			    list != NULL ? list : "NULL");
		free(reason);
		free(list);
		host_keys_free(hk);
	}
	free(path);
}

/* --- reasons ------------------------------------------------------------ */

/* $F stands for the file, $P for the fingerprint of the key. */
static const struct {
	const char *comment;
	const char *text;
	const char *name;
	unsigned int port;
	char key;
	const char *reason;
} reason_cases[] = {
    {"ok has none", "web1 {A}\n", "web1", 22, 'A', NULL},
    {"unknown", "", "web1", 22, 'A',
	"host key unknown: no ED25519 key for web1 in $F (presented: $P); if "
	"you trust it, add it with ssh-keyscan web1 >> $F after checking the "
	"fingerprint, or use -host-key accept-new"},
    {"unknown, a port, a hashed file", "{#web1} {A}\n", "::1", 2222, 'R',
	"host key unknown: no RSA key for [::1]:2222 in $F (presented: $P); "
	"if you trust it, add it with ssh-keyscan -H -p 2222 ::1 >> $F after "
	"checking the fingerprint, or use -host-key accept-new"},
    {"mismatch", "web2 {A}\nweb1 {R}\nweb1 {B}\n", "web1", 22, 'A',
	"host key mismatch: $F:3 holds another ED25519 key for web1 "
	"(presented: $P); if the change is expected: ssh-keygen -R web1 -f "
	"$F"},
    {"mismatch, only other types: the first", "web1 {R}\nweb1 {E}\n", "web1",
	22, 'A',
	"host key mismatch: $F:1 knows web1 by its RSA key, the host showed "
	"another type, ED25519 ($P); if that fingerprint is the host's, add "
	"it with ssh-keyscan web1 >> $F"},
    {"mismatch, another type, hashed", "{#web1} {R}\n", "web1", 22, 'A',
	"host key mismatch: $F:1 knows web1 by its RSA key, the host showed "
	"another type, ED25519 ($P); if that fingerprint is the host's, add "
	"it with ssh-keyscan -H web1 >> $F"},
    {"mismatch, a port", "[web1]:2222 {E}\n", "web1", 2222, 'F',
	"host key mismatch: $F:1 knows [web1]:2222 by its ECDSA nistp256 "
	"key, the host showed another type, ECDSA nistp384 ($P); if that "
	"fingerprint is the host's, add it with ssh-keyscan -p 2222 web1 >> "
	"$F"},
    {"mismatch in a line of many hosts", "web1,web2 {B}\n", "web1", 22, 'A',
	"host key mismatch: $F:1 holds another ED25519 key for web1 "
	"(presented: $P); if the change is expected: correct that line"},
    {"mismatch, quoting", "it's {B}\n", "it's", 22, 'A',
	"host key mismatch: $F:1 holds another ED25519 key for it's "
	"(presented: $P); if the change is expected: ssh-keygen -R "
	"'it'\\''s' -f $F"},
    {"revoked", "[web1]:2222 {A}\n@revoked web1 {A}\n", "web1", 2222, 'A',
	"host key revoked: $F:2 revokes this ED25519 key for web1 "
	"(presented: $P); it may be in wrong hands: give the host a new key"},
    {"refused", "@trusted web1 {A}\n", "web1", 22, 'A',
	"host key refused: $F:1 is for web1 and starts with '@', but not "
	"with @revoked or @cert-authority; correct that line"},
    {"a hostile type", "web1 {B}\n", "web1", 22, '\n',
	"host key mismatch: $F:1 knows web1 by its ED25519 key, the host "
	"showed another type, unknown-type ($P); if that fingerprint is the "
	"host's, add it with ssh-keyscan web1 >> $F"},
    {"a hostile name", "", "a\nb", 22, 'A',
	"host key unknown: no ED25519 key for a?b in $F (presented: $P); if "
	"you trust it, add it with ssh-keyscan $'a\\012b' >> $F after checking "
	"the fingerprint, or use -host-key accept-new"},
};

static char *
fill_in(const char *template, const char *path, char letter)
{
	struct buf b, blob;
	char *fingerprint, *text;

	buf_init(&b, 4096);
	buf_init(&blob, 4096);
	put_key(&blob, letter);
	fingerprint = key_fingerprint(buf_head(&blob), buf_len(&blob));
	for (; *template != '\0'; template ++) {
		if (strncmp(template, "$F", 2) == 0)
			buf_puts(&b, path);
		else if (strncmp(template, "$P", 2) == 0)
			buf_puts(&b, fingerprint);
		else {
			buf_append(&b, template, 1);
			continue;
		}
		template ++;
	}
	text = xstrndup((const char *)buf_head(&b), buf_len(&b));
	free(fingerprint);
	buf_clear(&b);
	buf_clear(&blob);
	return text;
}

static void
test_reasons(void **state)
{
	char *path = in_folder("reasons"), *reason, *retry, *expected;
	struct host_keys *hk;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(reason_cases); i++) {
		write_file(path, reason_cases[i].text);
		hk = load(path);
		check(hk, reason_cases[i].name, reason_cases[i].port,
		    reason_cases[i].key, &reason, &retry);
		if (reason_cases[i].reason == NULL) {
			assert_null(reason);
		} else {
			expected = fill_in(
			    reason_cases[i].reason, path, reason_cases[i].key);
			assert_string_equal(reason, expected);
			free(expected);
		}
		free(reason);
		free(retry);
		host_keys_free(hk);
	}
	free(path);
}

/* --- warnings ----------------------------------------------------------- */

static void
test_malformed_lines_are_named_in_warnings(void **state)
{
	char *path = in_folder("malformed"), *log = in_folder("log"), *text;
	char *line;
	int saved = dup(STDERR_FILENO), i;

	(void)state;
	write_file(path,
	    "web1 {A}\n# comment\nweb1 ssh-rsa {=A}\nweb1 {U}\n"
	    "web1 1024 35 123\n\nweb1\n");
	log_set_quiet(false);
	assert_non_null(freopen(log, "w", stderr));
	host_keys_free(load(path));
	text = read_file(log);
	line = xasprintf("%s:3: line skipped: the key is not of the type that "
			 "the line names\n",
	    path);
	assert_non_null(strstr(text, line));
	free(line);
	line = xasprintf("%s:7: line skipped: no key\n", path);
	assert_non_null(strstr(text, line));
	free(line);
	assert_null(strstr(text, ":4:"));
	assert_null(strstr(text, ":5:"));
	free(text);

	/* A file of another kind does not bury the user. */
	for (i = 0; i < 1000; i++)
		append_file(path, "nonsense\n");
	assert_non_null(freopen(log, "w", stderr));
	host_keys_free(load(path));
	text = read_file(log);
	assert_true(strlen(text) < 2000);
	line = xasprintf("%s: 1002 malformed lines skipped in all\n", path);
	assert_non_null(strstr(text, line));
	free(line);
	free(text);
	log_set_quiet(true);
	dup2(saved, STDERR_FILENO);
	close(saved);
	free(log);
	free(path);
}

/* --- hostile blobs ------------------------------------------------------ */

static void
test_no_part_of_a_blob_is_taken_for_it(void **state)
{
	char *path = in_folder("parts"), *reason, *retry;
	struct host_keys *hk;
	struct buf blob;
	uint8_t *part;
	size_t len;

	(void)state;
	write_file(path, "web1 {R}\nweb1 {E}\n");
	hk = load(path);
	buf_init(&blob, 4096);
	put_key(&blob, 'R');
	for (len = 0; len < buf_len(&blob); len++) {
		/* Exact allocations, so that a sanitizer sees each read. */
		part = xmemdup(buf_head(&blob), len);
		assert_int_equal(
		    host_keys_check(hk, "web1", 22, part, len, &reason, &retry),
		    MISMATCH);
		free(part);
		free(reason);
		free(retry);
	}
	buf_clear(&blob);
	host_keys_free(hk);
	free(path);
}

static void
test_no_damaged_line_is_taken_for_the_key(void **state)
{
	char *path = in_folder("damaged"), *text = key_text('A'), *line;
	struct host_keys *hk;
	size_t i, len = strlen(text);
	char saved;

	(void)state;
	for (i = 0; i < len; i++) {
		saved = text[i];
		text[i] = saved == 'Q' ? 'R' : 'Q';
		line = xasprintf("web1 ssh-ed25519 %s\n"
				 "web1 ssh-ed25519 %.*s\n",
		    text, (int)i, text);
		write_file(path, line);
		hk = load(path);
		assert_int_not_equal(verdict_of(hk, "web1", 22, 'A'), OK);
		host_keys_free(hk);
		free(line);
		text[i] = saved;
	}
	free(text);
	free(path);
}

static void
test_unused_bits_of_base64_must_be_zero(void **state)
{
	char *path = in_folder("bits"), *text = key_text('E'), *line;
	struct host_keys *hk;
	size_t len = strlen(text);

	(void)state;
	assert_int_equal(text[len - 1], '=');
	text[len - 2]++;
	line = xasprintf("web1 ecdsa-sha2-nistp256 %s\n", text);
	write_file(path, line);
	hk = load(path);
	assert_int_equal(verdict_of(hk, "web1", 22, 'E'), UNKNOWN);
	host_keys_free(hk);
	free(line);
	free(text);
	free(path);
}

static void
test_over_long_pattern_spoils_its_line(void **state)
{
	char *path = in_folder("long"), name[1024], *line;
	struct host_keys *hk;

	(void)state;
	memset(name, 'a', sizeof(name));
	name[1022] = '\0';
	line = xasprintf("web1,%s {A}\nweb2,%sa {A}\n", name, name);
	write_file(path, line);
	hk = load(path);
	assert_int_equal(verdict_of(hk, "web1", 22, 'A'), OK);
	assert_int_equal(verdict_of(hk, name, 22, 'A'), OK);
	assert_int_equal(verdict_of(hk, "web2", 22, 'A'), UNKNOWN);
	host_keys_free(hk);
	free(line);
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_verdicts),
	    cmocka_unit_test(test_nul_byte_makes_a_line_malformed),
	    cmocka_unit_test(test_verdict_over_all_files),
	    cmocka_unit_test(test_unreadable_file_is_an_error),
	    cmocka_unit_test(test_algorithms),
	    cmocka_unit_test(test_retry_algorithms),
	    cmocka_unit_test(test_reasons),
	    cmocka_unit_test(test_malformed_lines_are_named_in_warnings),
	    cmocka_unit_test(test_no_part_of_a_blob_is_taken_for_it),
	    cmocka_unit_test(test_no_damaged_line_is_taken_for_the_key),
	    cmocka_unit_test(test_unused_bits_of_base64_must_be_zero),
	    cmocka_unit_test(test_over_long_pattern_spoils_its_line),
	};

	return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
