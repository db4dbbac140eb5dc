/* SPDX-License-Identifier: GPL-3.0-or-later */
/* -print-config: the values in effect, in the format that conf.c reads. */
#include "config.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cli/conf.h"
#include "cli/option_value.h"
#include "inventory/inventory.h"
#include "inventory/settings.h"
#include "report/color.h"
#include "util/escape.h"
#include "util/xalloc.h"

/* More does not go into a line, see ini_scan.c. */
#define TEXT_MAX 900u
#define NO_LINE	 "not to be written in a file"

static bool
has_blank_end(const char *s)
{
	size_t len = strlen(s);

	return len > 0 &&
	    (isspace((unsigned char)s[0]) ||
		isspace((unsigned char)s[len - 1]));
}

/* s between quotes that it does not hold; NULL if it holds both. */
static char *
quoted(const char *s)
{
	char quote = strchr(s, '"') == NULL ? '"' : '\'';

	if (strchr(s, quote) != NULL)
		return NULL;
	return xasprintf("%c%s%c", quote, s, quote);
}

/*
 * Append an item as conf.c takes it off a list. Only what must be is between
 * quotes: a value that begins with one has rules of its own.
 */
static int
item_write(struct buf *out, const char *item)
{
	size_t i, len = strlen(item);
	bool is_end;
	int rc = len == 0 ? buf_puts(out, "\"\"") : 0;

	for (i = 0; i < len && rc == 0; i++) {
		is_end = i == 0 || i == len - 1;
		if (strchr(",'", item[i]) != NULL ||
		    (is_end && isspace((unsigned char)item[i])))
			rc = buf_printf(out, "\"%c\"", item[i]);
		else if (item[i] == '"')
			rc = buf_puts(out, "'\"'");
		else
			rc = buf_append(out, &item[i], 1);
	}
	return rc;
}

/* A value as the file must have it; NULL if it can't be written. */
static char *
value_write(char *value)
{
	size_t len = strlen(value);
	char *s = value;

	if (len > TEXT_MAX || !escape_is_needless(value)) {
		s = NULL;
	} else if (has_blank_end(value) || strpbrk(value, ";#") != NULL ||
	    value[0] == '"' || value[0] == '\'' ||
	    (len > 0 && value[len - 1] == '\\')) {
		/* What a backslash is between quotes, iniparsers disagree. */
		s = strchr(value, '\\') == NULL ? quoted(value) : NULL;
	}
	if (s != value)
		free(value);
	return s;
}

/* NULL if it is too long for a line of a file in any case. */
static char *
list_write(const struct option_walk *w)
{
	const struct option_list *list = w->place;
	struct buf text;
	size_t i;

	buf_init(&text, TEXT_MAX);
	for (i = 0; i < list->count; i++) {
		if ((i > 0 && buf_puts(&text, ", ") == -1) ||
		    item_write(&text, list->values[i].text) == -1)
			goto out;
	}
	return buf_take_string(&text);
out:
	buf_clear(&text);
	return NULL;
}

/* A comment on what no line may set: "; connect-timeout = 10s ; default". */
static void
print_unset(const struct option_row *row, FILE *out)
{
	bool is_setting = row->kind == OPTION_SETTING;
	const char *text = row->unset;

	if (text == NULL && is_setting)
		text = setting_default((enum setting)row->tag);
	fprintf(out, ";%-15s = %-22s ; %s%s\n", option_name(row),
	    text != NULL ? text : "", text != NULL ? "default" : "not set",
	    is_setting ? ", or as the inventory has it" : "");
}

/* Without quotes: one would count as the end of one in the value before it. */
static void
print_file(const char *path, FILE *out)
{
	char *text = escape_string(path), *s;

	for (s = text; *s != '\0'; s++) {
		if (*s == '"' || *s == '\'')
			fprintf(out, "\\x%02x", (unsigned)*s);
		else
			putc(*s, out);
	}
	free(text);
}

static void
print_origin(const struct option_origin *origin, FILE *out)
{
	if (origin == NULL) {
		fputs("default\n", out);
	} else if (origin->file == NULL) {
		fputs("command line\n", out);
	} else {
		print_file(origin->file, out);
		fprintf(out, ":%zu\n", origin->line);
	}
}

/* Returns whether the surroundings say what nothing else does. */
static bool
print_implied(const struct option_row *row, FILE *out)
{
	const char *origin;
	char *text = row->implied != NULL ? row->implied(&origin) : NULL;
	bool is_found;

	if (text == NULL)
		return false;
	text = value_write(text);
	/* What is found here is not to be believed elsewhere. */
	is_found = origin[0] != '$';
	if (text != NULL)
		fprintf(out, "%s%-*s = %-22s ; %s\n", is_found ? ";" : "",
		    is_found ? 15 : 16, option_name(row), text, origin);
	else
		fprintf(out, ";%-15s =%24s; " NO_LINE ", %s\n",
		    option_name(row), "", origin);
	free(text);
	return true;
}

static void
print_row(
    const struct option_walk *w, const struct option_origin *origin, FILE *out)
{
	bool is_list = w->row->kind == OPTION_LIST;
	const char *name = option_name(w->row);
	char *text;
	bool has_value;

	if (origin == NULL && print_implied(w->row, out))
		return;
	text = option_text(w->row, w->place, 0);
	has_value = text != NULL;
	if (origin == NULL && !has_value) {
		print_unset(w->row, out);
		return;
	}
	if (is_list && has_value) {
		free(text);
		text = list_write(w);
	}
	if (text != NULL)
		text = value_write(text);
	if (text != NULL || (is_list && !has_value))
		fprintf(
		    out, "%-16s = %-22s ; ", name, text != NULL ? text : "");
	else
		fprintf(out, ";%-15s =%24s; " NO_LINE ", ", name, "");
	print_origin(origin, out);
	free(text);
}

/* Comments: the files, and what the environment says. */
static void
print_head(const struct conf *c, FILE *out)
{
	static const char *const variables[] = {"BATCH_CONFIG",
	    INVENTORY_VARIABLE, COLOR_VARIABLE, "SSH_AUTH_SOCK", "TERM",
	    "TMPDIR"};
	const char *value;
	char *text;
	size_t i;

	if (c->place_count == 0)
		fprintf(out, "; no batch.conf (%s)\n", c->named_by);
	for (i = 0; i < c->place_count; i++) {
		text = escape_string(c->places[i].path);
		fprintf(out, "; %s: %s%s%s\n", text,
		    c->places[i].is_there ? "read" : "not there",
		    c->named_by != NULL ? ", named by " : "",
		    c->named_by != NULL ? c->named_by : "");
		free(text);
	}
	for (i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		value = getenv(variables[i]);
		if (value == NULL)
			continue;
		text = escape_string(value);
		fprintf(
		    out, "; $%s: %.*s\n", variables[i], (int)TEXT_MAX, text);
		free(text);
	}
}

void
conf_print(const struct conf *c, const struct option_table *tables,
    const char *program, FILE *out)
{
	struct option_walk walk = {tables};
	const char *heading = NULL;

	print_head(c, out);
	fprintf(out, "\n[%s]\n", program);
	while (option_walk_next(&walk)) {
		if (walk.row->heading != NULL)
			heading = walk.row->heading;
		if (walk.row->is_call_only)
			continue;
		if (heading != NULL)
			fprintf(out, "\n; %s\n", heading);
		heading = NULL;
		print_row(
		    &walk, option_origins_find(&c->origins, walk.place), out);
	}
}
