/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "cli/run_files.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/path.h"
#include "util/xalloc.h"

#define LINKS_MAX 40

/* Where a file is, or will be made. */
struct place {
	const char *option;
	struct stat st; /* of the file, or of the directory it is made in */
	char *name;	/* there; NULL: the file is there already */
	bool is_shared; /* others may have it too: it is a device, or nowhere */
};

/* Where a symbolic link leads to; NULL: path is none. The caller frees. */
static char *
link_target(const char *path)
{
	char target[PATH_MAX], *directory, *joined;
	ssize_t len = readlink(path, target, sizeof(target) - 1);

	if (len == -1)
		return NULL;
	target[len] = '\0';
	if (target[0] == '/')
		return xstrdup(target);
	directory = path_parent(path);
	joined = path_join(directory, target);
	free(directory);
	return joined;
}

/* A file may be made where a link leads, too. */
static void
place_find(struct place *p, const char *option, const char *path)
{
	char *at = xstrdup(path), *next, *directory;
	unsigned links;

	*p = (struct place){.option = option};
	for (links = 0; stat(at, &p->st) == -1; links++) {
		next = links < LINKS_MAX ? link_target(at) : NULL;
		if (next == NULL) {
			p->name = xstrdup(path_base(at));
			directory = path_parent(at);
			p->is_shared =
			    p->name[0] == '\0' || stat(directory, &p->st) == -1;
			free(directory);
			break;
		}
		free(at);
		at = next;
	}
	if (p->name == NULL)
		p->is_shared = S_ISCHR(p->st.st_mode);
	free(at);
}

static bool
is_same(const struct place *a, const struct place *b)
{
	if (a->is_shared || b->is_shared || a->st.st_dev != b->st.st_dev ||
	    a->st.st_ino != b->st.st_ino)
		return false;
	if (a->name == NULL || b->name == NULL)
		return a->name == b->name;
	return strcmp(a->name, b->name) == 0;
}

int
run_files_check(const struct run_options *o, struct error *err)
{
	const struct {
		const char *option, *path;
	} files[] = {{"report", o->report}, {"report-html", o->report_html},
	    {"metrics", o->metrics}, {"log", o->log}};
	struct place places[sizeof(files) / sizeof(files[0])];
	size_t count = 0, i, j;
	int rc = 0;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (files[i].path == NULL)
			continue;
		place_find(&places[count], files[i].option, files[i].path);
		for (j = 0; j < count && rc == 0; j++) {
			if (is_same(&places[j], &places[count]))
				rc = error_set(err,
				    "options -%s and -%s: both would write "
				    "%s; give each a file of its own",
				    places[j].option, places[count].option,
				    files[i].path);
		}
		count++;
	}
	for (i = 0; i < count; i++)
		free(places[i].name);
	return rc;
}
