/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ini: an INI file as a list of entries, in the order of the file. */
#ifndef INVENTORY_INI_H
#define INVENTORY_INI_H

#include <stddef.h>
#include <sys/stat.h>

#include "util/error.h"

struct ini_entry {
	const char *section; /* lower case */
	const char *key;     /* lower case; NULL: the section's header, which
			      * comes before its keys */
	const char *value;   /* "" if there is none */
};

struct ini {
	struct ini_entry *entries;
	size_t count;
	struct stat st; /* of the file */
	/* The rest is private. */
	struct ini_scan *scan;
	void **dictionaries; /* what the entries are views of */
	size_t dictionary_count;
};

/*
 * Read the file at path. Returns 0, or -1 with err filled ("FILE:LINE: what"
 * for errors of syntax). In both cases to be cleared with ini_clear(), which
 * wipes the values.
 */
int ini_read(struct ini *ini, const char *path, struct error *err);
void ini_clear(struct ini *ini);

/* The line of the file on which the entry, or the header, first stands. */
size_t ini_line(const struct ini *ini, const struct ini_entry *entry);

#endif
