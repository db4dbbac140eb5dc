/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The places are read from the one that counts most to the one that counts
 * least, and only what has no value yet gets one; the command line was first.
 * What does not count is checked all the same, so that an error in a file
 * does not depend on what else is given.
 */
#include "config.h"

#include "cli/conf.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/option_value.h"
#include "inventory/ini.h"
#include "util/fdio.h"
#include "util/namelist.h"
#include "util/private_file.h"
#include "util/secret.h"
#include "util/suggest.h"
#include "util/xalloc.h"

#define COMMON_SECTION	"batch"
#define CONFIG_VARIABLE "BATCH_CONFIG"

/* The sections that a file may have. */
static const char *const sections[] = {
    COMMON_SECTION, "batch_run", "batch_scp", NULL};

/*
 * Keys that one program alone has: a program has no other one's table, and is
 * to refuse them in the section of both.
 */
static const struct {
	const char *program;
	const char *keys;
} own_keys[] = {
    {"batch_run", "env,s"},
    {"batch_scp",
	"mode,preserve,follow,update,checksum,verify,resume,backup,mkdir,"
	"dry-run,limit,max-size,max-files"},
};

/* One entry on its way to a value. */
struct setter {
	struct conf *conf;
	const struct option_table *tables;
	const char *program;
	const char *file;
};

/* Keep a text as long as the values. */
static const char *
conf_keep(struct conf *c, char *text)
{
	c->texts =
	    xreallocarray(c->texts, c->text_count + 1, sizeof(*c->texts));
	c->texts[c->text_count++] = text;
	return text;
}

void
conf_clear(struct conf *c)
{
	size_t i;

	for (i = 0; i < c->text_count; i++)
		secret_free(c->texts[i]);
	free(c->texts);
	free(c->origins.list);
	memset(c, 0, sizeof(*c));
}

/* --- values -------------------------------------------------------------- */

/*
 * The item at *s of a list with "," between; blanks around it and its quotes
 * are taken off. *s is moved behind the comma, or to NULL after the last.
 * Returns a copy, or NULL if a quote is not closed.
 */
