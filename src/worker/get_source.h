/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * get_source: one -remote of a get, taken apart into its components, some of
 * which may be patterns as in a shell (fnmatch(3) with FNM_PERIOD).
 *
 * A source with none of "*?[" in it is taken as it is. In any other, "\" makes
 * the character after it an ordinary one.
 */
#ifndef WORKER_GET_SOURCE_H
#define WORKER_GET_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

/* The longest path on a host, without NUL. */
#define GET_PATH_MAX 4096u

struct get_part {
	char *text;
	bool is_pattern; /* else text is the name itself */
};

struct get_source {
	char *text; /* as the user gave it */
	bool is_absolute;
	bool is_glob;	/* one of the parts is a pattern */
	bool has_slash; /* a directory is meant: it ends in "/" or "/." */
	struct get_part *parts; /* without "" and "." */
	size_t count;		/* 0: "/" or the login directory */
	char *path;		/* the parts joined; NULL with patterns */
	bool is_repeated;	/* it is there twice */
	bool is_covered;	/* another one's tree should hold it */
	bool is_found;		/* and it did */
};

/*
 * Returns 0; or -1 with err (without the text) for what can't be fetched: a
 * ".." would make it unclear where it goes to. Clear it in both cases.
 */
int get_source_parse(struct get_source *s, const char *text, struct error *err);
void get_source_clear(struct get_source *s);

/* Where it starts: "/" or ".". */
const char *get_source_root(const struct get_source *s);

/*
 * Remove plain sources that repeat others, and mark those that go to the same
 * place as a part of another one's tree. Returns how many are left.
 */
size_t get_sources_untangle(
    struct get_source *sources, size_t count, bool is_named);

#endif
