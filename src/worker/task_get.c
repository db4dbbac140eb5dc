/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The walk writes down what it finds; this takes one entry after the other, as
 * many at once as the run allows, while the walk still goes on.
 *
 * Directories are made before what is in them. They get the mode they have on
 * the host, but their owner here can always write to them, or the next get
 * could not. Times are set at the end, when nothing is put into them any more.
 * Directories that were there already keep the mode and time they have.
 *
 * When no space is left, or no descriptor, nothing more is begun. When the
 * session is stopped all ends at once: what is still to come from the host is
 * nobody's concern.
 */
#include "config.h"

#include "worker/task_get.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/xalloc.h"
#include "wire/entry_file.h"
#include "worker/get_file.h"
#include "worker/get_place.h"
#include "worker/get_source.h"
#include "worker/get_walk.h"

#define SPILL_BYTES (64u << 10)
/* Before other sessions have their turn. */
#define TAKE_MAX   256u
#define FINISH_MAX 64u

struct get {
	struct transfer *t;
	struct get_source *sources;
	size_t source_count;
	struct get_place place;
	struct get_walk walk;
	struct entry_cursor cursor; /* over what it has found */
	uint64_t taken;
	bool has_ended; /* no entry is left */
	struct get_files files;
	struct entry_file dirs;	      /* made by us, to get their times */
	struct entry_cursor finished; /* over dirs */
};

/* --- begin --------------------------------------------------------------- */

static void
read_sources(struct get *g)
{
	struct bytes list = transfer_config(g->t)->sources;
	struct get_source *source;
	struct error err;
	const char *text;
	size_t len;

	while (list.len > 0) {
		text = (const char *)list.data;
		len = strnlen(text, list.len - 1) + 1;
		list.data += len;
		list.len -= len;
		g->sources = xreallocarray(
		    g->sources, g->source_count + 1, sizeof(*g->sources));
		source = &g->sources[g->source_count];
		if (get_source_parse(source, text, &err) == 0) {
			g->source_count++;
			continue;
		}
		transfer_failed(g->t, STATUS_TRANSFER, text, "%s", err.text);
		get_source_clear(source);
	}
	g->source_count = get_sources_untangle(
	    g->sources, g->source_count, transfer_has(g->t, TRANSFER_NAMED));
}

static void
get_begin(struct transfer *t)
{
	struct get *g = xcalloc(1, sizeof(*g));

	t->task = g;
	g->t = t;
	read_sources(g);
	get_place_init(&g->place, t, g->sources, g->source_count);
	get_walk_init(&g->walk, t, &g->place, g->sources, g->source_count);
	entry_cursor_init(&g->cursor, &g->walk.found);
	get_files_init(&g->files, t, &g->place);
	entry_file_init(&g->dirs, SPILL_BYTES);
	entry_cursor_init(&g->finished, &g->dirs);
}

/* --- directories --------------------------------------------------------- */

static void
dir_finish(struct get *g, const struct msg_entry *e)
{
	struct timespec mtime = {.tv_sec = (time_t)e->mtime_s};
	bool has_time = transfer_has(g->t, TRANSFER_PRESERVE) &&
	    e->mtime_s != GET_TIME_UNKNOWN;
	struct error err;

	if (target_dir_finish(g->place.target, e->path, (mode_t)e->mode,
		has_time ? &mtime : NULL, &err) == -1)
		get_place_failed(&g->place, &err);
}

static void
take_dir(struct get *g, const struct msg_entry *e)
{
	struct msg_entry note = *e;
	struct error err;
	int rc;

	if (get_place_parent(&g->place, e->path) == -1)
		return;
	note.mode = (e->mode & 0777) | 0700;
	rc = target_mkdir(g->place.target, e->path, note.mode, &err);
	if (rc == -1) {
		get_place_failed(&g->place, &err);
		return;
	}
	if (rc == 0)
		return;
	if (!transfer_has(g->t, TRANSFER_PRESERVE)) {
		dir_finish(g, &note);
	} else if (entry_file_append(&g->dirs, &note, &err) == -1) {
		transfer_failed(g->t, STATUS_ERROR, "", "%s", err.text);
		g->place.is_failed = true;
	}
}

