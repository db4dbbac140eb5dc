/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "cli/option_value.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "inventory/settings.h"
#include "util/xalloc.h"

static int
number_parse(const struct option_row *row, const char *text, uint32_t *value,
    struct error *err)
{
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 ||
	    number < row->least || number > row->most)
		return error_set(err, "\"%s\" is not a number from %u to %u",
		    text, row->least, row->most);
	*value = (uint32_t)number;
	return 0;
}

/* As size_parse() reads it, in the largest unit that leaves no rest. */
static char *
size_text(uint64_t bytes)
{
	static const char *const units[] = {"", "K", "M", "G", "T"};
	size_t i;

	for (i = 0; i < 4 && bytes > 0 && bytes % 1024 == 0; i++)
		bytes /= 1024;
	return xasprintf("%" PRIu64 "%s", bytes, units[i]);
}

/* Returns 0, or -1 with err, if bytes, which text says, are too few or many. */
static int
size_check(const struct option_row *row, const char *text, uint64_t bytes,
    struct error *err)
{
	bool is_less = bytes < row->least;
	char *limit;

	if (!is_less && (row->most == 0 || bytes <= row->most))
		return 0;
	limit = size_text(is_less ? row->least : row->most);
	error_set(err, "\"%.40s\" is %s than %s", text,
	    is_less ? "less" : "more", limit);
	free(limit);
	return -1;
}

/* A whole number of bytes, or a decimal one of K, M, G or T. */
static int
size_parse(const struct option_row *row, const char *text, uint64_t *value,
    struct error *err)
{
	static const char units[] = "kmgt";
	static const uint64_t most = UINT64_C(1) << 60;
	size_t whole = strspn(text, "0123456789"), part = 0, i;
	const char *s = text + whole, *unit;
	uint64_t scale = 1, bytes, digit;

	if (*s == '.')
		part = strspn(++s, "0123456789");
	unit = s[part] != '\0' ? strchr(units, tolower((unsigned char)s[part]))
			       : NULL;
	if (unit != NULL)
		scale <<= 10 * (unit - units + 1);
	if (whole == 0 || s[part + (unit != NULL)] != '\0' ||
	    (s != text + whole && (part == 0 || unit == NULL)))
		return error_set(err,
		    "\"%.40s\" is not a size (bytes, or like 500k, 1.5M, 10G)",
		    text);
	errno = 0;
	bytes = strtoull(text, NULL, 10);
	if (errno != 0 || bytes > most / scale)
		return error_set(err, "\"%.40s\" is too much", text);
	bytes *= scale;
	for (i = 0; i < part; i++) {
		digit = (uint64_t)(s[i] - '0');
		bytes += digit * scale / 10;
		scale /= 10;
	}
	if (size_check(row, text, bytes, err) == -1)
		return -1;
	*value = bytes;
	return 0;
}

static int
word_parse(const struct option_row *row, const char *text, unsigned *value,
    struct error *err)
{
	const char *word = row->words;
	unsigned index = 0;
	size_t len;

	if (row->alias.text != NULL && strcmp(text, row->alias.text) == 0)
		text = row->alias.word;
	for (; *word != '\0'; word += len + (word[len] == '|'), index++) {
		len = strcspn(word, "|");
		if (strlen(text) == len && strncmp(word, text, len) == 0) {
			*value = index;
			return 0;
		}
	}
	return error_set(err, "\"%s\" is none of %s", text, row->words);
}

static int
flag_parse(const char *text, bool *value, struct error *err)
{
	if (text != NULL && strcmp(text, "true") != 0 &&
	    strcmp(text, "false") != 0)
		return error_set(
		    err, "\"%.40s\" is neither true nor false", text);
	*value = text == NULL || strcmp(text, "true") == 0;
	return 0;
}

static int
count_parse(const struct option_row *row, const char *text, uint32_t *value,
    struct error *err)
{
	if (text == NULL || strcmp(text, "true") == 0) {
		*value += (uint32_t)row->tag;
		if (*value > row->most)
			*value = row->most;
	} else if (strcmp(text, "false") == 0) {
		*value = 0;
	} else {
		return number_parse(row, text, value, err);
	}
	return 0;
}

static int
text_check(const struct option_row *row, const char *text, struct error *err)
{
	if (row->kind == OPTION_SETTING)
		return setting_check((enum setting)row->tag, text, err);
	if (option_is_path(row) && text[0] == '\0')
		return error_set(err, "the path is empty");
	return row->check != NULL ? row->check(text, err) : 0;
}

static void
list_add(
    const struct option_row *row, struct option_list *list, const char *text)
{
	list->values =
	    xreallocarray(list->values, list->count + 1, sizeof(*list->values));
	list->values[list->count++] = (struct option_value){row->tag, text};
}

int
option_set(const struct option_row *row, void *place, const char *text,
    struct error *err)
{
	switch (row->kind) {
	case OPTION_FLAG:
		return flag_parse(text, place, err);
	case OPTION_COUNT:
		return count_parse(row, text, place, err);
	case OPTION_SETTING:
	case OPTION_STRING:
		if (text_check(row, text, err) == -1)
			return -1;
		memcpy(place, &text, sizeof(text));
		return 0;
	case OPTION_NUMBER:
		return number_parse(row, text, place, err);
	case OPTION_DURATION:
		return duration_parse(text, place, err);
	case OPTION_SIZE:
		return size_parse(row, text, place, err);
	case OPTION_WORD:
		return word_parse(row, text, place, err);
	case OPTION_LIST:
		if (text_check(row, text, err) == -1)
			return -1;
		list_add(row, place, text);
		return 0;
	}
	return -1;
}

int
option_check(const struct option_row *row, const char *text, struct error *err)
{
	union {
		bool flag;
		uint32_t number;
		uint64_t size;
		unsigned word;
		const char *string;
		struct option_list list;
	} value = {0};
	int rc = option_set(row, &value, text, err);

	if (row->kind == OPTION_LIST)
		free(value.list.values);
	return rc;
}

static char *
word_text(const char *words, unsigned index)
{
	size_t len;

	for (;; words += len + 1) {
		len = strcspn(words, "|");
		if (index-- == 0)
			return xstrndup(words, len);
		if (words[len] == '\0')
			return NULL;
	}
}

static char *
duration_text(uint32_t ms)
{
	return ms % 1000 == 0 ? xasprintf("%us", ms / 1000)
			      : xasprintf("%ums", ms);
}

char *
option_text(const struct option_row *row, const void *place, size_t index)
{
	const struct option_list *list = place;
	const uint32_t *number = place;
	const uint64_t *size = place;
	const char *text;

	if (index > 0 && row->kind != OPTION_LIST)
		return NULL;
	switch (row->kind) {
	case OPTION_FLAG:
		return xstrdup(*(const bool *)place ? "true" : "false");
	case OPTION_SETTING:
	case OPTION_STRING:
		memcpy(&text, place, sizeof(text));
		return text != NULL ? xstrdup(text) : NULL;
	case OPTION_COUNT:
	case OPTION_NUMBER:
		return *number >= row->least && *number <= row->most
		    ? xasprintf("%u", *number)
		    : NULL;
	case OPTION_DURATION:
		return duration_text(*number);
	case OPTION_SIZE:
		return *size >= row->least ? size_text(*size) : NULL;
	case OPTION_WORD:
		return word_text(row->words, *(const unsigned *)place);
	case OPTION_LIST:
		return index < list->count ? xstrdup(list->values[index].text)
					   : NULL;
	}
	return NULL;
}
