/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * get_walk: finds what is to be fetched: the sources, what the patterns among
 * them match, and what is in the directories. All goes into one list, found,
 * that is read while it grows; a directory stands before what is in it, and
 * what is in it stands together.
 *
 * Memory depends neither on the number of files nor on what the server sends:
 * the list goes to disk, and it is its own queue of directories to be listed,
 * one at a time. The patterns are matched here, by the names that the server
 * lists, component by component, in the order it lists them.
 *
 * A plain source that lies in the tree of another is found with that, and must
 * not be fetched twice: the second copy would take the first one's backup. It
 * is looked at last, if it was not found by then, since a symbolic link stood
 * before it.
 *
 *	get_walk.c   sources, patterns, directories
 *	get_found.c  names and what is known of them
 */
#ifndef WORKER_GET_WALK_H
#define WORKER_GET_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/entry_file.h"
#include "worker/get_list.h"
#include "worker/get_place.h"
#include "worker/get_source.h"

struct get_probe;

/* Directories below each other: also the end of a loop with -follow. */
#define GET_DEPTH_MAX 256u

enum get_walk_state {
	GET_WALK_SOURCES,
	GET_WALK_GLOB, /* of one source */
	GET_WALK_TREES,
	GET_WALK_OVER,
};

struct get_walk {
	struct transfer *t;
	struct get_place *place;
	struct get_source *sources;
	size_t source_count, next_source;
	struct get_source **covered; /* of these, by their paths */
	size_t covered_count, next_covered;
	enum get_walk_state state;
	struct entry_file found; /* path: below the root; source: there */
	uint64_t found_count;
	struct entry_cursor dirs; /* over found: the next to be listed */
	uint64_t counted;	  /* against -max-files */
	uint64_t tried;		  /* names, with patterns */
	struct get_list list;
	char *dir, *dir_path; /* in list: there, and below the root */
	struct {	      /* of the source in work */
		const struct get_source *source;
		struct entry_file paths; /* matched so far; mode: next part */
		struct entry_cursor cursor;
		size_t part; /* whose matches are listed */
		bool has_match, has_failed;
	} glob;
	struct get_probe *waiting, **last; /* files to ask about */
	size_t waiting_count;
	struct get_probe *asked;
	unsigned asked_count;
};

/* sources and place must outlive it. */
void get_walk_init(struct get_walk *w, struct transfer *t,
    struct get_place *place, struct get_source *sources, size_t count);
void get_walk_clear(struct get_walk *w);

void get_walk_step(struct get_walk *w);
/* Find nothing more. */
void get_walk_stop(struct get_walk *w);
/* Whether nothing more will be found and nothing is on its way. */
bool get_walk_is_over(const struct get_walk *w);

/* --- between get_walk.c and get_found.c ---------------------------------- */

#define GET_NAME_SIZE 256u

/* Something there can't be fetched. */
void get_walk_failed(struct get_walk *w, const char *path, const char *words);
/* A list of the walk can't be written or read: it ends. */
void get_walk_broken(struct get_walk *w, const struct error *err);
/* One more of what -max-files bounds. Returns false if that ended the walk. */
bool get_walk_count(struct get_walk *w, const char *path);

/* Copy a name that can be one here. Returns false, and says so, if not. */
bool get_walk_name(
    struct get_walk *w, struct bytes name, char copy[static GET_NAME_SIZE]);
/* Returns false, and says so, if it is the name of a temporary. */
bool get_walk_is_no_temporary(struct get_walk *w, const char *name);

/*
 * Take what was found, or ask about it; attrs may be NULL. source led to it,
 * NULL in a tree. Takes over remote and path, which is NULL if
 * get_place_path() is to tell it. is_optional: it may well not exist.
 */
void get_walk_look(struct get_walk *w, const struct get_source *source,
    char *remote, char *path, const struct sftp_attrs *attrs, bool is_optional);

/* Ask about those that wait; forget these; free also those asked about. */
void get_probes_ask(struct get_walk *w);
void get_probes_forget(struct get_walk *w);
void get_probes_clear(struct get_walk *w);

#endif
