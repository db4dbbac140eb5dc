/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/ending.h"

#include <stdlib.h>
#include <string.h>

#include "report/color.h"
#include "util/escape.h"
#include "util/xalloc.h"

#define REASON_SHORT_MAX 120
#define NOTE_MAX_BYTES	 (64u << 10)

void
ending_init(struct ending *e, const struct record *record)
{
	e->status = record->status;
	e->stage = record->stage;
	e->reason = escape_string(
	    record->advice != NULL ? record->advice->reason : record->message);
	if (record->advice == NULL && strlen(e->reason) > REASON_SHORT_MAX)
		e->reason[0] = '\0';
}

void
ending_clear(struct ending *e)
{
	free(e->reason);
	e->reason = NULL;
}

int
ending_compare(const struct ending *a, const struct ending *b)
{
	if (a->status != b->status)
		return a->status < b->status ? -1 : 1;
	if (a->stage != b->stage)
		return a->stage < b->stage ? -1 : 1;
	return strverscmp(a->reason, b->reason);
}

const char *
ending_stage(enum status status, enum stage stage)
{
	const char *name = stage_name(stage);

	/* Not "ok command", "failed command", "transfer transfer". */
	if (status == STATUS_OK || status == STATUS_FAILED ||
	    strcmp(name, status_name(status)) == 0)
		return "";
	return name;
}

void
ending_print(const struct ending *e, bool is_colored, struct buf *out)
{
	const char *stage = ending_stage(e->status, e->stage);

	color_failed(
	    out, is_colored && e->status != STATUS_OK, status_name(e->status));
	if (stage[0] != '\0')
		buf_printf(out, " %s", stage);
	if (e->reason[0] != '\0')
		buf_printf(out, ", %s", e->reason);
}

void
ending_note(const struct record *record, bool is_colored, struct buf *out)
{
	struct ending ending;
	struct buf words;

	ending_init(&ending, record);
	buf_init(&words, NOTE_MAX_BYTES);
	buf_printf(&words, "%s: ", record->host);
	ending_print(&ending, false, &words);
	buf_append(&words, "", 1);
	color_failed(out, is_colored, (const char *)buf_head(&words));
	buf_puts(out, "\n");
	buf_clear(&words);
	ending_clear(&ending);
}
