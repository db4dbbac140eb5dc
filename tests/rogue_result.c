/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "rogue.h"
#include "util/log.h"
#include "util/xalloc.h"
#include "wire/outcome.h"

enum field_kind { U32, U64, TEXT };

static const struct {
	const char *name;
	enum field_kind kind;
	size_t offset;
} result_fields[] = {
    {"status", U32, offsetof(struct msg_result, status)},
    {"stage", U32, offsetof(struct msg_result, stage)},
    {"has_exit", U32, offsetof(struct msg_result, has_exit_code)},
    {"exit", U32, offsetof(struct msg_result, exit_code)},
    {"connect_ms", U32, offsetof(struct msg_result, connect_ms)},
    {"auth_ms", U32, offsetof(struct msg_result, auth_ms)},
    {"stdout", U64, offsetof(struct msg_result, stdout_bytes)},
    {"stderr", U64, offsetof(struct msg_result, stderr_bytes)},
    {"bytes", U64, offsetof(struct msg_result, bytes)},
    {"files", U64, offsetof(struct msg_result, files)},
    {"unchanged", U64, offsetof(struct msg_result, unchanged)},
    {"message", TEXT, offsetof(struct msg_result, message)},
    {"signal", TEXT, offsetof(struct msg_result, signal)},
    {"peer", TEXT, offsetof(struct msg_result, peer)},
    {"sha256", TEXT, offsetof(struct msg_result, sha256)},
};
#define RESULT_FIELDS (sizeof(result_fields) / sizeof(result_fields[0]))

char *
rogue_expand(const char *value)
{
	size_t len = strtoul(value + (value[0] == '*'), NULL, 10);
	char *s;

	if (value[0] != '*')
		return xstrdup(value);
	s = xmalloc(len + 1);
	memset(s, 'x', len);
	s[len] = '\0';
	return s;
}

/* Set the field that "NAME=VALUE" names; *string is to be freed behind it. */
static void
set_field(struct msg_result *msg, const char *setting, char **string)
{
	const char *equals = strchr(setting, '=');
	size_t i, len = equals != NULL ? (size_t)(equals - setting) : 0;
	uint64_t u64 = equals != NULL ? strtoull(equals + 1, NULL, 10) : 0;
	uint32_t u32 = (uint32_t)u64;
	char *field;

	for (i = 0; i < RESULT_FIELDS; i++) {
		if (len != strlen(result_fields[i].name) ||
		    strncmp(result_fields[i].name, setting, len) != 0)
			continue;
		field = (char *)msg + result_fields[i].offset;
		if (result_fields[i].kind == U32)
			memcpy(field, &u32, sizeof(u32));
		else if (result_fields[i].kind == U64)
			memcpy(field, &u64, sizeof(u64));
		else {
			free(*string);
			*string = rogue_expand(equals + 1);
			memcpy(field, string, sizeof(*string));
		}
		return;
	}
	fatal("no such field of a result: %s", setting);
}

void
rogue_result(struct rogue *r, uint32_t job, const char *settings)
{
	struct msg_result msg = {.status = STATUS_OK, .peer = "127.0.0.1"};
	char *copy = xstrdup(settings), *rest = copy, *word, *string = NULL;

	while ((word = strsep(&rest, " ")) != NULL) {
		if (word[0] != '\0')
			set_field(&msg, word, &string);
	}
	rogue_send(r, FRAME_RESULT, job, &msg);
	free(string);
	free(copy);
}
