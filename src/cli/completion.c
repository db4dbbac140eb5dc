/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The words before the last are read as options_parse() would, but what is
 * wrong or not finished is passed over. So an -i, or an -inventory of
 * batch.conf, decides whose hosts are offered.
 */
#include "config.h"

#include "cli/completion.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cli/conf.h"
#include "cli/option_value.h"
#include "report/earlier.h"
#include "util/log.h"

#define IS_PATH 1

struct completion {
	const struct program *program;
	struct conf conf;
	struct option_walk option; /* whose value comes next */
	bool has_option;
	bool is_operand; /* behind "--" */
};

/* --- the words before ---------------------------------------------------- */

static bool
is_option(const char *word)
{
	return word[0] == '-' && word[1] != '\0';
}

/* Walk to the option that word names; *value: behind its "=", or NULL. */
static bool
find_option(const struct completion *c, const char *word,
    struct option_walk *found, const char **value)
{
	const char *name = word + strspn(word, "-");
	size_t len = strcspn(name, "=");

	*value = name[len] == '=' ? name + len + 1 : NULL;
	return options_find(c->program->tables, name, len, found);
}

static void
take_value(struct completion *c, const struct option_walk *w, const char *value)
{
	const struct option_origin origin = {w->place, NULL, 0};
	struct error err;

	if (option_set(w->row, w->place, value, &err) == 0)
		option_origins_add(&c->conf.origins, &origin);
}

/* Whether word is the value, or one more, of the option before it. */
static bool
is_value(const struct completion *c, const char *word)
{
	const struct option_row *row = c->option.row;

	return c->has_option &&
	    !((row->takes_more || row->is_optional) && is_option(word));
}

static void
take_word(struct completion *c, const char *word)
{
	struct option_walk found;
	const char *value;

	if (is_value(c, word)) {
		take_value(c, &c->option, word);
		c->has_option = c->option.row->takes_more;
		return;
	}
	c->has_option = false;
	if (strcmp(word, "--") == 0)
		c->is_operand = true;
	if (!is_option(word) || !find_option(c, word, &found, &value))
		return;
	if (value != NULL || !option_takes_value(found.row)) {
		take_value(c, &found, value);
	} else {
		c->option = found;
		c->has_option = true;
	}
}

/* --- names of the inventory ---------------------------------------------- */

/* A shell would not take others as they are. */
static bool
is_plain(const char *name)
{
	return name[strspn(name,
		   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		   "0123456789._:%+-")] == '\0';
}

/* What stands behind the last operator, or NULL for a name with a range. */
static const char *
last_operand(const char *list, const char *operators)
{
	const char *operand = list;
	int depth = 0;

	for (; *list != '\0'; list++) {
		depth += (*list == '[') - (*list == ']');
		if (depth == 0 && strchr(operators, *list) != NULL)
			operand = list + 1;
	}
	return strchr(operand, '[') == NULL ? operand : NULL;
}

/*
 * The names of set that begin as the last len bytes of the word do; what
 * stands before them is the same for all.
 */
static void
print_names(const struct hostset *set, const char *word, size_t len)
{
	size_t head = strlen(word) - len, i;
	const char *name;

	for (i = 0; i < hostset_count(set); i++) {
		name = hostset_name(set, i);
		if (strncasecmp(name, word + head, len) == 0 && is_plain(name))
			printf("%.*s%s\n", (int)head, word, name);
	}
}

static void
inventory_names(
    const struct inventory *inventory, bool is_groups, struct hostset *names)
{
	struct hostset_source source = inventory_source(inventory);
	struct error err;

	if (is_groups)
		inventory_groups(inventory, names);
	else if (source.all != NULL)
		source.all(source.ctx, names, &err);
}

/* list: the end of word that holds the value. */
static void
complete_names(
    struct completion *c, bool is_groups, const char *word, const char *list)
{
	const struct program *p = c->program;
	const char *rest = last_operand(list, is_groups ? "," : ",!&^");
	struct inventory *inventory;
	struct hostset *names;
	struct error err;

	if (rest == NULL)
		return;
	if (!is_groups && strchr(rest, '@') != NULL) {
		is_groups = rest[0] == '@';
		rest = strrchr(rest, '@') + 1;
	}
	inventory = inventory_new();
	names = hostset_new();
	if (conf_read(&c->conf, p->tables, p->name, p->options->config, &err) ==
		0 &&
	    run_inventory_load(inventory, p->options, &err) == 0)
		inventory_names(inventory, is_groups, names);
	print_names(names, word, strlen(rest));
	hostset_free(names);
	inventory_free(inventory);
}

/* --- the last word ------------------------------------------------------- */

/* Those of words, "|" between, that begin as value, the end of word, does. */
static void
complete_words(const char *words, const char *word, const char *value)
{
	size_t len, typed = strlen(value);

	for (; *words != '\0'; words += len + (words[len] == '|')) {
		len = strcspn(words, "|");
		if (typed <= len && strncmp(words, value, typed) == 0)
			printf("%.*s%.*s\n", (int)(value - word), word,
			    (int)len, words);
	}
}

/* The statuses that begin as the last one of the list in value does. */
static void
complete_statuses(const char *word, const char *value)
{
	const char *last = strrchr(value, ',');
	const char *typed = last != NULL ? last + 1 : value, *name;
	size_t i;

	for (i = 0; (name = earlier_status(i)) != NULL; i++) {
		if (strncmp(name, typed, strlen(typed)) == 0)
			printf("%.*s%s\n", (int)(typed - word), word, name);
	}
}

static int
complete_value(struct completion *c, const struct option_walk *w,
    const char *word, const char *value)
{
	const struct option_row *row = w->row;
	const struct option_list *list = w->place;

	if (option_is_path(row)) {
		if (strstr(row->argument, "STATUS") != NULL && list->count == 0)
			complete_statuses(word, value);
		return IS_PATH;
	}
	if (row->kind == OPTION_FLAG)
		complete_words("true|false", word, value);
	else if (row->kind == OPTION_WORD)
		complete_words(row->words, word, value);
	else if (row->argument != NULL &&
	    strncmp(row->argument, "HOST", 4) == 0)
		complete_names(c, false, word, value);
	else if (row->argument != NULL && strcmp(row->argument, "GROUPS") == 0)
		complete_names(c, true, word, value);
	return 0;
}

static void
complete_options(const struct completion *c, const char *word)
{
	struct option_walk walk = {c->program->tables};
	const char *dashes = strncmp(word, "--", 2) == 0 ? "--" : "-";
	const char *typed = word + strspn(word, "-");

	while (option_walk_next(&walk)) {
		if (strncmp(option_name(walk.row), typed, strlen(typed)) == 0)
			printf("%s%s\t%s\n", dashes, option_name(walk.row),
			    walk.row->help);
	}
}

static int
complete_word(struct completion *c, const char *word)
{
	struct option_walk found;
	const char *value;

	if (c->is_operand)
		return IS_PATH;
	if (is_value(c, word))
		return complete_value(c, &c->option, word, word);
	if (is_option(word) && find_option(c, word, &found, &value) &&
	    value != NULL)
		return complete_value(c, &found, word, value);
	if (word[0] == '-' || word[0] == '\0')
		complete_options(c, word);
	return 0;
}

int
completion_print(const struct program *program, int count, char **words)
{
	struct completion c = {.program = program};
	int i, rc;

	log_set_quiet(true);
	for (i = 0; i < count - 1 && !c.is_operand; i++)
		take_word(&c, words[i]);
	rc = complete_word(&c, words[count - 1]);
	conf_clear(&c.conf);
	return rc;
}
