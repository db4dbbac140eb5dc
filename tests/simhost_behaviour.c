/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "simhost_behaviour.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

enum value_kind {
	V_NONE,
	V_NUMBER,
	V_TEXT,
	V_WORD,
	V_WORDS,	/* a comma list */
	V_WORDS_OR_ALL, /* or no value */
	V_DELAYS
};

static const char *const stage_words[STAGE_COUNT + 1] = {"connect", "banner",
    "kex", "auth", "channel", "exec", "stream", "exit", "close", NULL};

static const char *const banner_words[] = {"garbage", "http", "ssh1", "endless",
    "lines", "preamble", "blank", "maxstartups", "penalty", "empty", "says",
    NULL};

static const char *const auth_words[AUTH_COUNT + 1] = {
    "password", "publickey", "keyboard-interactive", NULL};

static const char *const op_words[OP_COUNT + 1] = {"init", "open", "close",
    "read", "write", "stat", "setstat", "opendir", "readdir", "remove", "mkdir",
    "rmdir", "realpath", "rename", "symlink", "readlink", "fsync", "hardlink",
    "statvfs", "limits", NULL};

static const char *const names_words[] = {"slash", "dotdot", "empty",
    "absolute", "nul", "long", "control", "twice", "filethendir", "endless",
    "deep", NULL};

