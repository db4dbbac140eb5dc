/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "cli/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/option_value.h"
#include "util/buf.h"
#include "util/quote.h"
#include "util/suggest.h"
#include "util/xalloc.h"

/* --- rows ---------------------------------------------------------------- */

bool
option_walk_next(struct option_walk *w)
{
	if (w->row == NULL)
		w->row = w->table->rows;
	else
		w->row++;
	while (w->row != NULL && w->row->names == NULL)
		w->row = (++w->table)->rows;
	if (w->row == NULL)
		return false;
	w->place = (char *)w->table->target + w->row->offset;
	return true;
}

const char *
option_name(const struct option_row *row)
{
	const char *comma = strrchr(row->names, ',');

	return comma != NULL ? comma + 1 : row->names;
}

bool
option_takes_value(const struct option_row *row)
{
	return row->kind != OPTION_FLAG && row->kind != OPTION_COUNT;
}

bool
option_is_path(const struct option_row *row)
{
	return row->argument != NULL &&
	    (strstr(row->argument, "FILE") != NULL ||
		strstr(row->argument, "DIR") != NULL);
}

void
option_origins_add(struct option_origins *o, const struct option_origin *origin)
{
	o->list = xreallocarray(o->list, o->count + 1, sizeof(*o->list));
	o->list[o->count++] = *origin;
}

const struct option_origin *
option_origins_find(const struct option_origins *o, const void *place)
{
	size_t i;

	for (i = 0; i < o->count; i++) {
		if (o->list[i].place == place)
			return &o->list[i];
	}
	return NULL;
}

/* --- names --------------------------------------------------------------- */

/* All names, as getopt knows them by index, and the rows they belong to. */
struct names {
	struct option *options;
	struct option_walk *rows;
	size_t count;
};

static void
names_add(struct names *n, const struct option_walk *walk, const char *name,
    size_t len)
{
	n->options =
	    xreallocarray(n->options, n->count + 2, sizeof(*n->options));
	n->rows = xreallocarray(n->rows, n->count + 1, sizeof(*n->rows));
	memset(&n->options[n->count], 0, 2 * sizeof(*n->options));
	n->options[n->count].name = xstrndup(name, len);
	n->options[n->count].has_arg =
	    option_takes_value(walk->row) && !walk->row->is_optional
	    ? required_argument
	    : optional_argument;
	n->rows[n->count++] = *walk;
}

