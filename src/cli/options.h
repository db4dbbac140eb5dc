/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * options: command lines by table. One row an option gives its parsing, its
 * place in --help, in batch.conf and in the completion. One dash or two, a
 * value behind "=" or a blank, unambiguous abbreviations, as
 * getopt_long_only(3).
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
	OPTION_FLAG,	 /* bool: set, or as "=true" and "=false" say */
	OPTION_STRING,	 /* const char *: the last one given */
	OPTION_NUMBER,	 /* uint32_t: from least to most */
	OPTION_DURATION, /* uint32_t: milliseconds */
	OPTION_SIZE,	 /* uint64_t: bytes, "10M" is 10 << 20; from least to
			    most, if that is not 0 */
	OPTION_WORD,	 /* unsigned: index in words */
	OPTION_SETTING,	 /* const char *: a value of the setting in tag */
	OPTION_LIST,	 /* struct option_list: every one, in order */
	OPTION_COUNT,	 /* uint32_t: tag is added, up to most; or as "=NUMBER"
			    and "=false", which is 0, say */
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
	const char *names; /* "f,fanout": without dash, all the same */
	/*
	 * The value's name in --help; NULL for flags. It says how the value is
	 * completed: FILE and DIR, wherever they stand, are local paths, STATUS
	 * in front of them those of a rerun; HOST and HOSTS at the start host
	 * sets, GROUPS names of groups.
	 */
	const char *argument;
	enum option_kind kind;
	size_t offset;	     /* of the value in the table's target */
	const char *help;    /* one line */
	const char *heading; /* of the first row of a section, else NULL */
	uint32_t least, most;
	const char *words; /* of OPTION_WORD, "|" between */
	/* OPTION_WORD: another spelling of one of words, which is not told. */
	struct {
		const char *text, *word;
	} alias;
	/*
	 * OPTION_STRING, OPTION_LIST: whether text will do, so that what is
	 * wrong is told with its place, be it in a file; NULL: all will. A
	 * path must not be empty in any case. Returns 0, or -1 with err.
	 */
	int (*check)(const char *text, struct error *err);
	int tag; /* of OPTION_LIST, OPTION_COUNT */
	/*
	 * OPTION_LIST: the words up to the next option are values, too, since
	 * that is what a shell makes of a glob.
	 */
	bool takes_more;
	/* OPTION_STRING: without a value, before an option or the end, "". */
	bool is_optional;
	/*
	 * What applies where nothing is set, for those to read who ask: a value
	 * of the surroundings (NULL: none; else the caller frees it) with where
	 * it comes from; or a text.
	 */
	char *(*implied)(const char **origin);
	const char *unset;
	bool is_call_only; /* about one call, so not in batch.conf */
	bool is_replaced;  /* by others in options_again() */
	bool is_common;	   /* among those that the short --help explains */
	bool is_named;	   /* among those that it names */
};

/* Rows, ended by one whose names are NULL, and the struct they fill. */
struct option_table {
	const struct option_row *rows;
	void *target;
};

/* A walk over the rows of all tables, begun as {tables}. */
struct option_walk {
	const struct option_table *table;
	const struct option_row *row;
	void *place; /* of the row's value */
};

/* Go to the next row, at first the first. Returns whether there is one. */
bool option_walk_next(struct option_walk *walk);

/* The name that is spelled out, which stands last in the row. */
const char *option_name(const struct option_row *row);

/* Whether a value must follow; those of the others stand behind "=". */
bool option_takes_value(const struct option_row *row);

/* Whether the value is a path on this machine. */
bool option_is_path(const struct option_row *row);

/* Where the values come from that are not the defaults. */
struct option_origin {
	const void *place;
	const char *file; /* NULL: the command line */
	size_t line;
};

struct option_origins {
	struct option_origin *list;
	size_t count;
};

void option_origins_add(
    struct option_origins *origins, const struct option_origin *origin);
/* NULL: the value at place is the default. */
const struct option_origin *option_origins_find(
    const struct option_origins *origins, const void *place);

/*
 * Parse argv into the targets of the tables, which hold the defaults; a table
 * whose rows are NULL ends them. What was given is added to origins. *operand
 * is set to the index of the first argument that is neither option nor value
 * (those may follow only "--"; another one is an error), argc if none. Returns
 * 0, or -1 with err.
 */
int options_parse(const struct option_table *tables, int argc, char **argv,
    struct option_origins *origins, int *operand, struct error *err);

/*
 * Walk to the row of that name, or of the one name that begins so. Returns
 * false if there is none, or more than one.
 */
bool options_find(const struct option_table *tables, const char *name,
    size_t len, struct option_walk *found);

/*
 * Append argv, which options_parse() has taken, as a shell reads it, in one
 * line, with more (words quoted already) instead of the options whose rows say
 * so.
 */
void options_again(const struct option_table *tables, int argc, char **argv,
    const char *more, struct buf *out);

/* Free the lists in the targets. */
void options_clear(const struct option_table *tables);

/* option_help.c: every option under its heading; or the common ones, short. */
void options_help(const struct option_table *tables, bool is_all, FILE *out);

#endif
