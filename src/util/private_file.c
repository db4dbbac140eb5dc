/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "util/private_file.h"

#include <unistd.h>

static bool
is_of_others(const struct stat *st)
{
	return st->st_uid != 0 && st->st_uid != geteuid();
}

bool
file_is_open_to_others(const struct stat *st, mode_t modes)
{
	return is_of_others(st) || (st->st_mode & modes) != 0;
}

int
private_file_check(const struct stat *st, const char *path, struct error *err)
{
	unsigned mode = (unsigned)st->st_mode & 07777;

	if (!S_ISREG(st->st_mode) || !file_is_open_to_others(st, 077))
		return 0;
	if (is_of_others(st))
		return error_set(err,
		    "%s: user %u, whose file this is (mode %04o), has access "
		    "to the password in it: make it yours, or root's, and "
		    "chmod 600 %s",
		    path, (unsigned)st->st_uid, mode, path);
	return error_set(err,
	    "%s: mode %04o gives others access to the password in it: "
	    "chmod 600 %s",
	    path, mode, path);
}
