/* SPDX-License-Identifier: GPL-3.0-or-later */
/* -print-config: the values in effect, in the format that conf.c reads. */
#include "config.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cli/conf.h"
#include "cli/option_value.h"
#include "util/escape.h"
#include "util/xalloc.h"

/* More does not go into a line, see ini_scan.c. */
#define TEXT_MAX 900u

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

/* A terminal would act on it, or a line ends. */
static bool
has_control(const char *s)
{
	for (; *s != '\0'; s++) {
		if (iscntrl((unsigned char)*s) && *s != '\t')
			return true;
	}
	return false;
}

/* A value as the file must have it; NULL if it can't be written. */
static char *
value_write(char *value)
{
	size_t len = strlen(value);
	char *s = value;

	if (len > TEXT_MAX || has_control(value)) {
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
	char *s = NULL;
	size_t i;

	buf_init(&text, TEXT_MAX);
	for (i = 0; i < list->count; i++) {
		if ((i > 0 && buf_puts(&text, ", ") == -1) ||
		    item_write(&text, list->values[i].text) == -1)
			goto out;
	}
	s = xstrndup((const char *)buf_head(&text), buf_len(&text));
out:
	buf_clear(&text);
	return s;
}

static void
print_row(
    const struct option_walk *w, const struct option_origin *origin, FILE *out)
{
	bool is_list = w->row->kind == OPTION_LIST;
	const char *name = option_name(w->row);
	char *text = option_text(w->row, w->place, 0), *file;
	bool has_value = text != NULL;

	if (is_list && has_value) {
		free(text);
		text = list_write(w);
	}
	if (text != NULL)
		text = value_write(text);
	if (text != NULL || (is_list && !has_value && origin != NULL))
		fprintf(
		    out, "%-16s = %-22s ; ", name, text != NULL ? text : "");
	else
		fprintf(out, ";%-15s =%24s; ", name, "");
	if (has_value && text == NULL)
		fputs("not to be written in a file, ", out);
	if (origin == NULL) {
		fputs(has_value ? "default\n" : "not set\n", out);
	} else if (origin->file == NULL) {
		fputs("command line\n", out);
	} else {
		file = escape_string(origin->file);
		fprintf(out, "%s:%zu\n", file, origin->line);
		free(file);
	}
	free(text);
}

void
conf_print(const struct conf *c, const struct option_table *tables,
    const char *program, FILE *out)
{
	struct option_walk walk = {tables};
	const char *heading = NULL;

	fprintf(out, "[%s]\n", program);
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
