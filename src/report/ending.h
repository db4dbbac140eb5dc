/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ending: how a host ended, in the words that summary, fold and log have for
 * it: "failed, exit 3", "unreachable connect, Connection refused". What has the
 * same words belongs together.
 */
#ifndef REPORT_ENDING_H
#define REPORT_ENDING_H

#include <stdbool.h>

#include "report/report.h"
#include "util/buf.h"

struct ending {
	enum status status;
	enum stage stage;
	char *reason; /* escaped; "" if there is none that several share */
};

/*
 * A short reason is part of the words, and one that comes with an advice; other
 * long ones (host keys, with their fingerprints) differ from host to host.
 */
void ending_init(struct ending *e, const struct record *record);
void ending_clear(struct ending *e);

/* Less than, equal to or greater than 0, as strverscmp(3): exit 7, exit 17. */
int ending_compare(const struct ending *a, const struct ending *b);

/* The word behind the status, "" where it would say nothing. */
const char *ending_stage(enum status status, enum stage stage);
/* Append the words; the status, if not ok, is red if is_colored. */
void ending_print(const struct ending *e, bool is_colored, struct buf *out);
/* Append a line of a host that failed, "web02: failed, exit 3", all red. */
void ending_note(const struct record *record, bool is_colored, struct buf *out);

#endif
