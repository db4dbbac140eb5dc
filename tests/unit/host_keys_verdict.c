/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * host_keys_verdict: print our verdict over a host key, for the test that
 * compares it with ssh's.
 *
 *	host_keys_verdict NAME PORT KEYFILE.pub KNOWN_HOSTS...
 *
 * prints ok, unknown, mismatch or revoked, and the reason on stderr.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/host_keys.h"
#include "control/key_type.h"
#include "util/fdio.h"
#include "util/log.h"

static const char *const verdict_names[] = {
    [HOST_KEY_UNKNOWN] = "unknown",
    [HOST_KEY_OK] = "ok",
    [HOST_KEY_MISMATCH] = "mismatch",
    [HOST_KEY_REVOKED] = "revoked",
};

/* The second word of a .pub file. */
static size_t
read_key(const char *path, uint8_t *blob, size_t max)
{
	struct error err;
	char *text, *word;
	size_t len;
	long blob_len;

	text = file_read(path, 65536, &len, &err);
	if (text == NULL)
		fatal("%s", err.text);
	word = strchr(text, ' ');
	if (word == NULL)
		fatal("%s: not a public key", path);
	word++;
	blob_len = base64_decode(word, strcspn(word, " \n"), blob, max);
	if (blob_len == -1)
		fatal("%s: not base64", path);
	free(text);
	return (size_t)blob_len;
}

int
main(int argc, char **argv)
{
	uint8_t blob[KEY_BLOB_MAX];
	char *reason, *retry_algorithms;
	struct host_keys *hk;
	struct error err;
	size_t len;

	log_init("host_keys_verdict");
	if (argc < 5)
		fatal("usage: NAME PORT KEYFILE.pub KNOWN_HOSTS...");
	len = read_key(argv[3], blob, sizeof(blob));
	hk = host_keys_load(
	    (const char *const *)(argv + 4), (size_t)argc - 4, &err);
	if (hk == NULL)
		fatal("%s", err.text);
	puts(verdict_names[host_keys_check(hk, argv[1],
	    (uint16_t)strtoul(argv[2], NULL, 10), blob, len, &reason,
	    &retry_algorithms)]);
	if (reason != NULL)
		fprintf(stderr, "%s\n", reason);
	if (retry_algorithms != NULL)
		fprintf(stderr, "retry: %s\n", retry_algorithms);
	free(reason);
	free(retry_algorithms);
	host_keys_free(hk);
	return 0;
}
