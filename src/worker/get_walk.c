/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *   SOURCES ─▶ TREES ─▶ OVER
 *     │  ▲
 *     ▼  │ for each source with patterns
 *     GLOB
 */
#include "config.h"

#include "worker/get_walk.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/path.h"
#include "util/xalloc.h"
#include "worker/transfer.h"

#define SPILL_BYTES (256u << 10)
/* Probes that wait, above which no more names are taken or asked for. */
#define WAITING_HIGH 256u
/* Names that patterns are tried on, or there could be no end. */
#define TRIED_MAX 10000000u

/* --- patterns ------------------------------------------------------------ */

static bool
glob_push(struct get_walk *w, const char *remote, size_t part)
{
	struct msg_entry e = {
	    .type = ENTRY_DIR, .mode = (uint32_t)part, .source = remote};
	struct error err;

	if (entry_file_append(&w->glob.paths, &e, &err) == 0)
		return true;
	get_walk_broken(w, &err);
	return false;
}

static void
glob_clear(struct get_walk *w)
{
	entry_cursor_clear(&w->glob.cursor);
	entry_file_clear(&w->glob.paths);
	w->glob.source = NULL;
}

static void
glob_start(struct get_walk *w, const struct get_source *source)
{
	entry_file_init(&w->glob.paths, SPILL_BYTES);
	entry_cursor_init(&w->glob.cursor, &w->glob.paths);
	w->glob.source = source;
	w->glob.has_match = w->glob.has_failed = false;
	w->state = GET_WALK_GLOB;
	glob_push(w, get_source_root(source), 0);
}

/* A name that w->glob.part may match. Returns false to list no more. */
static bool
glob_name(struct get_walk *w, struct bytes name, const struct sftp_attrs *attrs)
{
	const struct get_source *source = w->glob.source;
	size_t part = w->glob.part;
	char copy[GET_NAME_SIZE], *remote;
	bool is_known = (attrs->flags & SFTP_ATTR_MODE) != 0, goes_on = true;

	if (++w->tried > TRIED_MAX) {
		get_walk_failed(w, w->dir, "too many names to match");
		get_walk_stop(w);
		return false;
	}
	if (!get_walk_name(w, name, copy))
		return get_walk_count(w, w->dir);
	if (fnmatch(source->parts[part].text, copy, FNM_PERIOD) != 0 ||
	    !get_walk_is_no_temporary(w, copy))
		return true;
	remote = path_join(w->dir, copy);
	if (part + 1 == source->count) {
		get_walk_look(w, source, remote, NULL, attrs, false);
		return w->state == GET_WALK_GLOB;
	}
	if (!is_known || S_ISDIR(attrs->mode) || S_ISLNK(attrs->mode))
		goes_on =
		    get_walk_count(w, w->dir) && glob_push(w, remote, part + 1);
	free(remote);
	return goes_on;
}

/* From what is matched so far on to the next pattern. Takes over remote. */
static void
glob_descend(struct get_walk *w, char *remote, size_t part)
{
	const struct get_source *source = w->glob.source;
	char *next;

	for (; part < source->count && !source->parts[part].is_pattern;
	     part++) {
		next = path_join(remote, source->parts[part].text);
		free(remote);
		remote = next;
	}
	if (part == source->count) {
		get_walk_look(w, source, remote, NULL, NULL, true);
		return;
	}
	free(w->dir);
	w->dir = remote;
	w->glob.part = part;
	get_list_start(&w->list, w->dir);
}

/* Returns whether there may be more to do at once. */
static bool
go_glob(struct get_walk *w)
{
	struct msg_entry e;
	struct error err;
	int rc = entry_next(&w->glob.cursor, &e, &err);

	if (rc == -1) {
		get_walk_broken(w, &err);
		return false;
	}
	if (rc == 1) {
		glob_descend(w, xstrdup(e.source), e.mode);
		return true;
	}
	if (w->waiting != NULL || w->asked != NULL)
		return false;
	if (!w->glob.has_match && !w->glob.has_failed)
		transfer_failed(
		    w->t, STATUS_TRANSFER, w->glob.source->text, "no match");
	glob_clear(w);
	w->state = GET_WALK_SOURCES;
	return true;
}

/* --- sources and trees --------------------------------------------------- */

static bool
go_sources(struct get_walk *w)
{
	const struct get_source *source;

	if (w->next_source == w->source_count) {
		w->state = GET_WALK_TREES;
		return true;
	}
	source = &w->sources[w->next_source++];
	if (source->is_glob)
		glob_start(w, source);
	else if (!source->is_covered)
		get_walk_look(
		    w, source, xstrdup(source->path), NULL, NULL, false);
	return true;
}

/* All trees are listed: on to what they should have held, but did not. */
static bool
go_covered(struct get_walk *w)
{
	const struct get_source *source;

	if (w->waiting != NULL || w->asked != NULL)
		return false;
	while (w->next_covered < w->covered_count) {
		source = w->covered[w->next_covered++];
		if (source->is_found)
			continue;
		get_walk_look(
		    w, source, xstrdup(source->path), NULL, NULL, false);
		return true;
	}
	get_walk_stop(w);
	return false;
}

