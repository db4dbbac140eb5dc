/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * summary: what is said at the end: how many hosts ended how, and who failed,
 * folded, with the reason.
 */
#ifndef REPORT_SUMMARY_H
#define REPORT_SUMMARY_H

#include "report/report.h"
#include "util/buf.h"

struct summary;

struct summary *summary_new(void);
void summary_free(struct summary *s);
void summary_add(struct summary *s, const struct record *record);

/*
 * Append the text to out. elapsed_ms: how long the run took; seed: of the
 * hosts' order, 0 if it was not by chance. Returns nothing but lines; all of a
 * host's words are escaped.
 */
void summary_print(struct summary *s, uint64_t elapsed_ms, uint64_t seed,
    bool is_colored, struct buf *out);

#endif