static const struct {
	const char *name;
	enum value_kind kind;
	const char *const *words;
	bool is_setting; /* no fault: stays where only= and after= end those */
} table[B_COUNT] = {
    [B_REFUSE] = {"refuse", V_NONE},
    [B_BLACKHOLE] = {"blackhole", V_NONE},
    [B_SILENT] = {"silent", V_WORD, stage_words},
    [B_RESET] = {"reset", V_WORD, stage_words},
    [B_HANGUP] = {"hangup", V_WORD, stage_words},
    [B_DISCONNECT] = {"disconnect", V_WORD, stage_words},
    [B_DELAY] = {"delay", V_DELAYS, stage_words},
    [B_BANNER] = {"banner", V_WORD, banner_words},
    [B_SAYS] = {"says", V_TEXT},
    [B_OTHER_KEY] = {"other-key", V_NONE},
    [B_CHANGING_KEY] = {"changing-key", V_NONE},
    [B_REKEY] = {"rekey", V_NUMBER},
    [B_REKEY_OFFERS] = {"rekey-offers", V_TEXT},
    [B_CIPHERS] = {"ciphers", V_TEXT},
    [B_REKEY_CIPHERS] = {"rekey-ciphers", V_TEXT},
    [B_MACS] = {"macs", V_TEXT},
    [B_REKEY_MACS] = {"rekey-macs", V_TEXT},
    [B_ONLY] = {"only", V_NUMBER},
    [B_AFTER] = {"after", V_NUMBER},
    [B_DENY] = {"deny", V_WORDS_OR_ALL, auth_words},
    [B_METHODS] = {"methods", V_WORDS, auth_words, .is_setting = true},
    [B_PARTIAL] = {"partial", V_NONE},
    [B_PASSWORD] = {"password", V_TEXT, .is_setting = true},
    [B_CHANGE_PASSWORD] = {"change-password", V_NONE},
    [B_OPEN] = {"open", V_NONE, .is_setting = true},
    [B_NO_AUTHS] = {"no-auths", V_NUMBER},
    [B_HANGUP_DENIED] = {"hangup-denied", V_NONE},
    [B_NO_CHANNEL] = {"no-channel", V_NONE},
    [B_NO_EXEC] = {"no-exec", V_NONE},
    [B_EXEC] = {"exec", V_TEXT, .is_setting = true},
    [B_NO_SFTP] = {"no-sftp", V_NONE},
    [B_VERSION] = {"version", V_NUMBER},
    [B_TEXT_FIRST] = {"text-first", V_NONE},
    [B_NO_EXTENSIONS] = {"no-extensions", V_NONE},
    [B_NO_POSIX_RENAME] = {"no-posix-rename", V_NONE},
    [B_NO_FSYNC] = {"no-fsync", V_NONE},
    [B_NO_HARDLINK] = {"no-hardlink", V_NONE},
    [B_NO_LIMITS] = {"no-limits", V_NONE},
    [B_NAMES] = {"names", V_WORD, names_words},
    [B_SYMLINK] = {"symlink", V_TEXT},
    [B_GROWS] = {"grows", V_NONE},
    [B_SHRINKS] = {"shrinks", V_NONE},
    [B_SIZE] = {"size", V_NUMBER},
    [B_TYPE_CHANGE] = {"type-change", V_NONE},
    [B_DISK_FULL] = {"disk-full", V_NUMBER},
    [B_WRITE_FAILS] = {"write-fails", V_TEXT},
    [B_OPEN_FAILS] = {"open-fails", V_NONE},
    [B_CLOSE_FAILS] = {"close-fails", V_NONE},
    [B_READ_FAILS] = {"read-fails", V_NONE},
    [B_STAT_FAILS] = {"stat-fails", V_NONE},
    [B_SETSTAT_FAILS] = {"setstat-fails", V_NONE},
    [B_OPENDIR_FAILS] = {"opendir-fails", V_NONE},
    [B_READDIR_FAILS] = {"readdir-fails", V_NONE},
    [B_REMOVE_FAILS] = {"remove-fails", V_NONE},
    [B_MKDIR_FAILS] = {"mkdir-fails", V_NONE},
    [B_RMDIR_FAILS] = {"rmdir-fails", V_NONE},
    [B_REALPATH_FAILS] = {"realpath-fails", V_NONE},
    [B_RENAME_FAILS] = {"rename-fails", V_NONE},
    [B_SYMLINK_FAILS] = {"symlink-fails", V_NONE},
    [B_READLINK_FAILS] = {"readlink-fails", V_NONE},
    [B_FSYNC_FAILS] = {"fsync-fails", V_NONE},
    [B_HARDLINK_FAILS] = {"hardlink-fails", V_NONE},
    [B_LIES_SIZE] = {"lies-size", V_NONE},
    [B_CORRUPT] = {"corrupt", V_NONE},
    [B_SHORT_READ] = {"short-read", V_NONE},
    [B_SHUFFLE] = {"shuffle", V_NONE},
    [B_SLOW] = {"slow", V_NUMBER},
    [B_STALL] = {"stall", V_WORD, op_words},
    [B_DROP] = {"drop", V_WORD, op_words},
    [B_DROP_AFTER] = {"drop-after", V_NUMBER},
    [B_GARBAGE] = {"garbage", V_NONE},
    [B_HUGE_PACKET] = {"huge-packet", V_NONE},
    [B_ZERO_PACKET] = {"zero-packet", V_NONE},
    [B_BAD_ID] = {"bad-id", V_NONE},
    [B_BAD_TYPE] = {"bad-type", V_NONE},
    [B_BAD_DATA] = {"bad-data", V_NONE},
    [B_LONG_HANDLE] = {"long-handle", V_NONE},
    [B_MORE_DATA] = {"more-data", V_NONE},
    [B_MANY_ATTRS] = {"many-attrs", V_NONE},
    [B_EXEC_SHA] = {"exec-sha", V_NONE, .is_setting = true},
    [B_EXEC_LIES] = {"exec-lies", V_NONE},
    [B_EXEC_STALL] = {"exec-stall", V_NONE},
};

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Replace the escapes of a text value in place. */
static int
unescape(char *text, struct error *err)
{
	static const char codes[] = "sentr\\";
	static const char bytes[] = " \033\n\t\r\\";
	const char *in = text, *code;
	char *out = text;
	int high, low;

	while (*in != '\0') {
		if (*in != '\\') {
			*out++ = *in++;
			continue;
		}
		in++;
		if (*in == 'x') {
			if ((high = hex_digit(in[1])) == -1 ||
			    (low = hex_digit(in[2])) == -1)
				return error_set(err, "bad \\x in a value");
			*out++ = (char)(high * 16 + low);
			in += 3;
			continue;
		}
		code = *in != '\0' ? strchr(codes, *in) : NULL;
		if (code == NULL)
			return error_set(err, "bad escape in a value");
		*out++ = bytes[code - codes];
		in++;
	}
	*out = '\0';
	return 0;
}

