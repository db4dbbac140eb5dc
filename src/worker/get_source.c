/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "worker/get_source.h"

#include <stdlib.h>
#include <string.h>

#include "util/path.h"
#include "util/xalloc.h"
#include "worker/target.h"

#define GLOB_CHARACTERS "*?["

/* Whether text holds one of "*?[" without "\" before it. */
static bool
is_pattern(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\\' && text[1] != '\0')
			text++;
		else if (strchr(GLOB_CHARACTERS, *text) != NULL)
			return true;
	}
	return false;
}

static void
unescape(char *text)
{
	char *to = text;

	for (; *text != '\0'; text++) {
		if (*text == '\\' && text[1] != '\0')
			text++;
		*to++ = *text;
	}
	*to = '\0';
}

/* Add the component of len bytes at p. Returns 0 or -1. */
static int
add_part(struct get_source *s, const char *p, size_t len, bool has_escapes,
    struct error *err)
{
	struct get_part *part;

	if (len == 0 || (len == 1 && *p == '.')) {
		s->has_slash = true; /* if it is the last */
		return 0;
	}
	s->has_slash = false;
	s->parts = xreallocarray(s->parts, s->count + 1, sizeof(*s->parts));
	part = &s->parts[s->count++];
	part->text = xstrndup(p, len);
	part->is_pattern = has_escapes && is_pattern(part->text);
	if (part->is_pattern) {
		s->is_glob = true;
		return 0;
	}
	if (has_escapes)
		unescape(part->text);
	if (strcmp(part->text, "..") == 0)
		return error_set(err, "a path to get must not hold \"..\"");
	if (!target_name_is_safe(part->text, strlen(part->text)))
		return error_set(err, "no file can have this name");
	return 0;
}

static void
join_parts(struct get_source *s)
{
	char *next;
	size_t i;

	s->path = xstrdup(get_source_root(s));
	for (i = 0; i < s->count; i++) {
		next = path_join(s->path, s->parts[i].text);
		free(s->path);
		s->path = next;
	}
}

int
get_source_parse(struct get_source *s, const char *text, struct error *err)
{
	bool has_escapes = strpbrk(text, GLOB_CHARACTERS) != NULL;
	const char *p = text;
	size_t len;

	memset(s, 0, sizeof(*s));
	s->text = xstrdup(text);
	s->is_absolute = text[0] == '/';
	if (strlen(text) > GET_PATH_MAX)
		return error_set(err, "the path is too long");
	if (strcmp(text, "~") == 0)
		p = ".";
	for (;; p += len + 1) {
		len = strcspn(p, "/");
		if (add_part(s, p, len, has_escapes, err) == -1)
			return -1;
		if (p[len] == '\0')
			break;
	}
	if (!s->is_glob)
		join_parts(s);
	return 0;
}

void
get_source_clear(struct get_source *s)
{
	size_t i;

	for (i = 0; i < s->count; i++)
		free(s->parts[i].text);
	free(s->parts);
	free(s->text);
	free(s->path);
	memset(s, 0, sizeof(*s));
}

const char *
get_source_root(const struct get_source *s)
{
	return s->is_absolute ? "/" : ".";
}

/* --- overlaps ------------------------------------------------------------ */

static int
source_compare(const void *a, const void *b)
{
	const struct get_source *x = *(const struct get_source *const *)a;
	const struct get_source *y = *(const struct get_source *const *)b;
	size_t i;
	int order;

	if (x->is_absolute != y->is_absolute)
		return x->is_absolute ? 1 : -1;
	for (i = 0; i < x->count && i < y->count; i++) {
		order = strcmp(x->parts[i].text, y->parts[i].text);
		if (order != 0)
			return order;
	}
	if (x->count != y->count)
		return x->count < y->count ? -1 : 1;
	return (x->has_slash ? 1 : 0) - (y->has_slash ? 1 : 0);
}

/* Whether the first count parts of s, so ended, are a source, too. */
static bool
is_source(struct get_source *const *plain, size_t plain_count,
    const struct get_source *s, size_t count, bool has_slash)
{
	struct get_source key = *s;
	const struct get_source *at = &key;

	key.count = count;
	key.has_slash = has_slash;
	return bsearch(&at, plain, plain_count, sizeof(*plain),
		   source_compare) != NULL;
}

static bool
is_covered(struct get_source *const *plain, size_t plain_count,
    const struct get_source *s, bool is_named)
{
	size_t i;

	/* "DIR/" and "DIR/NAME" go to one place with a template, too. */
	if (is_named)
		return s->count > 0 && !s->has_slash &&
		    is_source(plain, plain_count, s, s->count - 1, true);
	for (i = 0; i < s->count; i++) {
		if (is_source(plain, plain_count, s, i, false) ||
		    is_source(plain, plain_count, s, i, true))
			return true;
	}
	return !s->has_slash &&
	    is_source(plain, plain_count, s, s->count, true);
}

/* Remove those that are marked. Returns how many are left. */
static size_t
remove_repeated(struct get_source *sources, size_t count)
{
	size_t i, left = 0;

	for (i = 0; i < count; i++) {
		if (sources[i].is_repeated)
			get_source_clear(&sources[i]);
		else
			sources[left++] = sources[i];
	}
	return left;
}

size_t
get_sources_untangle(struct get_source *sources, size_t count, bool is_named)
{
	struct get_source **plain =
	    xcalloc(count + 1, sizeof(struct get_source *));
	size_t i, plain_count = 0;

	for (i = 0; i < count; i++)
		if (!sources[i].is_glob)
			plain[plain_count++] = &sources[i];
	qsort(plain, plain_count, sizeof(*plain), source_compare);
	for (i = 0; i < plain_count; i++) {
		plain[i]->is_repeated =
		    i > 0 && source_compare(&plain[i - 1], &plain[i]) == 0;
		plain[i]->is_covered =
		    is_covered(plain, plain_count, plain[i], is_named);
	}
	free(plain);
	return remove_repeated(sources, count);
}
