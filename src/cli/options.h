/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * options: command lines by table. One row an option gives its parsing, its
 * place in --help and in the completion. One dash or two, a value behind "="
 * or a blank, unambiguous abbreviations, as getopt_long_only(3).
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "util/buf.h"
#include "util/error.h"

enum option_kind {
	OPTION_FLAG,	 /* bool: set */
	OPTION_STRING,	 /* const char *: the last one given */
	OPTION_NUMBER,	 /* uint32_t: from least to most */
	OPTION_DURATION, /* uint32_t: milliseconds */
	OPTION_SIZE,	 /* uint64_t: bytes, "10M" is 10 << 20; from least */
	OPTION_WORD,	 /* unsigned: index in words */
	OPTION_SETTING,	 /* const char *: a value of the setting in tag */
	OPTION_LIST,	 /* struct option_list: every one, in order */
};

/* Values of OPTION_LIST rows; several rows may fill one list. */
struct option_value {
	int tag; /* the row's: which option it was */
	const char *text;
};

struct option_list {
	struct option_value *values;
	size_t count;
};

struct option_row {
	const char *names;    /* "f,fanout": without dash, all the same */
	const char *argument; /* its name in --help; NULL for flags */
	enum option_kind kind;
	size_t offset;	     /* of the value in the table's target */
	const char *help;    /* one line */
	const char *heading; /* of the first row of a section, else NULL */
	uint32_t least, most;
	const char *words; /* of OPTION_WORD, "|" between */
	int tag;	   /* of OPTION_LIST */
	/*
	 * OPTION_LIST: the words up to the next option are values, too, since
	 * that is what a shell makes of a glob.
	 */
	bool takes_more;
	bool is_replaced; /* by others in options_again() */
	/* OPTION_STRING: without a value, before an option or the end, "". */
	bool is_optional;
};

/* Rows, ended by one whose names are NULL, and the struct they fill. */
struct option_table {
	const struct option_row *rows;
	void *target;
};

/*
 * Parse argv into the targets of the tables, which hold the defaults; a table
 * whose rows are NULL ends them. *operand is set to the index of the first
 * argument that is neither option nor value (those may follow only "--";
 * another one is an error), argc if none. Returns 0, or -1 with err.
 */
int options_parse(const struct option_table *tables, int argc, char **argv,
    int *operand, struct error *err);

/*
 * Append argv, which options_parse() has taken, as a shell reads it, with more
 * (words quoted already) instead of the options whose rows say so.
 */
void options_again(const struct option_table *tables, int argc, char **argv,
    const char *more, struct buf *out);

/* Free the lists in the targets. */
void options_clear(const struct option_table *tables);

/* The options, one a line under their headings. */
void options_help(const struct option_table *tables, FILE *out);

#endif
