/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What READDIR tells of a file is enough, unless it is a symbolic link to be
 * followed, or the server does not tell what it is: then it is a probe, and
 * waits for a STAT of its own. A plain source is one from the beginning.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/xalloc.h"
#include "worker/get_walk.h"
#include "worker/temp_name.h"
#include "worker/transfer.h"

#define PROBES_MAX 64u
/* The start of a bad name, for its message. */
#define SHOWN_MAX 300

/* Something of which only the name is known. */
struct get_probe {
	struct get_walk *walk;
	struct get_probe *next, **link;	 /* link: only when asked */
	const struct get_source *source; /* that led to it; NULL: a tree */
	char *remote;
	char *path;	  /* below the root; NULL: see get_place_path() */
	bool is_link;	  /* READDIR said so */
	bool is_optional; /* it may well not exist */
};

/* --- words --------------------------------------------------------------- */

void
get_walk_failed(struct get_walk *w, const char *path, const char *words)
{
	transfer_failed(w->t, STATUS_TRANSFER, path, "%s", words);
}

void
get_walk_broken(struct get_walk *w, const struct error *err)
{
	transfer_failed(w->t, STATUS_ERROR, "", "%s", err->text);
	get_walk_stop(w);
}

bool
get_walk_count(struct get_walk *w, const char *path)
{
	uint64_t max = transfer_config(w->t)->max_files;

	if (++w->counted <= max || max == 0)
		return true;
	transfer_failed(w->t, STATUS_TRANSFER, path,
	    "more than %llu files (-max-files), the rest is not fetched",
	    (unsigned long long)max);
	get_walk_stop(w);
	return false;
}

bool
get_walk_name(
    struct get_walk *w, struct bytes name, char copy[static GET_NAME_SIZE])
{
	const char *text = (const char *)name.data;
	char *shown, *path;

	if (target_name_is_safe(text, name.len)) {
		memcpy(copy, text, name.len);
		copy[name.len] = '\0';
		return true;
	}
	shown = xstrndup(text, name.len < SHOWN_MAX ? name.len : SHOWN_MAX);
	path = xasprintf("%s/%s", w->dir, shown);
	get_walk_failed(w, path, "unsafe name from the server, not fetched");
	free(path);
	free(shown);
	return false;
}

bool
get_walk_is_no_temporary(struct get_walk *w, const char *name)
{
	struct temp_name temp;

	if (!temp_name_parse(name, &temp))
		return true;
	transfer_note(
	    w->t, w->dir, "left out: %s, a temporary file of batch_scp", name);
	return false;
}

/* --- what was found ------------------------------------------------------ */

static const char *
special_kind(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFIFO:
		return "a fifo";
	case S_IFSOCK:
		return "a socket";
	case S_IFCHR:
	case S_IFBLK:
		return "a device";
	default:
		return "not a regular file";
	}
}

