/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "worker/temp_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/hash.h"
#include "util/log.h"

#define PREFIX	   ".batch_scp."
#define PREFIX_LEN (sizeof(PREFIX) - 1)
/* The prefix, the hash and the point after it. */
#define TOKEN_AT (PREFIX_LEN + 8 + 1)

_Static_assert(TOKEN_AT + RUN_TOKEN_SIZE - 1 + 1 + 8 < TEMP_NAME_SIZE,
    "the longest name fits");

static uint32_t
base_hash(const char *base)
{
	return hash_fold(hash_add(HASH_START, base, strlen(base)));
}

static void
name_write(const struct temp_name *name, char *buf, size_t size)
{
	snprintf(buf, size, PREFIX "%08x.%s.%02x", (unsigned)name->base_hash,
	    name->token, (unsigned)name->seq);
}

void
temp_name_make(
    char *buf, size_t size, const char *base, const char *token, uint32_t seq)
{
	struct temp_name name = {.base_hash = base_hash(base), .seq = seq};

	if (size < TEMP_NAME_SIZE || !run_token_is_valid(token))
		fatal("temp_name_make: bad arguments");
	snprintf(name.token, sizeof(name.token), "%s", token);
	name_write(&name, buf, size);
}

bool
temp_name_parse(const char *name, struct temp_name *out)
{
	char again[TEMP_NAME_SIZE];
	const char *last;
	size_t token_len;

	if (strncmp(name, PREFIX, PREFIX_LEN) != 0 ||
	    strnlen(name, TEMP_NAME_SIZE) <= TOKEN_AT ||
	    strnlen(name, TEMP_NAME_SIZE) == TEMP_NAME_SIZE)
		return false;
	last = strrchr(name + TOKEN_AT, '.');
	if (last == NULL)
		return false;
	token_len = (size_t)(last - (name + TOKEN_AT));
	if (token_len >= sizeof(out->token))
		return false;
	memcpy(out->token, name + TOKEN_AT, token_len);
	out->token[token_len] = '\0';
	if (!run_token_is_valid(out->token))
		return false;
	/* Whatever strtoull() takes besides our form differs when written. */
	out->base_hash = (uint32_t)strtoull(name + PREFIX_LEN, NULL, 16);
	out->seq = (uint32_t)strtoull(last + 1, NULL, 16);
	name_write(out, again, sizeof(again));
	return strcmp(name, again) == 0;
}

bool
temp_name_is_of(const struct temp_name *name, const char *base)
{
	return name->base_hash == base_hash(base);
}

bool
temp_name_is_stale(const struct temp_name *name, int64_t mtime_s, int64_t now_s)
{
	switch (run_token_state(name->token)) {
	case RUN_TOKEN_ALIVE:
		return false;
	case RUN_TOKEN_DEAD:
		return true;
	case RUN_TOKEN_FOREIGN:
		break;
	}
	return mtime_s > 0 && mtime_s <= now_s &&
	    now_s - mtime_s > TEMP_FOREIGN_STALE_S;
}
