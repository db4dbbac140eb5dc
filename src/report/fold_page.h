/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fold_page: the groups of a fold, as the page shows them. */
#ifndef REPORT_FOLD_PAGE_H
#define REPORT_FOLD_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/fold.h"
#include "report/html.h"

/* Bytes of a group's text that the page has. */
#define FOLD_PAGE_TEXT_MOST (64u << 10)

struct fold_page {
	const struct fold *fold;
	struct contents *contents;
	bool is_ordered;
	int stream;	       /* 1 or 2 */
	struct groups *groups; /* of this stream; NULL: not yet */
	const struct group *group, *end;
	size_t room; /* bytes that the page still takes */
	/* the output that was given last */
	char *hosts;
	uint32_t *seqs;
	uint8_t *text;
};

/* f, which has all hosts, and its contents are kept. */
void fold_page_init(struct fold_page *p, const struct fold *f,
    struct contents *set, bool is_ordered);
void fold_page_clear(struct fold_page *p);

/* See struct html_outputs; page is a struct fold_page. */
bool fold_page_next(void *page, struct html_output *o);

#endif