/* A covered source may be what was found just now. */
static void
note_covered(struct get_walk *w, const char *remote, bool is_directory)
{
	size_t low = 0, high = w->covered_count, middle;
	struct get_source *source;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (strcmp(w->covered[middle]->path, remote) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	/* With and without a slash at its end. */
	for (; low < w->covered_count; low++) {
		source = w->covered[low];
		if (strcmp(source->path, remote) != 0)
			return;
		if (is_directory || !source->has_slash)
			source->is_found = true;
	}
}

static void
append(struct get_walk *w, const char *remote, const char *path,
    const struct sftp_attrs *attrs)
{
	struct msg_entry e = {.type = ENTRY_FILE,
	    .mode = attrs->mode & GET_MODE_BITS,
	    .size = (attrs->flags & SFTP_ATTR_SIZE) != 0 ? attrs->size : 0,
	    .mtime_s = (attrs->flags & SFTP_ATTR_TIMES) != 0 ? attrs->mtime
							     : GET_TIME_UNKNOWN,
	    .path = path,
	    .source = remote};
	struct error err;

	if (S_ISDIR(attrs->mode))
		e.type = ENTRY_DIR;
	else if (S_ISLNK(attrs->mode))
		e.type = ENTRY_SYMLINK;
	w->found_count++;
	note_covered(w, remote, e.type == ENTRY_DIR);
	if (entry_file_append(&w->found, &e, &err) == -1)
		get_walk_broken(w, &err);
}

/* A source itself, or what it matches. */
static void
source_found(struct get_walk *w, const struct get_source *source,
    const char *remote, const struct sftp_attrs *attrs)
{
	char *path =
	    get_place_path(w->place, source, remote, S_ISDIR(attrs->mode) != 0);
	char *shown = get_place_shown(
	    w->place, source->is_glob ? w->place->prefix : path);

	transfer_route(w->t, source->text, shown);
	free(shown);
	append(w, remote, path, attrs);
	free(path);
}

static void
found(struct get_walk *w, const struct get_source *source, const char *remote,
    const char *path, const struct sftp_attrs *attrs)
{
	if ((attrs->flags & SFTP_ATTR_MODE) == 0) {
		get_walk_failed(
		    w, remote, "the server does not tell what it is");
		return;
	}
	if (source != NULL && source->has_slash && !S_ISDIR(attrs->mode)) {
		if (!source->is_glob)
			get_walk_failed(w, remote, "is not a directory");
		return;
	}
	if (source != NULL && source->is_glob)
		w->glob.has_match = true;
	if (!S_ISREG(attrs->mode) && !S_ISDIR(attrs->mode) &&
	    !S_ISLNK(attrs->mode)) {
		if (source != NULL && !source->is_glob)
			get_walk_failed(w, remote, special_kind(attrs->mode));
		else
			transfer_note(w->t, remote, "left out: %s",
			    special_kind(attrs->mode));
		return;
	}
	if (source == NULL)
		append(w, remote, path, attrs);
	else if (get_walk_count(w, remote))
		source_found(w, source, remote, attrs);
}

/* --- probes -------------------------------------------------------------- */

static void
probe_free(struct get_probe *probe)
{
	free(probe->remote);
	free(probe->path);
	free(probe);
}

static bool
is_followed(const struct get_walk *w, const struct get_source *source)
{
	return transfer_has(w->t, TRANSFER_FOLLOW) ||
	    (source != NULL && source->has_slash);
}

static void
probe_done(void *ctx, struct sftp_reply *reply)
{
	struct get_probe *probe = ctx;
	struct get_walk *w = probe->walk;

	*probe->link = probe->next;
	if (probe->next != NULL)
		probe->next->link = probe->link;
	w->asked_count--;
	if (w->state == GET_WALK_OVER)
		;
	else if (reply->type == SFTP_ATTRS)
		found(w, probe->source, probe->remote, probe->path,
		    &reply->attrs);
	else if (!probe->is_optional || reply->status != SFTP_NO_SUCH_FILE)
		transfer_refused(w->t, probe->remote,
		    probe->is_link ? "following the link" : "", reply);
	probe_free(probe);
}

void
get_probes_ask(struct get_walk *w)
{
	struct get_probe *probe;

	while (w->waiting != NULL && w->asked_count < PROBES_MAX &&
	    sftp_has_room(&w->t->sftp) && !transfer_is_clogged(w->t)) {
		probe = w->waiting;
		w->waiting = probe->next;
		if (w->waiting == NULL)
			w->last = &w->waiting;
		w->waiting_count--;
		probe->next = w->asked;
		probe->link = &w->asked;
		if (probe->next != NULL)
			probe->next->link = &probe->next;
		w->asked = probe;
		w->asked_count++;
		sftp_stat(&w->t->sftp, probe->remote,
		    is_followed(w, probe->source), probe_done, probe);
	}
}

void
get_walk_look(struct get_walk *w, const struct get_source *source, char *remote,
    char *path, const struct sftp_attrs *attrs, bool is_optional)
{
	bool has_mode = attrs != NULL && (attrs->flags & SFTP_ATTR_MODE) != 0;
	bool is_link = has_mode && S_ISLNK(attrs->mode);
	struct get_probe *probe;

	if (strlen(remote) > GET_PATH_MAX ||
	    (path != NULL && strlen(path) >= TARGET_PATH_SIZE)) {
		get_walk_failed(w, remote, "the path is too long");
	} else if (has_mode && !(is_link && is_followed(w, source))) {
		found(w, source, remote, path, attrs);
	} else {
		probe = xmalloc(sizeof(*probe));
		*probe = (struct get_probe){.walk = w,
		    .source = source,
		    .remote = remote,
		    .path = path,
		    .is_link = is_link,
		    .is_optional = is_optional};
		*w->last = probe;
		w->last = &probe->next;
		w->waiting_count++;
		return;
	}
	free(remote);
	free(path);
}

void
get_probes_forget(struct get_walk *w)
{
	struct get_probe *probe;

	while ((probe = w->waiting) != NULL) {
		w->waiting = probe->next;
		probe_free(probe);
	}
	w->last = &w->waiting;
	w->waiting_count = 0;
}

void
get_probes_clear(struct get_walk *w)
{
	struct get_probe *probe;

	get_probes_forget(w);
	while ((probe = w->asked) != NULL) {
		w->asked = probe->next;
		probe_free(probe);
	}
}
