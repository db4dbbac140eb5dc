/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "util/private_file.h"

#include <unistd.h>

int
private_file_check(const struct stat *st, const char *path, struct error *err)
{
	unsigned mode = (unsigned)st->st_mode & 07777;

	if (!S_ISREG(st->st_mode))
		return 0;
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return error_set(err,
		    "%s: user %u, whose file this is (mode %04o), has access "
		    "to the password in it: make it yours, or root's, and "
		    "chmod 600 %s",
		    path, (unsigned)st->st_uid, mode, path);
	if ((mode & 077) != 0)
		return error_set(err,
		    "%s: mode %04o gives others access to the password in it: "
		    "chmod 600 %s",
		    path, mode, path);
	return 0;
}
