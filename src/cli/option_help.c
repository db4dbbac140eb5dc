/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The two faces of --help: all options, one a line under their headings; and
 * the common ones, in three columns, and the names of a few more, so that they
 * fit a screen of 80x24.
 */
#include "config.h"

#include "cli/options.h"

#include <string.h>

#define ALL_COLUMN     30
#define HEADING_COLUMN 14
#define COMMON_COLUMN  39

/* "-f, -fanout N". Returns how wide that is. */
static int
help_names(const struct option_row *row, FILE *out)
{
	int width = fprintf(out, "-");
	const char *p;

	for (p = row->names; *p != '\0'; p++)
		width +=
		    *p == ',' ? fprintf(out, ", -") : fprintf(out, "%c", *p);
	if (row->argument != NULL)
		width += fprintf(
		    out, row->is_optional ? " [%s]" : " %s", row->argument);
	return width;
}

static void
help_all(const struct option_row *row, FILE *out)
{
	int width;

	if (row->heading != NULL)
		fprintf(out, "\n%s:\n", row->heading);
	width = fprintf(out, "  ") + help_names(row, out);
	if (width >= ALL_COLUMN)
		width = fprintf(out, "\n") - 1;
	fprintf(out, "%*s%s\n", ALL_COLUMN - width, "", row->help);
}

/* Those that are only named, in a line of their own. */
static void
help_names_only(const struct option_table *tables, FILE *out)
{
	struct option_walk walk = {tables};
	const char *separator = "";

	fprintf(out, "%-*s", HEADING_COLUMN, "And");
	while (option_walk_next(&walk)) {
		if (!walk.row->is_named)
			continue;
		fprintf(out, "%s-%.*s", separator,
		    (int)strcspn(walk.row->names, ","), walk.row->names);
		separator = ", ";
	}
	fputs("; -help-all has all\n", out);
}

static void
help_common(const struct option_row *row, const char *heading, FILE *out)
{
	int width = fprintf(out, "%-*s", HEADING_COLUMN, heading);

	width += help_names(row, out);
	fprintf(out, "%*s%s\n",
	    width < COMMON_COLUMN ? COMMON_COLUMN - width : 1, "", row->help);
}

void
options_help(const struct option_table *tables, bool is_all, FILE *out)
{
	struct option_walk walk = {tables};
	const char *heading = "";

	while (option_walk_next(&walk)) {
		if (walk.row->heading != NULL)
			heading = walk.row->heading;
		if (is_all) {
			help_all(walk.row, out);
		} else if (walk.row->is_common) {
			help_common(walk.row, heading, out);
			heading = ""; /* once is enough */
		}
	}
	if (!is_all)
		help_names_only(tables, out);
}
