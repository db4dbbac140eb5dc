/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ini_scan: a look at the raw lines of an INI file before iniparser gets
 * them, to meet its traps. Private to ini.c.
 */
#ifndef INVENTORY_INI_SCAN_H
#define INVENTORY_INI_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "util/buf.h"
#include "util/error.h"

struct ini_scan;

/*
 * Check len bytes of text and append to out the lines that iniparser is to
 * read: without comments, with each section's name replaced by its number
 * (see ini_scan_section()), and in chunks that are INI files of their own
 * (see ini_scan_chunk()). Returns NULL with err filled ("PATH:LINE: what") if
 * iniparser would misread or refuse a line.
 */
struct ini_scan *ini_scan_new(const char *path, const char *text, size_t len,
    struct buf *out, struct error *err);
void ini_scan_free(struct ini_scan *scan);

/* The name of the section of that number, NULL if there is none. */
const char *ini_scan_section(const struct ini_scan *scan, size_t number);

/*
 * The line on which that key, or with "" the header, first stands in the
 * section; 0 if nowhere.
 */
size_t ini_scan_line(
    const struct ini_scan *scan, const char *section, const char *key);

/* Tick off what ini_scan_line() has the line of; again is no matter. */
void ini_scan_tick(struct ini_scan *scan, const char *section, const char *key);
/* Whether that has been done to all headers and keys. */
bool ini_scan_has_all_ticked(const struct ini_scan *scan);

/* The length in out of the chunk of that number, 0 if there is none. */
size_t ini_scan_chunk(const struct ini_scan *scan, size_t number);

#endif
