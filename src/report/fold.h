/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fold: equal output once, under the folded names of its hosts and their
 * count, as clush -b prints it, what went to stderr on stderr:
 *
 *   ---------------
 *   web[01-03] (3)
 *   ---------------
 *   text
 *   ---------------
 *   web04: failed, exit 3
 *   ---------------
 *   other text
 *   ---------------
 *   web05: unreachable connect, Connection refused
 *   web[06-09] (4): ok, no output
 *
 * Hosts that sent nothing at all have no text: below one rule a line says how
 * they ended, at the end of stdout. That they are ok is said only if there is
 * something else to say.
 *
 * If texts are compared, a host that is ok and has nothing on stdout has a
 * text, the empty one.
 */
#ifndef REPORT_FOLD_H
#define REPORT_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/capture.h"
#include "report/normalize.h"
#include "report/report.h"
#include "report/sink.h"

struct fold;
struct groups;

struct fold_options {
	bool is_ordered; /* groups in the order of selection */
	/*
	 * Instead of its text a group has the unified diff from that of a host,
	 * or from that of the largest group.
	 */
	bool has_diff;
	const char *diff_host; /* NULL: the largest group */
	struct normalizer *normalizer;
};

/* All but the options are kept and stay owned by the caller. */
struct fold *fold_new(size_t hosts, const struct fold_options *options,
    struct contents *set, struct sink *out, struct sink *err);
/* NULL is fine. */
void fold_free(struct fold *f);

/* Each host once. It shares the outputs. */
void fold_add(
    struct fold *f, const struct record *record, const struct outputs *outputs);

/*
 * After all hosts: do a part of the work. Returns false if nothing can be done
 * before stdout has taken what it was given, or because all is done.
 */
bool fold_step(struct fold *f);
bool fold_is_done(const struct fold *f);
/* Nothing more of it is printed. */
void fold_cut(struct fold *f);

/*
 * The groups of all hosts for stream (1 or 2), none of them compared, to be
 * found with groups_step(). The caller frees them before f.
 */
struct groups *fold_groups(const struct fold *f, int stream);
/* How many bytes a host sent, more than are kept perhaps. */
uint64_t fold_sent(const struct fold *f, uint32_t host, int stream);

#endif