/* Returns whether all are. */
static bool
finish_dirs(struct get *g)
{
	struct msg_entry e;
	struct error err;
	unsigned count;

	for (count = 0; count < FINISH_MAX; count++) {
		if (transfer_is_clogged(g->t))
			return false;
		switch (entry_next(&g->finished, &e, &err)) {
		case 1:
			dir_finish(g, &e);
			break;
		case 0:
			return true;
		default:
			transfer_failed(g->t, STATUS_ERROR, "", "%s", err.text);
			return true;
		}
	}
	transfer_again(g->t);
	return false;
}

/* --- entries ------------------------------------------------------------- */

static void
take_dry(struct get *g, const struct msg_entry *e)
{
	struct stat st;
	char *shown;

	if (e->type == ENTRY_DIR &&
	    get_place_lookup(&g->place, e->path, &st) == 0 &&
	    S_ISDIR(st.st_mode))
		return;
	shown = get_place_shown(&g->place, e->path);
	transfer_would(g->t, e->source, shown);
	free(shown);
}

static void
take(struct get *g, const struct msg_entry *e)
{
	if (transfer_has(g->t, TRANSFER_UPDATE) &&
	    get_place_is_current(&g->place, e))
		transfer_done(g->t, 0, true);
	else if (transfer_has(g->t, TRANSFER_DRY_RUN))
		take_dry(g, e);
	else if (e->type == ENTRY_DIR)
		take_dir(g, e);
	else
		get_files_add(&g->files, e);
}

/* Nothing more can be written. */
static void
give_up(struct get *g)
{
	uint64_t left = g->walk.found_count - g->taken;
	char *shown = get_place_shown(&g->place, g->place.prefix);

	g->has_ended = true;
	get_walk_stop(&g->walk);
	if (g->place.is_full && left > 0)
		transfer_failed(g->t, STATUS_ERROR, shown,
		    "nothing more can be stored, at least %llu more not "
		    "fetched",
		    (unsigned long long)left);
	free(shown);
}

/* Returns whether an entry was taken. */
static bool
take_next(struct get *g)
{
	struct msg_entry e;
	struct error err;

	if (g->has_ended || g->files.count >= transfer_config(g->t)->files ||
	    !sftp_has_room(&g->t->sftp) || transfer_is_clogged(g->t))
		return false;
	if (g->place.is_failed || g->place.is_full) {
		give_up(g);
		return false;
	}
	switch (entry_next(&g->cursor, &e, &err)) {
	case 1:
		g->taken++;
		take(g, &e);
		return true;
	case 0:
		g->has_ended = get_walk_is_over(&g->walk);
		return false;
	default:
		transfer_failed(g->t, STATUS_ERROR, "", "%s", err.text);
		g->has_ended = true;
		get_walk_stop(&g->walk);
		return false;
	}
}

static bool
get_step(struct transfer *t)
{
	struct get *g = t->task;
	unsigned taken = 0;

	if (t->is_stopping)
		return true;
	get_walk_step(&g->walk);
	/* Each that ends makes room for another, at once. */
	do
		get_files_step(&g->files);
	while (taken++ < TAKE_MAX && take_next(g));
	if (taken > TAKE_MAX)
		transfer_again(t);
	if (!g->has_ended || g->files.count > 0 || g->files.closing > 0 ||
	    !get_walk_is_over(&g->walk))
		return false;
	return finish_dirs(g);
}

static void
get_stop(struct transfer *t)
{
	struct get *g = t->task;

	get_walk_stop(&g->walk);
	get_files_stop(&g->files);
}

static void
get_free(struct transfer *t)
{
	struct get *g = t->task;
	size_t i;

	get_files_clear(&g->files);
	entry_cursor_clear(&g->cursor);
	get_walk_clear(&g->walk);
	entry_cursor_clear(&g->finished);
	entry_file_clear(&g->dirs);
	get_place_clear(&g->place);
	for (i = 0; i < g->source_count; i++)
		get_source_clear(&g->sources[i]);
	free(g->sources);
	free(g);
	t->task = NULL;
}

const struct transfer_ops task_get_ops = {
    .begin = get_begin,
    .step = get_step,
    .stop = get_stop,
    .free = get_free,
};
