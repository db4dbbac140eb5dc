/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fold_page: the groups of a fold, as the page shows them. */
#ifndef REPORT_FOLD_PAGE_H
#define REPORT_FOLD_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "report/fold.h"
#include "report/html.h"

/* Bytes of a group's text that the page has. */
#define FOLD_PAGE_TEXT_MOST (64u << 10)

struct fold_page {
	struct html *html;
	const struct fold *fold;
	struct contents *contents;
	bool is_ordered;
	int stream;			 /* 1 or 2; then it is done */
	struct groups *groups;		 /* of this stream; NULL: not yet */
	const struct group *group, *end; /* NULL: they are not found yet */
	size_t room;			 /* bytes that the page still takes */
};

/* f, which gets all hosts before the first step, and its contents are kept. */
void fold_page_init(struct fold_page *p, struct html *html,
    const struct fold *f, struct contents *set, bool is_ordered);
void fold_page_clear(struct fold_page *p);

/*
 * Do a part of the work, so that a run stays awake. Returns whether there is
 * more to do.
 */
bool fold_page_step(struct fold_page *p);
bool fold_page_is_done(const struct fold_page *p);

#endif
