/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "simhost_script.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/fdio.h"
#include "util/xalloc.h"

enum value_kind { V_NONE, V_NUMBER, V_TEXT, V_WORD };

static const char *const op_words[OP_COUNT + 1] = {"init", "open", "close",
    "read", "write", "stat", "setstat", "opendir", "readdir", "remove", "mkdir",
    "rmdir", "realpath", "rename", "symlink", "readlink", "fsync", "hardlink",
    "statvfs", "limits", NULL};

static const char *const names_words[] = {"slash", "dotdot", "empty",
    "absolute", "nul", "long", "control", "twice", "filethendir", "endless",
    "deep", NULL};

static const char *const count_names[C_COUNT] = {
    [C_CONNECTIONS] = "connections",
    [C_AUTHS] = "auths",
    [C_CHANNELS] = "channels",
    [C_EXECS] = "execs",
    [C_SFTPS] = "sftps",
    [C_REQUESTS] = "requests",
    [C_READ_OPENS] = "read-opens",
    [C_WRITE_OPENS] = "write-opens",
    [C_READ_BYTES] = "read-bytes",
    [C_WRITE_BYTES] = "write-bytes",
    [C_CLOSES] = "closes",
    [C_OPENDIRS] = "opendirs",
    [C_REMOVES] = "removes",
    [C_MKDIRS] = "mkdirs",
    [C_RENAMES] = "renames",
    [C_FSYNCS] = "fsyncs",
};

