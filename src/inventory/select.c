/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All choices that add are evaluated in the order of the options into one
 * set; the exclusions are evaluated into another, which is taken out last, so
 * that the place of an -x among the options does not matter.
 */
#include "config.h"

#include "inventory/select.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/fdio.h"
#include "util/xalloc.h"

/* A million names of 64 bytes. */
#define HOSTFILE_MAX_BYTES ((size_t)64 << 20)

/* --- host files --------------------------------------------------------- */

static int
read_hostfile(
    const char *path, const char *shown, struct buf *text, struct error *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd, rc = -1;

	fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (fd != -1)
		rc = fd_read_all(fd, text);
	if (rc == -1)
		error_set(err, "%s: %s", shown,
		    errno == ENOBUFS ? "too large" : strerror(errno));
	if (!is_stdin)
		fd_close(&fd);
	return rc;
}

/* Evaluate each of the lines, which are cut apart in place. */
static int
expand_lines(struct hostset *set, const char *path, char *text, size_t len,
    const struct hostset_source *source, struct error *err)
{
	char *end = text + len, *newline, *s;
	struct error why;
	size_t line = 0;

	for (s = text; s < end; s = newline + 1) {
		line++;
		newline = memchr(s, '\n', (size_t)(end - s));
		if (newline == NULL)
			newline = end;
		*newline = '\0';
		if (memchr(s, '\0', (size_t)(newline - s)) != NULL)
			return error_set(err, "%s:%zu: a NUL byte", path, line);
		s[strcspn(s, "#")] = '\0';
		if (hostset_expand(set, s, source, &why) == -1)
			return error_set(
			    err, "%s:%zu: %s", path, line, why.text);
	}
	return 0;
}

static int
expand_hostfile(struct hostset *set, const char *path,
    const struct hostset_source *source, struct error *err)
{
	const char *shown = strcmp(path, "-") == 0 ? "stdin" : path;
	struct error why;
	struct buf text;
	int rc;

	buf_init(&text, HOSTFILE_MAX_BYTES + FD_READ_BYTES);
	rc = read_hostfile(path, shown, &text, &why);
	/* The end of the last line needs a byte of its own. */
	if (rc == 0 && buf_append(&text, "\n", 1) == -1)
		rc = error_set(&why, "%s: too large", shown);
	if (rc == 0)
		rc = expand_lines(set, shown, (char *)buf_head(&text),
		    buf_len(&text), source, &why);
	if (rc == -1)
		error_option(err, "hostfile", why.text);
	buf_clear(&text);
	return rc;
}

/* --- choices ------------------------------------------------------------ */

static int
expand_choice(struct hostset *set, const struct inventory *inv,
    const struct choice *choice, struct error *err)
{
	struct hostset_source source = inventory_source(inv);

	switch (choice->kind) {
	case CHOICE_GROUPS:
		source.is_all_groups = true;
		return hostset_expand(set, choice->text, &source, err);
	case CHOICE_HOSTFILE:
		return expand_hostfile(set, choice->text, &source, err);
	case CHOICE_HOSTS:
	case CHOICE_EXCLUDE:
		return hostset_expand(set, choice->text, &source, err);
	}
	return error_set(err, "unknown kind of choice");
}

/*
 * Make of *names those hosts of among, in its order, all if adds is false; and
 * behind these those of *names that are not recorded.
 */
static int
take_among(struct hostset **names, const struct hostset *among,
    const struct hostset *recorded, bool adds, struct error *err)
{
	struct hostset *taken = hostset_new();
	int rc = hostset_union(taken, among, err);

	if (adds)
		hostset_intersect(taken, *names);
	if (rc == 0 && recorded != NULL) {
		hostset_subtract(*names, recorded);
		rc = hostset_union(taken, *names, err);
	}
	hostset_free(*names);
	*names = taken;
	return rc;
}

static void
select_count(struct select_counts *counts, const struct hostset *names,
    const struct hostset *recorded)
{
	size_t i;

	counts->chosen = hostset_count(names);
	counts->unrecorded = 0;
	for (i = 0; recorded != NULL && i < counts->chosen; i++)
		counts->unrecorded +=
		    !hostset_has(recorded, hostset_name(names, i));
}

struct hostset *
select_names(const struct inventory *inv, const struct hostset *among,
    const struct hostset *recorded, const struct choice *choices, size_t count,
    struct select_counts *counts, struct error *err)
{
	struct hostset *names = hostset_new(), *excluded = hostset_new();
	bool adds = false;
	size_t i;
	int rc = 0;

	for (i = 0; i < count && rc == 0; i++) {
		adds = adds || choices[i].kind != CHOICE_EXCLUDE;
		rc = expand_choice(
		    choices[i].kind == CHOICE_EXCLUDE ? excluded : names, inv,
		    &choices[i], err);
	}
	if (rc == 0 && among != NULL)
		rc = take_among(&names, among, recorded, adds, err);
	if (counts != NULL)
		select_count(counts, names, recorded);
	if (rc == 0)
		hostset_subtract(names, excluded);
	hostset_free(excluded);
	if (rc == -1) {
		hostset_free(names);
		names = NULL;
	}
	return names;
}

struct host *
select_resolve(const struct inventory *inv, const struct hostset *names,
    const struct host_overrides *overrides, struct error *err)
{
	size_t i, count = hostset_count(names);
	struct host *hosts = xcalloc(count, sizeof(*hosts));

	for (i = 0; i < count; i++) {
		if (inventory_resolve(inv, hostset_name(names, i), overrides,
			&hosts[i], err) == -1)
			break;
	}
	if (i == count)
		return hosts;
	while (i > 0)
		host_clear(&hosts[--i]);
	free(hosts);
	return NULL;
}
