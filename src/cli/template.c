/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "cli/template.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "util/buf.h"
#include "util/xalloc.h"

/* A host's path as compared with the others'. */
struct claim {
	char *path; /* normalised */
	uint32_t host;
};

bool
template_is(const char *text)
{
	return strchr(text, '%') != NULL;
}

int
template_check_names(
    const struct host *hosts, uint32_t count, struct error *err)
{
	const char *name;
	uint32_t i;

	for (i = 0; i < count; i++) {
		name = hosts[i].name;
		if (name[0] == '\0' || strcmp(name, ".") == 0 ||
		    strcmp(name, "..") == 0 || strchr(name, '/') != NULL)
			return error_set(err,
			    "host \"%s\": no file can have this name; -x "
			    "leaves the host out",
			    name);
	}
	return 0;
}

/* The % sequences, and no way back out of the part that they name. */
static int
template_check(const char *text, struct error *err)
{
	const char *p = text;
	bool is_named = false;
	size_t len;

	for (; *p != '\0'; p += len + (p[len] == '/')) {
		len = strcspn(p, "/");
		if (is_named && len == 2 && strncmp(p, "..", 2) == 0)
			return error_set(err,
			    "-local \"%s\": \"..\" after %%h or %%n", text);
		is_named = is_named || memchr(p, '%', len) != NULL;
	}
	for (p = text; (p = strchr(p, '%')) != NULL; p += 2) {
		if (p[1] == '\0' || strchr("hn%", p[1]) == NULL)
			return error_set(err,
			    "-local \"%s\": \"%.2s\" is none of %%h (host), %%n "
			    "(number), %%%%",
			    text, p);
	}
	return 0;
}

/* What comes before the component with the first %. */
static size_t
fixed_length(const char *text)
{
	size_t len = strcspn(text, "%");

	while (len > 0 && text[len - 1] != '/')
		len--;
	return len;
}

char *
template_base(const char *text)
{
	size_t len = fixed_length(text);

	while (len > 1 && text[len - 1] == '/')
		len--;
	return xstrndup(text, len);
}

static int
decimal_width(uint32_t number)
{
	int width = 1;

	for (; number >= 10; number /= 10)
		width++;
	return width;
}

static char *
expand(const char *text, const char *host, uint32_t number, int width)
{
	struct buf path;
	const char *p;

	/* Two characters become a name or the digits of a number. */
	buf_init(&path, (strlen(text) + 1) * (strlen(host) + 10));
	for (p = text; *p != '\0'; p++) {
		if (*p != '%')
			buf_append(&path, p, 1);
		else if (*++p == 'h')
			buf_puts(&path, host);
		else if (*p == 'n')
			buf_printf(&path, "%0*u", width, number);
		else
			buf_puts(&path, "%");
	}
	return buf_take_string(&path);
}

/* Without slashes and "." that make no difference. */
static char *
normalise(const char *path)
{
	char *copy = xmalloc(strlen(path) + 1), *end = copy;
	size_t len;

	if (*path == '/')
		*end++ = '/';
	for (; *path != '\0'; path += len + (path[len] == '/')) {
		len = strcspn(path, "/");
		if (len == 0 || (len == 1 && *path == '.'))
			continue;
		if (end > copy && end[-1] != '/')
			*end++ = '/';
		memcpy(end, path, len);
		end += len;
	}
	*end = '\0';
	return copy;
}

/* The same, but a directory's path still ends in a slash; frees path. */
static char *
tidy(char *path)
{
	const char *slash = strrchr(path, '/');
	bool is_directory =
	    slash != NULL && (slash[1] == '\0' || strcmp(slash, "/.") == 0);
	char *plain = normalise(path), *whole;

	free(path);
	if (!is_directory)
		return plain;
	whole = xasprintf("%s/", plain);
	free(plain);
	return whole;
}

static int
claim_compare(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	if (order != 0)
		return order;
	return x->host < y->host ? -1 : x->host > y->host;
}

static int
check_distinct(const char *text, char *const *paths, const struct host *hosts,
    uint32_t count, struct error *err)
{
	struct claim *claims = xcalloc(count, sizeof(*claims)), *c;
	uint32_t i;
	int rc = 0;

	for (i = 0; i < count; i++)
		claims[i] = (struct claim){normalise(paths[i]), i};
	qsort(claims, count, sizeof(*claims), claim_compare);
	for (c = claims + 1; rc == 0 && c < claims + count; c++) {
		if (strcmp(c[-1].path, c->path) == 0)
			rc = error_set(err,
			    "-local: the files of %s and %s would both go to "
			    "%.*s%s; put %%h or %%n into its name",
			    hosts[c[-1].host].name, hosts[c->host].name,
			    (int)fixed_length(text), text, paths[c->host]);
	}
	for (i = 0; i < count; i++)
		free(claims[i].path);
	free(claims);
	return rc;
}

static int
check_lengths(char *const *paths, const struct host *hosts, uint32_t count,
    struct error *err)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		if (strlen(paths[i]) >= PATH_MAX)
			return error_set(err,
			    "-local: the path of %s is longer than %d bytes",
			    hosts[i].name, PATH_MAX - 1);
	}
	return 0;
}

char **
template_expand(const char *text, const struct host *hosts, uint32_t count,
    struct error *err)
{
	int width = decimal_width(count);
	char **paths;
	uint32_t i;

	/* Nobody means it, and it must not cost memory a host. */
	if (strlen(text) >= PATH_MAX) {
		error_set(
		    err, "-local: a path longer than %d bytes", PATH_MAX - 1);
		return NULL;
	}
	if (template_check(text, err) == -1)
		return NULL;
	paths = xcalloc(count, sizeof(*paths));
	for (i = 0; i < count; i++)
		paths[i] = tidy(expand(
		    text + fixed_length(text), hosts[i].name, i + 1, width));
	if (check_lengths(paths, hosts, count, err) == -1 ||
	    check_distinct(text, paths, hosts, count, err) == -1) {
		template_free(paths, count);
		return NULL;
	}
	return paths;
}

void
template_free(char **paths, uint32_t count)
{
	uint32_t i;

	for (i = 0; paths != NULL && i < count; i++)
		free(paths[i]);
	free(paths);
}