static const struct {
	const char *name;
	enum value_kind kind;
	const char *const *words;
} table[B_COUNT] = {
    [B_NO_SFTP] = {"no-sftp", V_NONE, NULL},
    [B_VERSION] = {"version", V_NUMBER, NULL},
    [B_TEXT_FIRST] = {"text-first", V_NONE, NULL},
    [B_NO_EXTENSIONS] = {"no-extensions", V_NONE, NULL},
    [B_NO_POSIX_RENAME] = {"no-posix-rename", V_NONE, NULL},
    [B_NO_FSYNC] = {"no-fsync", V_NONE, NULL},
    [B_NO_HARDLINK] = {"no-hardlink", V_NONE, NULL},
    [B_NO_LIMITS] = {"no-limits", V_NONE, NULL},
    [B_NAMES] = {"names", V_WORD, names_words},
    [B_SYMLINK] = {"symlink", V_TEXT, NULL},
    [B_GROWS] = {"grows", V_NONE, NULL},
    [B_SHRINKS] = {"shrinks", V_NONE, NULL},
    [B_SIZE] = {"size", V_NUMBER, NULL},
    [B_TYPE_CHANGE] = {"type-change", V_NONE, NULL},
    [B_DISK_FULL] = {"disk-full", V_NUMBER, NULL},
    [B_WRITE_FAILS] = {"write-fails", V_TEXT, NULL},
    [B_OPEN_FAILS] = {"open-fails", V_NONE, NULL},
    [B_CLOSE_FAILS] = {"close-fails", V_NONE, NULL},
    [B_READ_FAILS] = {"read-fails", V_NONE, NULL},
    [B_STAT_FAILS] = {"stat-fails", V_NONE, NULL},
    [B_SETSTAT_FAILS] = {"setstat-fails", V_NONE, NULL},
    [B_OPENDIR_FAILS] = {"opendir-fails", V_NONE, NULL},
    [B_READDIR_FAILS] = {"readdir-fails", V_NONE, NULL},
    [B_REMOVE_FAILS] = {"remove-fails", V_NONE, NULL},
    [B_MKDIR_FAILS] = {"mkdir-fails", V_NONE, NULL},
    [B_RMDIR_FAILS] = {"rmdir-fails", V_NONE, NULL},
    [B_REALPATH_FAILS] = {"realpath-fails", V_NONE, NULL},
    [B_RENAME_FAILS] = {"rename-fails", V_NONE, NULL},
    [B_SYMLINK_FAILS] = {"symlink-fails", V_NONE, NULL},
    [B_READLINK_FAILS] = {"readlink-fails", V_NONE, NULL},
    [B_FSYNC_FAILS] = {"fsync-fails", V_NONE, NULL},
    [B_HARDLINK_FAILS] = {"hardlink-fails", V_NONE, NULL},
    [B_LIES_SIZE] = {"lies-size", V_NONE, NULL},
    [B_CORRUPT] = {"corrupt", V_NONE, NULL},
    [B_SHORT_READ] = {"short-read", V_NONE, NULL},
    [B_SHUFFLE] = {"shuffle", V_NONE, NULL},
    [B_SLOW] = {"slow", V_NUMBER, NULL},
    [B_STALL] = {"stall", V_WORD, op_words},
    [B_DROP] = {"drop", V_WORD, op_words},
    [B_DROP_AFTER] = {"drop-after", V_NUMBER, NULL},
    [B_GARBAGE] = {"garbage", V_NONE, NULL},
    [B_HUGE_PACKET] = {"huge-packet", V_NONE, NULL},
    [B_ZERO_PACKET] = {"zero-packet", V_NONE, NULL},
    [B_BAD_ID] = {"bad-id", V_NONE, NULL},
    [B_BAD_TYPE] = {"bad-type", V_NONE, NULL},
    [B_BAD_DATA] = {"bad-data", V_NONE, NULL},
    [B_LONG_HANDLE] = {"long-handle", V_NONE, NULL},
    [B_MORE_DATA] = {"more-data", V_NONE, NULL},
    [B_MANY_ATTRS] = {"many-attrs", V_NONE, NULL},
    [B_EXEC_SHA] = {"exec-sha", V_NONE, NULL},
    [B_EXEC_LIES] = {"exec-lies", V_NONE, NULL},
    [B_EXEC_STALL] = {"exec-stall", V_NONE, NULL},
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

/* word is "name" or "name=value". */
static int
parse_behaviour(struct host *h, char *word, struct error *err)
{
	char *text = strchr(word, '=');
	struct value *v;
	size_t b, i;

	if (text != NULL)
		*text++ = '\0';
	for (b = 0; b < B_COUNT; b++) {
		if (strcmp(table[b].name, word) == 0)
			break;
	}
	if (b == B_COUNT)
		return error_set(err, "unknown behaviour '%s'", word);
	v = &h->values[b];
	if (v->is_on)
		return error_set(err, "'%s' twice", word);
	if ((text != NULL) != (table[b].kind != V_NONE))
		return error_set(err, "'%s' %s a value", word,
		    text != NULL ? "does not take" : "needs");
	v->is_on = true;
	switch (table[b].kind) {
	case V_NONE:
		break;
	case V_NUMBER:
		if (parse_number(text, &v->number) == -1)
			return error_set(err, "'%s': not a number", word);
		break;
	case V_TEXT:
		if (unescape(text, err) == -1)
			return -1;
		v->text = xstrdup(text);
		break;
	case V_WORD:
		for (i = 0; table[b].words[i] != NULL; i++) {
			if (strcmp(table[b].words[i], text) == 0)
				break;
		}
		if (table[b].words[i] == NULL)
			return error_set(
			    err, "'%s': unknown word '%s'", word, text);
		v->number = i;
		break;
	}
	return 0;
}

static int
parse_line(struct script *s, char *line, struct error *err)
{
	static const char blanks[] = " \t";
	struct host *h;
	char *word, *state = NULL;
	size_t i;

	word = strtok_r(line, blanks, &state);
	if (word == NULL || word[0] == '#')
		return 0;
	s->hosts = xreallocarray(s->hosts, s->count + 1, sizeof(*h));
	h = memset(&s->hosts[s->count], 0, sizeof(*h));
	h->root_fd = -1;
	if (inet_pton(AF_INET, word, &h->in) != 1 ||
	    ntohl(h->in.s_addr) >> 24 != 127)
		return error_set(err, "'%s' is no loopback address", word);
	inet_ntop(AF_INET, &h->in, h->address, sizeof(h->address));
	for (i = 0; i < s->count; i++) {
		if (s->hosts[i].in.s_addr == h->in.s_addr)
			return error_set(err, "%s twice", h->address);
	}
	s->count++;
	while ((word = strtok_r(NULL, blanks, &state)) != NULL) {
		if (word[0] == '#')
			break;
		if (parse_behaviour(h, word, err) == -1)
			return -1;
	}
	return 0;
}

int
script_load(struct script *s, const char *path, struct error *err)
{
	char *text, *line, *next;
	struct error why;
	size_t len, number = 0;

	memset(s, 0, sizeof(*s));
	text = file_read(path, 64u << 20, &len, err);
	if (text == NULL)
		return -1;
	for (line = text; line != NULL; line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		number++;
		if (parse_line(s, line, &why) == -1) {
			error_set(err, "%s:%zu: %s", path, number, why.text);
			free(text);
			return -1;
		}
	}
	free(text);
	return s->count > 0 ? 0 : error_set(err, "%s: no host", path);
}

void
script_clear(struct script *s)
{
	size_t i, b;

	for (i = 0; i < s->count; i++) {
		for (b = 0; b < B_COUNT; b++)
			free(s->hosts[i].values[b].text);
		free(s->hosts[i].root);
		fd_close(&s->hosts[i].root_fd);
	}
	free(s->hosts);
	memset(s, 0, sizeof(*s));
}

int
script_write_counts(const struct script *s, const char *path, struct error *err)
{
	const struct host *h;
	size_t c;
	FILE *f;

	f = fopen(path, "we");
	if (f == NULL)
		return error_set(err, "%s: %s", path, strerror(errno));
	for (h = s->hosts; h < s->hosts + s->count; h++) {
		for (c = 0; c < C_COUNT; c++)
			fprintf(f, "%s %s %" PRIu64 "\n", h->address,
			    count_names[c], h->counts[c]);
	}
	if (ferror(f) || fclose(f) != 0)
		return error_set(err, "%s: %s", path, strerror(errno));
	return 0;
}
