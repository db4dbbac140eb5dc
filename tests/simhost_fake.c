/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "simhost_fake.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FILE_MODE      (S_IFREG | 0644)
#define DIR_MODE       (S_IFDIR | 0755)
#define LINK_MODE      (S_IFLNK | 0777)

#define ENDLESS_FORMAT "n%012" PRIu64
#define ENDLESS_LEN    13u

struct name {
	const char *bytes;
	size_t len; /* 0 ends the list, unless bytes is "" */
	mode_t mode;
};

#define NAME(text, mode)                     \
	{                                    \
		text, sizeof(text) - 1, mode \
	}
#define LIST_MAX 4

/* names= without those that need code: long, endless, deep. */
static const struct name lists[][LIST_MAX] = {
    [NAMES_SLASH] = {NAME("a/b", FILE_MODE), NAME("../../escape", FILE_MODE)},
    [NAMES_DOTDOT] = {NAME("..", DIR_MODE), NAME(".", DIR_MODE),
	NAME("good", FILE_MODE)},
    [NAMES_EMPTY] = {NAME("", FILE_MODE), NAME("good", FILE_MODE)},
    [NAMES_ABSOLUTE] = {NAME("/etc/evil", FILE_MODE)},
    [NAMES_NUL] = {NAME("evil\0.txt", FILE_MODE)},
    [NAMES_LONG] = {{NULL, 0, 0}},
    [NAMES_CONTROL] = {NAME("title\033]0;evil\007", FILE_MODE),
	NAME("line\nbreak", FILE_MODE), NAME("carriage\rreturn", FILE_MODE)},
    [NAMES_TWICE] = {NAME("good", FILE_MODE), NAME("good", FILE_MODE)},
    [NAMES_FILETHENDIR] = {NAME("x", FILE_MODE), NAME("x", LINK_MODE),
	NAME("x", DIR_MODE)},
    [NAMES_ENDLESS] = {{NULL, 0, 0}},
    [NAMES_DEEP] = {NAME("d", DIR_MODE)},
};

static const struct name link_list[LIST_MAX] = {
    NAME("link", LINK_MODE), NAME("link", DIR_MODE)};

static const struct name inside_list[LIST_MAX] = {NAME("inside", FILE_MODE)};

/* Whether path is name, or ends with "/name". */
static bool
ends_with(const uint8_t *path, size_t len, const char *name, size_t name_len)
{
	return len >= name_len &&
	    memcmp(path + len - name_len, name, name_len) == 0 &&
	    (len == name_len || path[len - name_len - 1] == '/');
}

/* One name that is a link, a directory and a file. */
static mode_t
chameleon(const uint8_t *path, size_t len, const char *name, const char *inside,
    enum fake_use use)
{
	if (ends_with(path, len, inside, strlen(inside)))
		return FILE_MODE;
	if (!ends_with(path, len, name, strlen(name)))
		return 0;
	if (use == FAKE_READ)
		return FILE_MODE;
	return use == FAKE_STAT || use == FAKE_LIST ? DIR_MODE : LINK_MODE;
}

static bool
is_endless(const uint8_t *path, size_t len)
{
	size_t i;

	if (len < ENDLESS_LEN || path[len - ENDLESS_LEN] != 'n' ||
	    (len > ENDLESS_LEN && path[len - ENDLESS_LEN - 1] != '/'))
		return false;
	for (i = len - ENDLESS_LEN + 1; i < len; i++) {
		if (path[i] < '0' || path[i] > '9')
			return false;
	}
	return true;
}

mode_t
fake_lookup(
    const struct host *h, const uint8_t *path, size_t len, enum fake_use use)
{
	struct fake_entry entry;
	uint64_t pos;
	mode_t mode;

	if (host_has(h, B_SYMLINK)) {
		mode = chameleon(path, len, "link", "link/inside", use);
		if (mode != 0)
			return mode;
	}
	if (!host_has(h, B_NAMES))
		return 0;
	if (host_is(h, B_NAMES, NAMES_ENDLESS))
		return is_endless(path, len) ? FILE_MODE : 0;
	if (host_is(h, B_NAMES, NAMES_FILETHENDIR))
		return chameleon(path, len, "x", "x/inside", use);
	for (pos = 0; fake_list_entry(h, false, pos, &entry); pos++) {
		if (!ends_with(path, len, entry.name, entry.len))
			continue;
		/* "dir/" and "." are the real directory, but to read them. */
		if (S_ISREG(entry.mode) ? entry.len > 0 || use == FAKE_READ
					: entry.name[0] != '.')
			return entry.mode;
	}
	return 0;
}

const char *
fake_link_target(const struct host *h)
{
	return host_has(h, B_SYMLINK) ? h->values[B_SYMLINK].text : "/tmp";
}

void
fake_attributes(mode_t mode, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_mode = mode;
	st->st_size = S_ISDIR(mode) ? 4096 : (off_t)strlen(FAKE_TEXT);
	st->st_nlink = 1;
	st->st_uid = getuid();
	st->st_gid = getgid();
	st->st_atime = st->st_mtime = time(NULL);
}

void
fake_distort(const struct host *h, struct stat *st)
{
	if (host_has(h, B_TYPE_CHANGE) && !S_ISDIR(st->st_mode))
		st->st_mode = S_IFREG | (st->st_mode & 07777);
	if (!S_ISREG(st->st_mode))
		return;
	if (host_has(h, B_GROWS))
		st->st_size = 10;
	if (host_has(h, B_SHRINKS))
		st->st_size = 100000;
	if (host_has(h, B_SIZE))
		st->st_size = (off_t)host_number(h, B_SIZE);
}

enum fake_list
fake_list_kind(const struct host *h, bool is_faked)
{
	if (is_faked || host_has(h, B_NAMES))
		return LIST_FAKED;
	return host_has(h, B_SYMLINK) ? LIST_APPENDED : LIST_REAL;
}

bool
fake_list_entry(
    const struct host *h, bool is_faked, uint64_t pos, struct fake_entry *entry)
{
	const struct name *list;

	entry->mode = FILE_MODE;
	if (host_is(h, B_NAMES, NAMES_ENDLESS)) {
		entry->len = (size_t)snprintf(entry->name, sizeof(entry->name),
		    ENDLESS_FORMAT, pos % 1000000000000u);
		return true;
	}
	if (host_is(h, B_NAMES, NAMES_LONG)) {
		entry->len = 300;
		memset(entry->name, 'n', entry->len);
		return pos == 0;
	}
	if (host_is(h, B_NAMES, NAMES_DEEP) || !is_faked)
		list = host_has(h, B_NAMES) ? lists[host_number(h, B_NAMES)]
					    : link_list;
	else
		list = inside_list;
	if (pos >= LIST_MAX || list[pos].bytes == NULL)
		return false;
	entry->len = list[pos].len;
	entry->mode = list[pos].mode;
	memcpy(entry->name, list[pos].bytes, entry->len);
	return true;
}
