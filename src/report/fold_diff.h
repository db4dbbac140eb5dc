/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fold_diff: what groups of hosts have sent, as unified diffs from one text. */
#ifndef REPORT_FOLD_DIFF_H
#define REPORT_FOLD_DIFF_H

#include "report/content.h"
#include "report/groups.h"
#include "report/normalize.h"
#include "report/sink.h"

struct fold_diff;

/*
 * The text to compare with: content, sent by host; label names it in diffs.
 * Strings are copied, the others must outlive it.
 */
struct fold_diff *fold_diff_new(struct contents *set, struct normalizer *n,
    const struct content *content, const char *host, const char *label);
/* NULL is fine. */
void fold_diff_free(struct fold_diff *d);

/*
 * Append the diff to the text of g, named label, coloured if the sink is. What
 * is normalized away makes no difference. If a text is too large for it, the
 * diff is one line: "differs: 123456 lines".
 */
void fold_diff_print(struct fold_diff *d, const struct group *g,
    const char *label, struct sink *sink);

#endif
