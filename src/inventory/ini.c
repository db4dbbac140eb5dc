/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * iniparser does the parsing, but never sees the file itself: the file is
 * read once, its raw lines are scanned (ini_scan.c), and iniparser gets what
 * the scan has passed, through a file in memory. So what was checked is what
 * is parsed, the permissions are those of the very bytes read, and a pipe
 * will do for a file.
 *
 * iniparser's dictionary is an array in the order of insertion, with linear
 * look-ups; it is walked once and never searched, and to load is quadratic,
 * so the file is parsed in chunks. A key in it is "section:key", a section
 * alone has a NULL value. The scan has replaced the sections' names by numbers,
 * so the first ":" always ends the section, and neither a ":" nor a "]" in a
 * name matters.
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
#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inventory/ini_scan.h"
#include "util/fdio.h"
#include "util/log.h"
#include "util/xalloc.h"

#define FILE_MAX_BYTES	 ((size_t)32 << 20)
#define DICTIONARY_LEAST 128u
/* The sizes of small blocks of glibc, and how many of each it keeps. */
#define SMALL_SIZES 64u
#define SMALL_KEPT  7u
#define SMALL_LEAST 24u
#define SMALL_STEP  16u

/*
 * iniparser reports through a callback without context, hence this one
 * variable. Empty while iniparser has nothing to say.
 */
static struct error complaint;

static int complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

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

/*
 * In the place of the one that iniparser calls to begin with, which does not
 * look at what calloc(3) gives it, or frees a number then (4.2).
 */
dictionary *
dictionary_new(size_t size)
{
	dictionary *d = xcalloc(1, sizeof(*d));

	if (size < DICTIONARY_LEAST)
		size = DICTIONARY_LEAST;
	_Static_assert(sizeof(d->size) == sizeof(size), "dictionary.h");
	memcpy(&d->size, &size, sizeof(size)); /* signed in 4.1 only */
	d->val = xcalloc(size, sizeof(*d->val));
	d->key = xcalloc(size, sizeof(*d->key));
	d->hash = xcalloc(size, sizeof(*d->hash));
	return d;
}

/* The whole file into text, and what it is into ini. */
static int
read_file(
    struct ini *ini, const char *path, struct buf *text, struct error *err)
{
	struct stat *st = &ini->st;
	int fd, rc = -1;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1 || fstat(fd, st) == -1)
		goto out;
	rc = fd_read_all(fd, text);
out:
	if (rc == -1 && errno == ENOBUFS)
		error_set(
		    err, "%s: larger than %zu bytes", path, FILE_MAX_BYTES);
	else if (rc == -1)
		error_set(err, "%s: %s", path, strerror(errno));
	fd_close(&fd);
	return rc;
}

/* A file in memory of the len bytes at data, or -1 with errno set. */
static int
open_memory(const void *data, size_t len)
{
	const uint8_t *p = data;
	int fd = memfd_create("inventory", MFD_CLOEXEC);
	ssize_t n;

	while (fd != -1 && len > 0) {
		n = write(fd, p, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			fd_close(&fd);
			break;
		}
		p += n;
		len -= (size_t)n;
	}
	return fd;
}

/*
 * iniparser frees copies of lines, and stdio the buffer they come from, as they
 * are, passwords in them. So glibc is told to overwrite what is freed, with
 * bytes derived from value, or no more if it is 0. It does not do so with small
 * blocks that it keeps for the next of their size: see scrub_small_blocks().
 */
static void
perturb_freed(int value)
{
#ifdef M_PERTURB
	mallopt(M_PERTURB, value);
#else
	(void)value;
#endif
}

/* Take all that is kept for the next of its size, and overwrite it. */
static void
scrub_small_blocks(void)
{
	void *blocks[SMALL_SIZES * SMALL_KEPT];
	size_t i, size;

	for (i = 0; i < SMALL_SIZES * SMALL_KEPT; i++) {
		size = SMALL_LEAST + i / SMALL_KEPT * SMALL_STEP;
		blocks[i] = xmalloc(size);
		explicit_bzero(blocks[i], size);
	}
	while (i-- > 0)
		free(blocks[i]);
}