static void
names_init(struct names *n, const struct option_table *tables)
{
	struct option_walk walk = {tables};
	const char *name;
	size_t len;

	memset(n, 0, sizeof(*n));
	while (option_walk_next(&walk)) {
		for (name = walk.row->names; *name != '\0';
		     name += len + (name[len] == ',')) {
			len = strcspn(name, ",");
			names_add(n, &walk, name, len);
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
	free(n->rows);
}

static const char *
names_candidate(const void *ctx, size_t index)
{
	const struct names *n = ctx;

	return index < n->count ? n->options[index].name : NULL;
}

/*
 * The index of that name, or of the only one that begins so; -1 if there is
 * none. *alike: how many begin so.
 */
static int
names_find(const struct names *n, const char *name, size_t len, size_t *alike)
{
	int found = -1;
	size_t i;

	*alike = 0;
	for (i = 0; i < n->count; i++) {
		if (strncmp(n->options[i].name, name, len) != 0)
			continue;
		(*alike)++;
		found = (int)i;
		if (n->options[i].name[len] == '\0')
			return found;
	}
	return *alike == 1 ? found : -1;
}

bool
options_find(const struct option_table *tables, const char *name, size_t len,
    struct option_walk *found)
{
	struct names names;
	size_t alike;
	int index;

	names_init(&names, tables);
	index = names_find(&names, name, len, &alike);
	if (index != -1)
		*found = names.rows[index];
	names_clear(&names);
	return index != -1;
}

/* --- parsing ------------------------------------------------------------- */

static int
option_ambiguous(const struct names *names, const char *name, struct error *err)
{
	size_t i, len = strlen(name);
	struct buf list;

	buf_init(&list, sizeof(err->text));
	for (i = 0; i < names->count; i++) {
		if (strncmp(names->options[i].name, name, len) == 0)
			buf_printf(&list, "%s-%s",
			    buf_len(&list) > 0 ? ", " : "",
			    names->options[i].name);
	}
	error_set(err, "option -%s is ambiguous: %.*s", name,
	    (int)buf_len(&list), (const char *)buf_head(&list));
	buf_clear(&list);
	return -1;
}

/* Why getopt did not take this word. */
static int
option_refused(
    int rc, const char *word, const struct names *names, struct error *err)
{
	size_t dashes = strspn(word, "-"), len = strcspn(word + dashes, "=");
	char *name = xstrndup(word + dashes, len);
	const char *near;
	size_t alike;
	int index;

	index = names_find(names, name, len, &alike);
	near = suggest(name, names_candidate, names);
	if (rc == ':' && index != -1)
		error_set(err, "option -%s needs a value: %s",
		    names->options[index].name,
		    names->rows[index].row->argument);
	else if (alike > 1)
		option_ambiguous(names, name, err);
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

/* The next word was an option, before getopt took it for a value. */
static int
value_refused(
    const struct names *names, int index, const char *value, struct error *err)
{
	const char *name = names->options[index].name;

	return error_set(err,
	    "option -%s needs a value, and %s is an option (or write -%s=%s)",
	    name, value, name, value);
}

/* Whether text, in full, is an option. */
static bool
is_option(const struct names *names, const char *text)
{
	size_t dashes = strspn(text, "-"), alike;
	int index;

	if (dashes == 0 || dashes > 2 || text[dashes] == '\0')
		return false;
	index = names_find(names, text + dashes, strlen(text + dashes), &alike);
	return index != -1 &&
	    strcmp(names->options[index].name, text + dashes) == 0;
}

/* Say which option word has been taken for, if that is not what it says. */
static int
value_wrong(
    const char *name, const char *word, const char *why, struct error *err)
{
	size_t dashes = strspn(word, "-");
	size_t len = strcspn(word + dashes, "=");

	if (strlen(name) == len)
		return error_option(err, name, why);
	return error_set(err, "option -%s (%.*s for short): %s", name,
	    (int)(dashes + len), word, why);
}

/*
 * The value of names->rows[index] that getopt found in word or behind it, and
 * what follows.
 */
static int
option_take(const struct names *names, int index, const char *word, int argc,
    char **argv, struct error *err)
{
	const struct option_walk *w = &names->rows[index];
	const char *text = optarg;
	struct error why;

	if (text != NULL && text == argv[optind - 1] && is_option(names, text))
		return value_refused(names, index, text, err);
	if (w->row->is_optional && text == NULL)
		text = has_value(argc, argv) ? argv[optind++] : "";
	for (;;) {
		if (option_set(w->row, w->place, text, &why) == -1)
			return value_wrong(
			    names->options[index].name, word, why.text, err);
		if (!w->row->takes_more || !has_value(argc, argv))
			return 0;
		text = argv[optind++];
	}
}

/* last: the index of the option before the word, or -1. */
static int
operand_refused(
    const char *word, const struct names *names, int last, struct error *err)
{
	if (last == -1 || !option_takes_value(names->rows[last].row))
		return error_set(err, "unexpected argument \"%s\"", word);
	return error_set(err,
	    "unexpected argument \"%s\": -%s takes one word; quote blanks, and "
	    "globs that are not for this shell",
	    word, names->options[last].name);
}

int
options_parse(const struct option_table *tables, int argc, char **argv,
    struct option_origins *origins, int *operand, struct error *err)
{
	struct option_origin origin = {NULL};
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
		result = option_take(&names, index, argv[at], argc, argv, err);
		origin.place = names.rows[index].place;
		option_origins_add(origins, &origin);
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
		quote_shell_line(out, *words);
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
	quote_shell_line(out, argv[0]);
	optind = 1;
	for (;;) {
		at = optind;
		if (getopt_long_only(argc, argv, "+:", names.options, &index) !=
		    0)
			break;
		/* It found one, so there are some.
		 * NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
		row = names.rows[index].row;
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
	struct option_walk walk = {tables};
	struct option_list *list;

	while (option_walk_next(&walk)) {
		if (walk.row->kind != OPTION_LIST)
			continue;
		list = walk.place;
		free(list->values);
		memset(list, 0, sizeof(*list));
	}
}
