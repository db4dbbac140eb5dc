/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * iniparser does the parsing, but never sees the file itself: the file is
 * read once, its raw lines are scanned (ini_scan.c), and iniparser gets what
 * the scan has passed, through a file in memory. So what was checked is what
 * is parsed, the permissions are those of the very bytes read, and a pipe
 * will do for a file.
 *
 * iniparser's dictionary is an array in the order of insertion, with linear
 * look-ups; it is walked once and never searched. A key in it is
 * "section:key", a section alone has a NULL value. The scan has replaced the
 * sections' names by numbers, so the first ":" always ends the section, and
 * neither a ":" nor a "]" in a name matters.
 */
#include "config.h"

#include "inventory/ini.h"

#include <errno.h>
#include <fcntl.h>
#ifdef HAVE_INIPARSER_INIPARSER_H
#include <iniparser/iniparser.h>
#else
#include <iniparser.h>
#endif
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inventory/ini_scan.h"
#include "util/fdio.h"
#include "util/xalloc.h"

#define FILE_MAX_BYTES ((size_t)32 << 20)

/*
 * iniparser reports through a callback without context, hence this one
 * variable. Empty while iniparser has nothing to say.
 */
static struct error complaint;

static int complain(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

static int
complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(complaint.text, sizeof(complaint.text), fmt, ap);
	va_end(ap);
	/* What follows is the line itself, which may hold a password. */
	complaint.text[strcspn(complaint.text, "\n")] = '\0';
	return 0;
}

/* The whole file into text; is_exposed of ini is set from its mode. */
static int
read_file(struct ini *ini, const char *path, struct buf *text,
    struct error *err)
{
	struct stat st;
	ssize_t n = -1;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1)
		goto out;
	ini->is_exposed = S_ISREG(st.st_mode) && (st.st_mode & 077) != 0;
	do
		n = fd_fill(fd, text, 65536);
	while (n > 0);
out:
	if (n == -1 && errno == ENOBUFS)
		error_set(err, "%s: larger than %zu bytes", path,
		    FILE_MAX_BYTES);
	else if (n == -1)
		error_set(err, "%s: %s", path, strerror(errno));
	fd_close(&fd);
	return n == -1 ? -1 : 0;
}

/* A file in memory with the content of lines, or -1 with errno set. */
static int
open_lines(struct buf *lines)
{
	int fd = memfd_create("inventory", MFD_CLOEXEC);

	if (fd != -1 && fd_flush(fd, lines) == -1)
		fd_close(&fd);
	return fd;
}

static dictionary *
parse_lines(const char *path, struct buf *lines, struct error *err)
{
	dictionary *d;
	char name[64];
	int fd = open_lines(lines);

	if (fd == -1) {
		error_set(err, "%s: memfd_create: %s", path, strerror(errno));
		return NULL;
	}
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	complaint.text[0] = '\0';
	iniparser_set_error_callback(complain);
	d = iniparser_load(name);
	iniparser_set_error_callback(NULL);
	fd_close(&fd);
	/* Out of memory gives a complaint and half a dictionary. */
	if (d == NULL || complaint.text[0] != '\0') {
		error_set(err, "%s: %s", path,
		    complaint.text[0] != '\0' ? complaint.text
					      : "iniparser cannot read it");
		if (d != NULL)
			iniparser_freedict(d);
		return NULL;
	}
	return d;
}

/* The entries are views of the dictionary and of the scan's names. */
static void
list_entries(struct ini *ini, const dictionary *d)
{
	size_t i, size = (size_t)d->size;
	struct ini_entry *e;
	char *end;

	ini->entries = xcalloc((size_t)d->n, sizeof(*ini->entries));
	for (i = 0; i < size && ini->count < (size_t)d->n; i++) {
		if (d->key[i] == NULL)
			continue;
		e = &ini->entries[ini->count++];
		e->section = ini_scan_section(
		    ini->scan, strtoul(d->key[i], &end, 10));
		e->key = *end == ':' ? end + 1 : NULL;
		e->value = d->val[i] != NULL ? d->val[i] : "";
	}
}

int
ini_read(struct ini *ini, const char *path, struct error *err)
{
	struct buf text, lines;
	int rc = -1;

	memset(ini, 0, sizeof(*ini));
	buf_init(&text, FILE_MAX_BYTES + 65536);
	buf_init(&lines, FILE_MAX_BYTES * 4);
	if (read_file(ini, path, &text, err) == -1)
		goto out;
	ini->scan = ini_scan_new(path, (const char *)buf_head(&text),
	    buf_len(&text), &lines, err);
	if (ini->scan == NULL)
		goto out;
	ini->dictionary = parse_lines(path, &lines, err);
	if (ini->dictionary == NULL)
		goto out;
	list_entries(ini, ini->dictionary);
	rc = 0;
out:
	buf_clear(&text);
	buf_clear(&lines);
	return rc;
}

void
ini_clear(struct ini *ini)
{
	dictionary *d = ini->dictionary;
	ssize_t i;

	if (d != NULL) {
		for (i = 0; i < (ssize_t)d->size; i++) {
			if (d->val[i] != NULL)
				explicit_bzero(d->val[i], strlen(d->val[i]));
		}
		iniparser_freedict(d);
	}
	ini_scan_free(ini->scan);
	free(ini->entries);
	memset(ini, 0, sizeof(*ini));
}
