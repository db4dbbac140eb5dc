/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "cli/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "inventory/settings.h"
#include "util/quote.h"
#include "util/suggest.h"
#include "util/xalloc.h"

#define HELP_COLUMN 30

/* One name of one row of one table. */
struct name {
	const struct option_row *row;
	void *target;
};

/* All names, as getopt knows them by index. */
struct names {
	struct option *options;
	struct name *names;
	size_t count;
};

static void
names_add(struct names *n, const struct option_row *row, void *target,
    const char *name, size_t len)
{
	n->options =
	    xreallocarray(n->options, n->count + 2, sizeof(*n->options));
	n->names = xreallocarray(n->names, n->count + 1, sizeof(*n->names));
	memset(&n->options[n->count], 0, 2 * sizeof(*n->options));
	n->options[n->count].name = xstrndup(name, len);
	n->options[n->count].has_arg = row->kind == OPTION_FLAG ? no_argument
	    : row->is_optional ? optional_argument
			       : required_argument;
	n->names[n->count++] = (struct name){row, target};
}

static void
names_init(struct names *n, const struct option_table *tables)
{
	const struct option_row *row;
	const char *name;
	size_t len;

	memset(n, 0, sizeof(*n));
	for (; tables->rows != NULL; tables++) {
		for (row = tables->rows; row->names != NULL; row++) {
			for (name = row->names; *name != '\0';
			     name += len + (name[len] == ',')) {
				len = strcspn(name, ",");
				names_add(n, row, tables->target, name, len);
			}
		}
	}
}

static void
names_clear(struct names *n)
{
	size_t i;

	for (i = 0; i < n->count; i++) {
		char *name;

		memcpy(&name, &n->options[i].name, sizeof(name));
		free(name);
	}
	free(n->options);
	free(n->names);
}

static const char *
names_candidate(const void *ctx, size_t index)
{
	const struct names *n = ctx;

	return index < n->count ? n->options[index].name : NULL;
}

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
	if (bytes < row->least)
		return error_set(err, "\"%.40s\" is less than %u byte%s", text,
		    row->least, row->least == 1 ? "" : "s");
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
option_set(const struct option_row *row, void *target, const char *text,
    struct error *err)
{
	char *place = (char *)target + row->offset;
	struct option_list *list;

	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)place = true;
		return 0;
	case OPTION_SETTING:
		if (setting_check((enum setting)row->tag, text, err) == -1)
			return -1;
		memcpy(place, &text, sizeof(text));
		return 0;
	case OPTION_STRING:
		memcpy(place, &text, sizeof(text));
		return 0;
	case OPTION_NUMBER:
		return number_parse(row, text, (void *)place, err);
	case OPTION_DURATION:
		return duration_parse(text, (void *)place, err);
	case OPTION_SIZE:
		return size_parse(row, text, (void *)place, err);
	case OPTION_WORD:
		return word_parse(row, text, (void *)place, err);
	case OPTION_LIST:
		list = (void *)place;
		list->values = xreallocarray(
		    list->values, list->count + 1, sizeof(*list->values));
		list->values[list->count++] =
		    (struct option_value){row->tag, text};
		return 0;
	}
	return -1;
}

/* Why getopt did not take this word. */
static int
option_refused(
    int rc, const char *word, const struct names *names, struct error *err)
{
	size_t dashes = strspn(word, "-"), len = strcspn(word + dashes, "=");
	char *name = xstrndup(word + dashes, len);
	size_t i, alike = 0;
	const char *near;

	for (i = 0; i < names->count; i++)
		alike += strncmp(names->options[i].name, name, len) == 0;
	near = suggest(name, names_candidate, names);
	if (rc == ':')
		error_set(err, "option -%s needs a value", name);
	else if (alike == 1 && word[dashes + len] == '=')
		error_set(err, "option -%s takes no value", name);
	else if (alike > 1)
		error_set(err, "option -%s is ambiguous", name);
	else if (near != NULL)
		error_set(
		    err, "unknown option -%s; did you mean -%s?", name, near);
	else
		error_set(err, "unknown option -%s", name);
	free(name);
	return -1;
}

/* Whether the next word is no option. */
static bool
has_value(int argc, char **argv)
{
	return optind < argc &&
	    (argv[optind][0] != '-' || argv[optind][1] == '\0');
}