static char *
take_item(const char **s)
{
	const char *p = *s + strspn(*s, " \t");
	char *item = xstrdup(p), *end = item, *least = item;
	char quote = '\0';

	for (; *p != '\0' && (quote != '\0' || *p != ','); p++) {
		if (quote == '\0' && (*p == '"' || *p == '\'')) {
			quote = *p;
		} else if (*p == quote) {
			quote = '\0';
			least = end; /* a blank before it was meant */
		} else {
			*end++ = *p;
		}
	}
	while (end > least && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
	*s = *p == ',' ? p + 1 : NULL;
	if (quote == '\0')
		return item;
	free(item);
	return NULL;
}

static int
set_one(struct setter *s, const struct option_walk *w, bool is_free,
    const char *text, struct error *err)
{
	if (option_is_path(w->row))
		text = conf_keep(s->conf, path_expand_home(text));
	return is_free ? option_set(w->row, w->place, text, err)
		       : option_check(w->row, text, err);
}

static int
set_value(struct setter *s, const struct option_walk *w, const char *value,
    size_t line, struct error *err)
{
	const struct option_origin origin = {w->place, s->file, line};
	bool is_free = option_origins_find(&s->conf->origins, w->place) == NULL;
	const char *rest = value;
	char *item;

	if (is_free)
		option_origins_add(&s->conf->origins, &origin);
	if (w->row->kind != OPTION_LIST)
		return set_one(
		    s, w, is_free, conf_keep(s->conf, xstrdup(value)), err);
	while (rest != NULL && value[0] != '\0') {
		item = take_item(&rest);
		if (item == NULL)
			return error_set(err, "a quote is not closed");
		conf_keep(s->conf, item);
		if (set_one(s, w, is_free, item, err) == -1)
			return -1;
	}
	return 0;
}

/* --- keys ---------------------------------------------------------------- */

/* For suggest(): the rows that a file can have; "" is near to nothing. */
static const char *
key_candidate(const void *ctx, size_t index)
{
	struct option_walk walk = {ctx};

	do {
		if (!option_walk_next(&walk))
			return NULL;
	} while (index-- > 0);
	return walk.row->is_call_only ? "" : option_name(walk.row);
}

/* The only program that has the key; NULL: both, or none. */
static const char *
key_owner(const char *key)
{
	size_t i;

	for (i = 0; i < sizeof(own_keys) / sizeof(own_keys[0]); i++) {
		if (namelist_has(own_keys[i].keys, key, strlen(key)))
			return own_keys[i].program;
	}
	return NULL;
}

static int
unknown_key(const struct setter *s, const struct ini_entry *entry,
    const char *meant, struct error *err)
{
	struct option_walk walk;

	if (meant == NULL)
		meant = suggest(entry->key, key_candidate, s->tables);
	if (meant == NULL &&
	    options_find(s->tables, entry->key, strlen(entry->key), &walk) &&
	    !walk.row->is_call_only)
		meant = option_name(walk.row);
	if (meant != NULL)
		return error_set(
		    err, "unknown option; did you mean \"%s\"?", meant);
	return error_set(
	    err, "unknown option; \"%s -print-config\" has all", s->program);
}

static int
set_entry(struct setter *s, const struct ini_entry *entry, size_t line,
    struct error *err)
{
	struct option_walk walk = {s->tables};
	const char *meant = NULL, *owner = key_owner(entry->key);

	if (owner != NULL && strcmp(entry->section, owner) != 0)
		return error_set(
		    err, "this is %s's: put it under [%s]", owner, owner);
	while (option_walk_next(&walk)) {
		if (strcasecmp(option_name(walk.row), entry->key) == 0) {
			if (walk.row->is_call_only)
				return error_set(err,
				    "-%s is for the command line only",
				    option_name(walk.row));
			return set_value(s, &walk, entry->value, line, err);
		}
		if (namelist_has(
			walk.row->names, entry->key, strlen(entry->key)))
			meant = option_name(walk.row);
	}
	return unknown_key(s, entry, meant, err);
}

/* --- files --------------------------------------------------------------- */

static const char *
section_candidate(const void *ctx, size_t index)
{
	(void)ctx;
	return sections[index];
}

static int
check_section(
    const char *path, size_t line, const char *name, struct error *err)
{
	const char *meant;
	size_t i;

	for (i = 0; sections[i] != NULL; i++) {
		if (strcmp(sections[i], name) == 0)
			return 0;
	}
	meant = suggest(name, section_candidate, NULL);
	if (meant != NULL)
		return error_set(err,
		    "%s:%zu: unknown section [%.60s]; did you mean [%s]?", path,
		    line, name, meant);
	return error_set(err,
	    "%s:%zu: unknown section [%.60s]; there are [batch], [batch_run] "
	    "and [batch_scp]",
	    path, line, name);
}

static int
set_section(struct setter *s, const struct ini *ini, const char *section,
    struct error *err)
{
	const struct ini_entry *e;
	struct error why;
	size_t i, line;

	for (i = 0; i < ini->count; i++) {
		e = &ini->entries[i];
		if (e->key == NULL || strcmp(e->section, section) != 0)
			continue;
		line = ini_line(ini, e);
		if (set_entry(s, e, line, &why) == -1)
			return error_set(err, "%s:%zu: [%s] %.60s: %s", s->file,
			    line, section, e->key, why.text);
	}
	return 0;
}

static int
set_file(struct setter *s, const struct ini *ini, struct error *err)
{
	const struct ini_entry *e;
	size_t i;

	if ((S_ISREG(ini->st.st_mode) || S_ISFIFO(ini->st.st_mode)) &&
	    file_is_open_to_others(&ini->st, S_IWGRP | S_IWOTH))
		return error_set(err,
		    "%s: others than you and root can write to it; make it "
		    "yours, or root's, and \"chmod go-w %s\"",
		    s->file, s->file);
	for (i = 0; i < ini->count; i++) {
		e = &ini->entries[i];
		if (check_section(s->file, ini_line(ini, e), e->section, err) ==
		    -1)
			return -1;
	}
	if (set_section(s, ini, s->program, err) == -1)
		return -1;
	return set_section(s, ini, COMMON_SECTION, err);
}

/* path is kept by conf_place(). */
static int
read_file(struct setter *s, const char *path, struct error *err)
{
	struct ini ini;
	int rc;

	s->file = path;
	rc = ini_read(&ini, path, err);
	if (rc == 0)
		rc = set_file(s, &ini, err);
	ini_clear(&ini);
	return rc;
}

/* Note a file that is looked for. */
static const struct conf_place *
conf_look(struct conf *c, const char *name)
{
	struct conf_place *place = &c->places[c->place_count++];

	place->path = conf_keep(c, path_expand_home(name));
	place->is_there = access(place->path, F_OK) == 0;
	return place;
}

/* What names the file, if anything does; then c->named_by says so. */
static const char *
conf_named(struct conf *c, const char *named)
{
	c->named_by = "option -config";
	if (named != NULL)
		return named;
	c->named_by = "$" CONFIG_VARIABLE;
	named = getenv(CONFIG_VARIABLE);
	if (named != NULL && named[0] != '\0')
		return named;
	c->named_by = NULL;
	return NULL;
}

int
conf_read(struct conf *c, const struct option_table *tables,
    const char *program, const char *named, struct error *err)
{
	static const char *const places[CONF_PLACES] = {
	    "~/.config/batch/batch.conf", SYSCONFDIR "/batch/batch.conf"};
	struct setter s = {.conf = c, .tables = tables, .program = program};
	const struct conf_place *place;
	struct error why;
	size_t i;

	c->place_count = 0;
	named = conf_named(c, named);
	if (named != NULL) {
		if (strcmp(named, "none") != 0 &&
		    read_file(&s, conf_look(c, named)->path, &why) == -1)
			return error_set(err, "%s: %s", c->named_by, why.text);
		return 0;
	}
	for (i = 0; i < CONF_PLACES; i++) {
		place = conf_look(c, places[i]);
		if (place->is_there && read_file(&s, place->path, err) == -1)
			return -1;
	}
	return 0;
}
