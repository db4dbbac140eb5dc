/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "worker/get_source.h"

#include <stdlib.h>
#include <string.h>

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
			return 0;
	}
}

void
get_source_clear(struct get_source *s)
{
	size_t i;

	for (i = 0; i < s->count; i++)
		free(s->parts[i].text);
	free(s->parts);
	free(s->text);
	memset(s, 0, sizeof(*s));
}

const char *
get_source_root(const struct get_source *s)
{
	return s->is_absolute ? "/" : ".";
}

char *
get_join(const char *dir, const char *name)
{
	size_t len = strlen(dir);

	if (strcmp(dir, ".") == 0)
		return xstrdup(name);
	return xasprintf(
	    "%s%s%s", dir, len > 0 && dir[len - 1] == '/' ? "" : "/", name);
}
