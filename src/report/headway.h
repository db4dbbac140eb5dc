/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * headway: how far a run is and how fast, in numbers, and in words for who
 * asks. What is shown of it all the time is for progress.c to say.
 */
#ifndef REPORT_HEADWAY_H
#define REPORT_HEADWAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/meter.h"
#include "report/report.h"
#include "report/tally.h"
#include "util/buf.h"
#include "util/human.h"

/* Of a host that has not ended; what it took at last is in the tally. */
struct headway_host {
	uint64_t bytes, total;
};

struct headway {
	uint64_t began_ms;
	size_t count;		   /* of hosts */
	const struct tally *tally; /* those of them that have ended */
	struct running running;	   /* the others */
	struct meter host_meter;
	/* of transfers */
	struct headway_host *hosts; /* NULL: nothing is transferred */
	size_t sized;		    /* hosts whose total is, or was, known */
	uint64_t bytes, total;	    /* sums of hosts */
	struct meter byte_meter;
};

/*
 * tally, of a run that begins, is kept. hosts: how many; host_bytes: what each
 * of them is to transfer, 0 if that is not known.
 */
void headway_init(struct headway *h, const struct tally *tally, size_t hosts,
    bool is_transfer, uint64_t host_bytes, uint64_t now_ms);
void headway_clear(struct headway *h);

/* See report_progress(); only of transfers. */
void headway_bytes(
    struct headway *h, uint32_t seq, uint64_t bytes, uint64_t total);
/* The tally has this host's record. */
void headway_ended(struct headway *h, uint32_t seq);
/* Take note of the time, about ten times a second or more often. */
void headway_look(struct headway *h, uint64_t now_ms);

/* Of bytes if the sum of all totals is known, else of hosts: 0 to 1. */
double headway_part(const struct headway *h);
/*
 * "12/s" of hosts, "0.8/s", below 0.1 "5/min"; "320 MB/s" of transfers; "" for
 * none.
 */
void headway_rate(
    const struct headway *h, uint64_t now_ms, char text[HUMAN_SIZE]);
/*
 * "0:03", or "" if there is nothing to go by, or a thousand hours are too few.
 * Of transfers it follows from the bytes. Of commands, what was at first in
 * flight must have ended; and once no host is queued any more, those left are
 * the slow ones, and nothing is known.
 */
void headway_eta(
    const struct headway *h, uint64_t now_ms, char text[HUMAN_SIZE]);
/* Append "1.2 GB of 2.0 GB (60 %)". Only of transfers. */
void headway_put_bytes(const struct headway *h, struct buf *out);

/*
 * Append all of it as lines:
 *
 *   100 hosts: 43 done, 2 failed, 55 running, 2 waiting (12.3 s, 3.5/s)
 *   slowest: web07 command 12.1 s, db03 connect 9.0 s
 */
void headway_print(const struct headway *h, uint64_t now_ms, struct buf *out);

#endif
