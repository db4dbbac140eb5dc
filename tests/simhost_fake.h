/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fake: files and directories that a host makes up (names=, symlink=). They
 * are recognised by the end of the path a client asks for, wherever it stands;
 * a faked file holds FAKE_TEXT.
 */
#ifndef TESTS_SIMHOST_FAKE_H
#define TESTS_SIMHOST_FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "simhost_script.h"

#define FAKE_TEXT "x\n"

/* What a client wants of the path; a liar does not tell each the same. */
enum fake_use { FAKE_LSTAT, FAKE_STAT, FAKE_READ, FAKE_LIST, FAKE_READLINK };

/*
 * S_IFREG, S_IFDIR or S_IFLNK with permissions, what the path is made out to
 * be; 0 if the host does not lie about it.
 */
mode_t fake_lookup(
    const struct host *h, const uint8_t *path, size_t len, enum fake_use use);

/* What READLINK of a faked link says. */
const char *fake_link_target(const struct host *h);

/* Attributes for a mode of fake_lookup(). */
void fake_attributes(mode_t mode, struct stat *st);

/* Let the attributes of a real file lie as the host does. */
void fake_distort(const struct host *h, struct stat *st);

struct fake_entry {
	char name[304];
	size_t len;
	mode_t mode;
};

/* Where a directory's listing comes from. */
enum fake_list {
	LIST_REAL,
	LIST_APPENDED, /* real, then faked entries */
	LIST_FAKED
};

enum fake_list fake_list_kind(const struct host *h, bool is_faked);

/*
 * The entry at pos of the faked listing (is_faked: of a faked directory).
 * Returns false at its end.
 */
bool fake_list_entry(const struct host *h, bool is_faked, uint64_t pos,
    struct fake_entry *entry);

#endif