static dictionary *
parse(const char *path, const void *data, size_t len, struct error *err)
{
	dictionary *d;
	char name[64];
	int fd = open_memory(data, len);

	if (fd == -1) {
		error_set(
		    err, "%s: a file in memory: %s", path, strerror(errno));
		return NULL;
	}
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	complaint.text[0] = '\0';
	iniparser_set_error_callback(complain);
	perturb_freed(0xff);
	d = iniparser_load(name);
	perturb_freed(0);
	if (d == NULL && complaint.text[0] == '\0')
		complain("iniparser cannot read it");
	iniparser_set_error_callback(NULL);
	fd_close(&fd);
	/* Out of memory gives a complaint and half a dictionary. */
	if (complaint.text[0] == '\0')
		return d;
	error_set(err, "%s: %s", path, complaint.text);
	if (d != NULL)
		iniparser_freedict(d);
	return NULL;
}

/*
 * Append the dictionary's entries, which are views of it and of the scan, and
 * tick them off there.
 */
static void
add_entries(struct ini *ini, const dictionary *d)
{
	size_t i, number, left = (size_t)d->n;
	struct ini_entry *e;
	char *end;

	ini->entries = xreallocarray(
	    ini->entries, ini->count + left, sizeof(*ini->entries));
	for (i = 0; i < (size_t)d->size && left > 0; i++) {
		if (d->key[i] == NULL)
			continue;
		left--;
		number = strtoul(d->key[i], &end, 10);
		if (*end == ':' && d->val[i] == NULL)
			continue; /* there was no memory for it */
		e = &ini->entries[ini->count++];
		e->section = ini_scan_section(ini->scan, number);
		e->key = *end == ':' ? end + 1 : NULL;
		e->value = d->val[i] != NULL ? d->val[i] : "";
		ini_scan_tick(
		    ini->scan, e->section, e->key != NULL ? e->key : "");
	}
}

static int
parse_chunks(
    struct ini *ini, const char *path, struct buf *lines, struct error *err)
{
	dictionary *d;
	size_t len;

	while ((len = ini_scan_chunk(ini->scan, ini->dictionary_count)) > 0) {
		d = parse(path, buf_head(lines), len, err);
		if (d == NULL)
			return -1;
		buf_consume(lines, len);
		ini->dictionaries = xreallocarray(ini->dictionaries,
		    ini->dictionary_count + 1, sizeof(*ini->dictionaries));
		ini->dictionaries[ini->dictionary_count++] = d;
		add_entries(ini, d);
	}
	/* It passes over a line, a name or a value that it has no memory for,
	 * and says nothing. */
	if (!ini_scan_has_all_ticked(ini->scan))
		return error_set(err, "%s: out of memory", path);
	return 0;
}

int
ini_read(struct ini *ini, const char *path, struct error *err)
{
	struct buf text, lines;
	int rc;

	memset(ini, 0, sizeof(*ini));
	buf_init(&text, FILE_MAX_BYTES + FD_READ_BYTES);
	buf_init(&lines, FILE_MAX_BYTES * 4);
	rc = read_file(ini, path, &text, err);
	if (rc == 0) {
		ini->scan = ini_scan_new(path, (const char *)buf_head(&text),
		    buf_len(&text), &lines, err);
		if (ini->scan == NULL)
			rc = -1;
	}
	if (rc == 0)
		rc = parse_chunks(ini, path, &lines, err);
	buf_clear(&text);
	buf_clear(&lines);
	scrub_small_blocks();
	return rc;
}

static void
free_dictionary(dictionary *d)
{
	size_t i;

	for (i = 0; i < (size_t)d->size; i++) {
		if (d->val[i] != NULL)
			explicit_bzero(d->val[i], strlen(d->val[i]));
	}
	iniparser_freedict(d);
}

void
ini_clear(struct ini *ini)
{
	size_t i;

	for (i = 0; i < ini->dictionary_count; i++)
		free_dictionary(ini->dictionaries[i]);
	free(ini->dictionaries);
	ini_scan_free(ini->scan);
	free(ini->entries);
	memset(ini, 0, sizeof(*ini));
}

size_t
ini_line(const struct ini *ini, const struct ini_entry *entry)
{
	return ini_scan_line(
	    ini->scan, entry->section, entry->key != NULL ? entry->key : "");
}
