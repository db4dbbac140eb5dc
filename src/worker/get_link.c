/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/xalloc.h"
#include "worker/get_file.h"

/* -update, -checksum: whether the link is here with the same text. */
static bool
is_same_link(struct get_file *f, const char *text)
{
	struct transfer *t = f->files->t;
	char here[TARGET_LINK_MAX + 1], *shown;
	struct stat st;
	ssize_t len;

	if ((!transfer_has(t, TRANSFER_UPDATE) &&
		!transfer_has(t, TRANSFER_CHECKSUM)) ||
	    get_place_lookup(f->files->place, f->path, &st) == -1 ||
	    !S_ISLNK(st.st_mode))
		return false;
	shown = get_place_shown(f->files->place, f->path);
	len = readlink(shown, here, sizeof(here));
	free(shown);
	return len >= 0 && (size_t)len == strlen(text) &&
	    memcmp(here, text, (size_t)len) == 0;
}

static void
link_make(struct get_file *f, struct bytes text)
{
	struct get_files *files = f->files;
	struct error err;
	char *copy;

	if (memchr(text.data, '\0', text.len) != NULL) {
		transfer_failed(files->t, STATUS_TRANSFER, f->source,
		    "the text of the symbolic link holds a NUL");
		get_file_end(f, false);
		return;
	}
	copy = xstrndup((const char *)text.data, text.len);
	if (is_same_link(f, copy))
		get_file_succeed(f, 0, true);
	else if (get_place_parent(files->place, f->path) == -1)
		get_file_end(f, false);
	else if (target_symlink(files->place->target, f->path, copy,
		     transfer_config(files->t)->token, get_files_seq(files),
		     get_file_backup_suffix(f), &err) == -1)
		get_file_end_local(f, &err);
	else
		get_file_succeed(f, 0, false);
	free(copy);
}

static void
readlink_done(void *ctx, struct sftp_reply *reply)
{
	struct get_file *f = ctx;
	struct sftp_attrs attrs;
	struct bytes text;

	f->waiting--;
	if (f->state != GET_FILE_LINK)
		return;
	if (reply->type != SFTP_NAME) {
		transfer_refused(
		    f->files->t, f->source, "reading the link", reply);
		get_file_end(f, false);
	} else if (sftp_name_next(reply, &text, &attrs) != 1) {
		sftp_fault(&f->files->t->sftp, "a malformed symbolic link");
		get_file_end(f, false);
	} else {
		link_make(f, text);
	}
}

void
get_link_begin(struct get_file *f)
{
	f->state = GET_FILE_LINK;
	f->waiting++;
	sftp_readlink(&f->files->t->sftp, f->source, readlink_done, f);
}
