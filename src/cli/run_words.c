/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "cli/run_words.h"

#include "inventory/select.h"
#include "util/quote.h"
#include "util/xalloc.h"

/* What execve(2) may have handed us, quoted. */
#define WORDS_MAX ((size_t)64 << 20)

void
run_words_list(struct buf *out, const struct option_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++) {
		buf_puts(out, " ");
		quote_shell_line(out, list->values[i].text);
	}
}

void
run_words_choices(struct buf *out, const struct run_options *o, unsigned kinds)
{
	static const char *const names[] = {[CHOICE_HOSTS] = "-h",
	    [CHOICE_GROUPS] = "-g",
	    [CHOICE_EXCLUDE] = "-x",
	    [CHOICE_HOSTFILE] = "-hostfile"};
	const struct option_value *value = o->choices.values;
	const struct option_value *end = value + o->choices.count;

	for (; value < end; value++) {
		if ((kinds & 1u << value->tag) == 0)
			continue;
		if (buf_printf(out, " %s ", names[value->tag]) == -1 ||
		    quote_shell_line(out, value->text) == -1)
			return;
	}
}

char *
run_words_choice(const struct run_options *o)
{
	struct buf words;

	buf_init(&words, WORDS_MAX);
	run_words_choices(&words, o, ~0u);
	if (o->rerun.count > 0) {
		buf_puts(&words, " -rerun");
		run_words_list(&words, &o->rerun);
	}
	/* The blank before the first. */
	buf_consume(&words, buf_len(&words) > 0);
	return buf_take_string(&words);
}
