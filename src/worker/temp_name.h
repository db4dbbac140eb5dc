/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * temp_name: the names of temporary files. A temporary stands beside its
 * target until it is renamed onto it, here and on the servers. Its name tells
 * whose it is and for what, so that a later run can go on with it or remove
 * it:
 *
 *	.batch_scp.HHHHHHHH.MMMMMMMM.P.S.NN
 *
 * H is a hash of the target's base name, M.P.S the token of the run
 * (util/run_token.h), NN a sequence number within the worker. All are
 * lower-case hexadecimal. Two base names may share a hash: whoever goes on
 * with a temporary has to compare what it holds.
 */
#ifndef WORKER_TEMP_NAME_H
#define WORKER_TEMP_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/run_token.h"

/* The longest name with its NUL. */
#define TEMP_NAME_SIZE 64
/* A foreign temporary is stale when it was not written to for so long. */
#define TEMP_FOREIGN_STALE_S (24 * 3600)

struct temp_name {
	uint32_t base_hash;
	char token[RUN_TOKEN_SIZE];
	uint32_t seq;
};

/*
 * Write the name of a temporary for the target base, a name without its
 * directory, to buf of size bytes, at least TEMP_NAME_SIZE. token must be
 * valid; fatal() otherwise.
 */
void temp_name_make(
    char *buf, size_t size, const char *base, const char *token, uint32_t seq);

/*
 * Take a name apart, which may come from anywhere. Returns false, with *out
 * undefined, if it is not exactly as temp_name_make() writes names.
 */
bool temp_name_parse(const char *name, struct temp_name *out);

/* Whether it is a temporary of the target base. */
bool temp_name_is_of(const struct temp_name *name, const char *base);

/*
 * Whether nobody will go on with it: its run was on this machine and is over,
 * or was elsewhere and the file's time of modification is more than
 * TEMP_FOREIGN_STALE_S in the past. Times are in seconds since 1970; mtime_s
 * is 0 or less if not known. Never true for the run of the caller.
 */
bool temp_name_is_stale(
    const struct temp_name *name, int64_t mtime_s, int64_t now_s);

#endif
