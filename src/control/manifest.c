/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "control/manifest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "control/manifest_walk.h"
#include "util/fdio.h"
#include "util/path.h"
#include "util/xalloc.h"
#include "wire/entry_file.h"

/* A local path that goes under its last name. */
struct named {
	const char *name; /* part of local */
	const char *local;
};

/* The name that local gets at the destination, NULL if its content goes. */
static const char *
local_name(const char *local)
{
	const char *name = path_base(local);

	if (name[0] == '\0' || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0)
		return NULL;
	return name;
}

static int
named_compare(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int
error_same_name(
    struct error *err, const char *a, const char *b, const char *name)
{
	return error_set(
	    err, "-local %s and %s: both would be \"%s\"", a, b, name);
}

/* Look for the names of the others in a directory whose content goes. */
static int
check_content(const char *local, const struct named *named, size_t count,
    struct error *err)
{
	struct stat st;
	char *path;
	size_t i;
	int rc;

	for (i = 0; i < count; i++) {
		path = xasprintf("%s/%s", local, named[i].name);
		rc = lstat(path, &st);
		free(path);
		if (rc == 0)
			return error_same_name(
			    err, local, named[i].local, named[i].name);
	}
	return 0;
}

static int
check_names(const char *const *locals, size_t count, struct error *err)
{
	struct named *named = xcalloc(count, sizeof(*named));
	size_t i, found = 0;
	int rc = 0;

	for (i = 0; i < count; i++) {
		named[found].local = locals[i];
		named[found].name = local_name(locals[i]);
		if (named[found].name != NULL)
			found++;
	}
	qsort(named, found, sizeof(*named), named_compare);
	for (i = 1; i < found && rc == 0; i++) {
		if (named_compare(&named[i - 1], &named[i]) == 0)
			rc = error_same_name(err, named[i - 1].local,
			    named[i].local, named[i].name);
	}
	for (i = 0; i < count && rc == 0; i++) {
		if (local_name(locals[i]) == NULL)
			rc = check_content(locals[i], named, found, err);
	}
	free(named);
	return rc;
}

/* What is not there is a mistake in the call, not a file to be left out. */
static int
check_exist(const char *const *locals, size_t count, struct error *err)
{
	struct stat st;
	size_t i;

	for (i = 0; i < count; i++) {
		if (lstat(locals[i], &st) == -1 &&
		    (errno == ENOENT || errno == ENOTDIR))
			return error_set(
			    err, "-local %s: %s", locals[i], strerror(errno));
	}
	return 0;
}

int
manifest_build(struct manifest *m, const char *const *locals, size_t count,
    const struct manifest_options *options, struct error *err)
{
	struct entry_file entries;
	struct walk w;
	size_t i;
	int rc = -1;

	memset(m, 0, sizeof(*m));
	m->fd = -1;
	buf_init(&m->trees, MANIFEST_TREES_MAX);
	m->is_into = count > 1;
	entry_file_init(&entries, 0);
	walk_init(&w, m, options, &entries);
	w.is_alone = count == 1;
	if (check_exist(locals, count, err) == -1 ||
	    check_names(locals, count, err) == -1)
		goto out;
	m->fd = entry_file_reader(&entries, err);
	if (m->fd == -1)
		goto out;
	for (i = 0; i < count; i++) {
		if (walk_local(&w, locals[i], local_name(locals[i]), err) == -1)
			goto out;
	}
	rc = entry_file_flush(&entries, err);
	m->length = entry_file_length(&entries);
out:
	walk_end(&w);
	entry_file_clear(&entries);
	if (rc == -1)
		manifest_clear(m);
	return rc;
}

void
manifest_clear(struct manifest *m)
{
	fd_close(&m->fd);
	free(m->left_out_why);
	buf_clear(&m->trees);
	memset(m, 0, sizeof(*m));
	m->fd = -1;
}