static int
parse_number(const char *text, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0
	    ? 0
	    : -1;
}

/* The index of a word of len bytes, or -1. */
static int
find_word(const char *const *words, const char *text, size_t len)
{
	int i;

	for (i = 0; words[i] != NULL; i++) {
		if (strlen(words[i]) == len && memcmp(words[i], text, len) == 0)
			return i;
	}
	return -1;
}

static int
parse_words(const char *const *words, const char *text, uint64_t *set,
    struct error *err)
{
	size_t len;
	int word;

	*set = 0;
	for (;; text += len + 1) {
		len = strcspn(text, ",");
		word = find_word(words, text, len);
		if (word == -1)
			return error_set(err, "unknown word '%s'", text);
		*set |= 1u << word;
		if (text[len] == '\0')
			return 0;
	}
}

/* STAGE:MS,... */
static int
parse_delays(struct value *delays, char *text, struct error *err)
{
	char *item, *ms, *state = NULL;
	struct value *v;
	int stage;

	for (item = strtok_r(text, ",", &state); item != NULL;
	     item = strtok_r(NULL, ",", &state)) {
		ms = strchr(item, ':');
		stage = ms == NULL
		    ? -1
		    : find_word(stage_words, item, (size_t)(ms - item));
		if (stage == -1)
			return error_set(err, "'%s' is no STAGE:MS", item);
		v = &delays[stage];
		if (v->is_on || parse_number(ms + 1, &v->number) == -1)
			return error_set(
			    err, "'%s': twice, or not a number", item);
		v->is_on = true;
	}
	return 0;
}

static int
parse_value(struct value *v, size_t b, char *text, struct error *err)
{
	int word;

	switch (table[b].kind) {
	case V_NONE:
		return 0;
	case V_NUMBER:
		return parse_number(text, &v->number) == 0
		    ? 0
		    : error_set(err, "not a number");
	case V_TEXT:
		if (unescape(text, err) == -1)
			return -1;
		v->text = xstrdup(text);
		return 0;
	case V_WORD:
		word = find_word(table[b].words, text, strlen(text));
		if (word == -1)
			return error_set(err, "unknown word '%s'", text);
		v->number = (uint64_t)word;
		return 0;
	case V_WORDS_OR_ALL:
		v->number = UINT64_MAX;
		if (text == NULL)
			return 0;
		/* fallthrough */
	case V_WORDS:
		return parse_words(table[b].words, text, &v->number, err);
	case V_DELAYS:
		return parse_delays(v, text, err);
	}
	return 0;
}

int
behaviour_parse(struct value *values, char *word, struct error *err)
{
	char *text = strchr(word, '=');
	enum value_kind kind;
	struct error why;
	size_t b;

	if (text != NULL)
		*text++ = '\0';
	for (b = 0; b < B_COUNT; b++) {
		if (table[b].name != NULL && strcmp(table[b].name, word) == 0)
			break;
	}
	if (b == B_COUNT)
		return error_set(err, "unknown behaviour '%s'", word);
	kind = table[b].kind;
	if (values[b].is_on && kind != V_DELAYS)
		return error_set(err, "'%s' twice", word);
	if (kind != V_WORDS_OR_ALL && (text != NULL) != (kind != V_NONE))
		return error_set(err, "'%s' %s a value", word,
		    text != NULL ? "does not take" : "needs");
	if (parse_value(&values[b], b, text, &why) == -1)
		return error_set(err, "'%s': %s", word, why.text);
	if (kind != V_DELAYS)
		values[b].is_on = true;
	return 0;
}

bool
behaviour_is_setting(unsigned int b)
{
	return table[b].is_setting;
}