static unsigned
depth(const char *path)
{
	unsigned slashes = 0;

	for (; *path != '\0'; path++)
		slashes += *path == '/';
	return slashes;
}

static bool
go_trees(struct get_walk *w)
{
	struct msg_entry e;
	struct error err;
	int rc;

	do
		rc = entry_next(&w->dirs, &e, &err);
	while (rc == 1 && e.type != ENTRY_DIR);
	if (rc == -1) {
		get_walk_broken(w, &err);
		return false;
	}
	if (rc == 0)
		return go_covered(w);
	if (depth(e.source) >= GET_DEPTH_MAX) {
		get_walk_failed(w, e.source, "too deep, not listed");
		return true;
	}
	free(w->dir);
	free(w->dir_path);
	w->dir = xstrdup(e.source);
	w->dir_path = xstrdup(e.path);
	get_list_start(&w->list, w->dir);
	return false;
}

/* A name in the directory. Returns false to list no more. */
static bool
listed_name(
    struct get_walk *w, struct bytes name, const struct sftp_attrs *attrs)
{
	char copy[GET_NAME_SIZE];

	if (w->state == GET_WALK_GLOB)
		return glob_name(w, name, attrs);
	if (!get_walk_count(w, w->dir))
		return false;
	if (get_walk_name(w, name, copy) && get_walk_is_no_temporary(w, copy))
		get_walk_look(w, NULL, path_join(w->dir, copy),
		    path_join(w->dir_path, copy), attrs, false);
	return w->state == GET_WALK_TREES;
}

/* Take names as long as there is room for what comes of them. */
static void
take_names(struct get_walk *w)
{
	struct sftp_attrs attrs;
	struct bytes name;

	while (w->waiting_count < WAITING_HIGH && !transfer_is_clogged(w->t) &&
	    get_list_next(&w->list, &name, &attrs)) {
		if (!listed_name(w, name, &attrs))
			get_list_stop(&w->list);
	}
}

static void
list_refused(void *ctx, const struct sftp_reply *reply, bool is_opening)
{
	struct get_walk *w = ctx;

	if (w->state == GET_WALK_GLOB) {
		/* No directory there, so nothing that matches. */
		if (is_opening && reply->status == SFTP_NO_SUCH_FILE)
			return;
		w->glob.has_failed = true;
	}
	transfer_refused(w->t, w->dir, "listing it", reply);
}

/* --- the whole ----------------------------------------------------------- */

static int
covered_compare(const void *a, const void *b)
{
	const struct get_source *const *x = a, *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

static void
gather_covered(struct get_walk *w)
{
	size_t i;

	w->covered = xcalloc(w->source_count + 1, sizeof(struct get_source *));
	for (i = 0; i < w->source_count; i++)
		if (w->sources[i].is_covered)
			w->covered[w->covered_count++] = &w->sources[i];
	qsort(w->covered, w->covered_count, sizeof(struct get_source *),
	    covered_compare);
}

void
get_walk_init(struct get_walk *w, struct transfer *t, struct get_place *place,
    struct get_source *sources, size_t count)
{
	memset(w, 0, sizeof(*w));
	w->t = t;
	w->place = place;
	w->sources = sources;
	w->source_count = count;
	w->last = &w->waiting;
	gather_covered(w);
	entry_file_init(&w->found, SPILL_BYTES);
	entry_cursor_init(&w->dirs, &w->found);
	entry_file_init(&w->glob.paths, SPILL_BYTES);
	entry_cursor_init(&w->glob.cursor, &w->glob.paths);
	get_list_init(&w->list, t, list_refused, w);
}

void
get_walk_clear(struct get_walk *w)
{
	get_probes_clear(w);
	glob_clear(w);
	get_list_clear(&w->list);
	entry_cursor_clear(&w->dirs);
	entry_file_clear(&w->found);
	free(w->dir);
	free(w->dir_path);
	free(w->covered);
}

void
get_walk_stop(struct get_walk *w)
{
	w->state = GET_WALK_OVER;
	get_list_stop(&w->list);
	get_probes_forget(w);
}

bool
get_walk_is_over(const struct get_walk *w)
{
	return w->state == GET_WALK_OVER && !get_list_is_busy(&w->list) &&
	    w->list.closing == 0 && w->asked == NULL;
}

/* Returns whether there may be more to do at once. */
static bool
go(struct get_walk *w)
{
	if (get_list_is_busy(&w->list) || transfer_is_clogged(w->t) ||
	    !sftp_has_room(&w->t->sftp) || w->waiting_count >= WAITING_HIGH)
		return false;
	switch (w->state) {
	case GET_WALK_SOURCES:
		return go_sources(w);
	case GET_WALK_GLOB:
		return go_glob(w);
	case GET_WALK_TREES:
		return go_trees(w);
	case GET_WALK_OVER:
		return false;
	}
	return false;
}

void
get_walk_step(struct get_walk *w)
{
	take_names(w);
	if (w->waiting_count < WAITING_HIGH)
		get_list_step(&w->list);
	while (go(w))
		;
	get_probes_ask(w);
}
