/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * earlier: the hosts of an earlier run, as its report (option -report) has
 * them.
 */
#ifndef REPORT_EARLIER_H
#define REPORT_EARLIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inventory/hostset.h"
#include "util/error.h"

/* The statuses that are not ok, in a word. */
#define EARLIER_NOT_OK "notok"

struct earlier {
	struct hostset *hosts;	 /* in the order of that run */
	struct hostset *grouped; /* those that were in groups of an inventory */
	struct hostset *recorded; /* all that have a record */
	bool has_missing;   /* those that have none are to be taken, too */
	uint64_t run_hosts; /* that the run had; 0: the report does not say */
};

/*
 * The words for statuses: names of wire/outcome.h, "notok" for all but ok,
 * "missing" for hosts of which there is no record. NULL behind the last one.
 */
const char *earlier_status(size_t index);

/* Whether list is such words with "," between. */
bool earlier_is_statuses(const char *list);

/*
 * Read the hosts of the report at path that ended as statuses says; NULL is
 * "notok". If a host has several records, its first one says its place and its
 * last one how it ended. A last line that is not whole, as a crash leaves it,
 * is passed over with a warning. Returns 0, also if there is no such host, or
 * -1 with err (file and line). Release with earlier_clear() in any case.
 */
int earlier_read(struct earlier *e, const char *path, const char *statuses,
    struct error *err);

/*
 * Whether the report lacks records of its run, and not only those of so many
 * others that are known. Of a report without a record that can't be told; with
 * has_missing it is not asked.
 */
bool earlier_is_short(const struct earlier *e, size_t others);
void earlier_clear(struct earlier *e);

#endif
