/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * earlier: the hosts of an earlier run, as its report (option -report) has
 * them.
 */
#ifndef REPORT_EARLIER_H
#define REPORT_EARLIER_H

#include "inventory/hostset.h"
#include "util/error.h"

struct earlier {
	struct hostset *hosts;	 /* in the order of that run */
	struct hostset *grouped; /* those that were in groups of an inventory */
};

/*
 * Read the hosts of the report at path that ended as statuses says: names of
 * wire/outcome.h, "notok" for all but ok, "," between; NULL is "notok". If a
 * host has several records, its first one says its place and its last one how
 * it ended. A last line that is not whole, as a crash leaves it, is passed
 * over with a warning. Returns 0, or -1 with err (file and line) also if there
 * is no such host. Release with earlier_clear() in any case.
 */
int earlier_read(struct earlier *e, const char *path, const char *statuses,
    struct error *err);
void earlier_clear(struct earlier *e);

#endif
