/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * turns: what waits until stdout has room for it, or, if hosts are shown in
 * the order of their selection, until all hosts before have been.
 */
#ifndef REPORT_TURNS_H
#define REPORT_TURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/capture.h"
#include "report/report.h"

struct turns;

/* A host that is over. */
struct ended {
	struct record record;
	struct outputs outputs;
	char *strings[4]; /* of the record, our own */
};

/* In the order of selection, or else in that of turns_end(). */
struct turns *turns_new(
    size_t hosts, bool is_ordered, struct store *s, struct contents *set);
void turns_free(struct turns *t);

/*
 * Whether what a running host sends may be shown at once: it is its turn, and
 * nothing of it is held. Always so if there is no order.
 */
bool turns_is_now(const struct turns *t, size_t host);
/* Hold it. name stays valid. */
void turns_hold(struct turns *t, size_t host, const char *name, int stream,
    const uint8_t *data, size_t len);
/* The host is over. Copies the record, takes over the outputs. */
void turns_end(struct turns *t, const struct record *record,
    const struct outputs *outputs);

/* Whether turns_held() or turns_next() have something. */
bool turns_has_more(const struct turns *t);
/*
 * Bytes that are held of the host whose turn it is: takes up to size of one
 * stream and returns how many, 0 if there are none.
 */
size_t turns_held(struct turns *t, size_t *host, const char **name, int *stream,
    uint8_t *data, size_t size);
/*
 * The host whose turn it is, if it is over and nothing of it is held; else
 * NULL. It is then the next one's turn; release it with ended_free().
 */
struct ended *turns_next(struct turns *t);
void ended_free(struct contents *set, struct ended *e);

#endif
