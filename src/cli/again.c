/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "cli/again.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/path.h"
#include "util/quote.h"
#include "util/xalloc.h"

/* As much as execve(2) takes at most, quoted. */
#define COMMAND_MAX   ((size_t)64 << 20)
#define NUMBER_DIGITS 9
#define FIRST_AGAIN   2

/*
 * The length of text without the number that ends it ("run.2"), which is put
 * into *number; 1 if there is none.
 */
static size_t
without_number(const char *text, size_t len, uint32_t *number)
{
	size_t at = len;

	*number = FIRST_AGAIN - 1;
	while (at > 0 && isdigit((unsigned char)text[at - 1]))
		at--;
	if (at < 2 || text[at - 1] != '.' || at == len ||
	    len - at > NUMBER_DIGITS || text[at - 2] == '/')
		return len;
	*number = (uint32_t)strtoul(text + at, NULL, 10);
	return at - 1;
}

char *
again_name(const char *path)
{
	const char *base = path_base(path), *dot = strrchr(base, '.');
	const char *end = path + strlen(path), *suffix;
	uint32_t number;
	size_t len;

	/* ".hidden" has no suffix, "run.2" a number. */
	suffix = dot == NULL || dot == base ||
		dot[1 + strspn(dot + 1, "0123456789")] == '\0'
	    ? end
	    : dot;
	len = without_number(path, (size_t)(suffix - path), &number);
	return xasprintf(
	    "%.*s.%" PRIu32 "%s", (int)len, path, number + 1, suffix);
}

/* " -NAME FILE", where there is no such file yet. */
static void
add_file(struct buf *out, const char *name, const char *path)
{
	char *next = again_name(path), *after;

	while (access(next, F_OK) == 0) {
		after = again_name(next);
		free(next);
		next = after;
	}
	buf_printf(out, " -%s ", name);
	quote_path_line(out, next);
	free(next);
}

char *
again_command(const struct option_table *tables, const struct run_options *o,
    int argc, char **argv)
{
	struct buf more, command;

	if (o->report == NULL)
		return NULL;
	buf_init(&more, COMMAND_MAX);
	buf_init(&command, COMMAND_MAX);
	buf_puts(&more, "-rerun ");
	quote_path_line(&more, o->report);
	add_file(&more, "report", o->report);
	if (o->report_html != NULL)
		add_file(&more, "report-html", o->report_html);
	/* Its host need not be among those that run again. */
	if (o->diff != NULL)
		buf_puts(&more, " -diff");
	buf_append(&more, "", 1);
	options_again(
	    tables, argc, argv, (const char *)buf_head(&more), &command);
	buf_clear(&more);
	return buf_take_string(&command);
}