/* The value of names[index] that getopt found, and those that follow it. */
static int
option_take(const struct names *names, int index, int argc, char **argv,
    struct error *err)
{
	const struct name *n = &names->names[index];
	const char *text = optarg;
	struct error why;

	if (n->row->is_optional && text == NULL)
		text = has_value(argc, argv) ? argv[optind++] : "";
	for (;;) {
		if (option_set(n->row, n->target, text, &why) == -1)
			return error_set(err, "option -%s: %s",
			    names->options[index].name, why.text);
		if (!n->row->takes_more || !has_value(argc, argv))
			return 0;
		text = argv[optind++];
	}
}

/* last: the index of the option before the word, or -1. */
static int
operand_refused(
    const char *word, const struct names *names, int last, struct error *err)
{
	if (last == -1 || names->names[last].row->kind == OPTION_FLAG)
		return error_set(err, "unexpected argument \"%s\"", word);
	return error_set(err,
	    "unexpected argument \"%s\": -%s takes one word; quote blanks, and "
	    "globs that are not for this shell",
	    word, names->options[last].name);
}

int
options_parse(const struct option_table *tables, int argc, char **argv,
    int *operand, struct error *err)
{
	struct names names;
	int index, rc, result = 0, at, last = -1;

	names_init(&names, tables);
	opterr = 0;
	optind = 1;
	while (result == 0) {
		at = optind;
		rc = getopt_long_only(argc, argv, "+:", names.options, &index);
		if (rc == -1)
			break;
		if (rc != 0) {
			result = option_refused(rc, argv[at], &names, err);
			break;
		}
		result = option_take(&names, index, argc, argv, err);
		last = index;
	}
	*operand = optind;
	if (result == 0 && optind < argc && strcmp(argv[optind - 1], "--") != 0)
		result = operand_refused(argv[optind], &names, last, err);
	names_clear(&names);
	return result;
}

static void
quote_words(struct buf *out, char **words, int count)
{
	for (; count > 0; count--, words++) {
		buf_puts(out, " ");
		quote_shell(out, *words);
	}
}

void
options_again(const struct option_table *tables, int argc, char **argv,
    const char *more, struct buf *out)
{
	const struct option_row *row;
	struct names names;
	int index, at;

	names_init(&names, tables);
	quote_shell(out, argv[0]);
	optind = 1;
	for (;;) {
		at = optind;
		if (getopt_long_only(argc, argv, "+:", names.options, &index) !=
		    0)
			break;
		row = names.names[index].row;
		if (row->is_optional && optarg == NULL && has_value(argc, argv))
			optind++;
		while (row->takes_more && has_value(argc, argv))
			optind++;
		if (!row->is_replaced)
			quote_words(out, argv + at, optind - at);
	}
	buf_printf(out, " %s", more);
	quote_words(out, argv + at, argc - at);
	names_clear(&names);
}

void
options_clear(const struct option_table *tables)
{
	const struct option_row *row;
	struct option_list *list;

	for (; tables->rows != NULL; tables++) {
		for (row = tables->rows; row->names != NULL; row++) {
			if (row->kind != OPTION_LIST)
				continue;
			list = (void *)((char *)tables->target + row->offset);
			free(list->values);
			memset(list, 0, sizeof(*list));
		}
	}
}

static void
row_help(const struct option_row *row, FILE *out)
{
	const char *p;
	int width;

	if (row->heading != NULL)
		fprintf(out, "\n%s:\n", row->heading);
	width = fprintf(out, "  -");
	for (p = row->names; *p != '\0'; p++)
		width +=
		    *p == ',' ? fprintf(out, ", -") : fprintf(out, "%c", *p);
	if (row->argument != NULL)
		width += fprintf(out, " %s", row->argument);
	if (width >= HELP_COLUMN)
		width = fprintf(out, "\n") - 1;
	fprintf(out, "%*s%s\n", HELP_COLUMN - width, "", row->help);
}

void
options_help(const struct option_table *tables, FILE *out)
{
	const struct option_row *row;

	for (; tables->rows != NULL; tables++) {
		for (row = tables->rows; row->names != NULL; row++)
			row_help(row, out);
	}
}
