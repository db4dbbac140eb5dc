/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conf: batch.conf, the file of defaults of the options. The format is
 * described in batch.conf(5).
 */
#ifndef CLI_CONF_H
#define CLI_CONF_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/options.h"
#include "util/error.h"

#define CONF_PLACES 2

/* A file that was looked for. */
struct conf_place {
	const char *path;
	bool is_there;
};

/* Starts as all zero. */
struct conf {
	struct option_origins origins;
	/* What values and origins point to. */
	char **texts;
	size_t text_count;
	struct conf_place places[CONF_PLACES];
	size_t place_count;
	const char *named_by; /* what named the file, or none; NULL: nothing */
};

/*
 * Read the file called named, none if that is "none"; or, if named is
 * NULL, that of $BATCH_CONFIG; or else the user's and then the system's, if
 * they are there. Set what has no origin yet, so to be called after
 * options_parse(). Of a file, [batch] and the section called program count,
 * the latter first. A file that others could have written is refused. Returns
 * 0, or -1 with err: "FILE:LINE: [section] key: what is wrong", behind the
 * name of what named the file.
 */
int conf_read(struct conf *c, const struct option_table *tables,
    const char *program, const char *named, struct error *err);

/* The values point into it. */
void conf_clear(struct conf *c);

/*
 * conf_print.c: every option that the file can have, with its value and
 * where that comes from, as a batch.conf that says the same; at its head which
 * files were looked for, and what of the environment counts.
 */
void conf_print(const struct conf *c, const struct option_table *tables,
    const char *program, FILE *out);

#endif
