/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * progress: how far the run is, as one or two lines at the end of stderr:
 *
 *   [#######            ] 35/100 done, 2 failed, 55 running, 10 waiting  12/s
 *   1.2 GB of 2.0 GB (60 %)  slowest: web07 0:12, db03 0:09
 *
 * The second one is there if there is something to say: bytes of transfers,
 * hosts in flight for a second or longer. None is ever as wide as the
 * terminal; what does not fit is left out.
 *
 * The cursor rests at the start of the first line. So whatever a terminal
 * makes of them when its size changes, all from there on is ours to erase.
 *
 * The lines go through the same queue as all that goes to stderr, and only
 * when that is empty, so they never block and never mix with others: whoever
 * is about to print something hides them first; they come back when that is
 * out and it is time.
 */
#ifndef REPORT_PROGRESS_H
#define REPORT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "report/headway.h"
#include "report/sink.h"

struct progress;

/* headway is shown on sink, which is stderr's. Both are kept. */
struct progress *progress_new(
    struct sink *sink, const struct headway *headway, uint64_t now_ms);
/* What is shown stays: hide it first. NULL is fine, here and below. */
void progress_free(struct progress *p);

/* What erases it, wherever it stands; then the cursor is there. */
#define PROGRESS_ERASE "\r\033[J"

/* Erase it; it is out with the next flush of the sink. */
void progress_hide(struct progress *p);
/*
 * Draw it if it is time, and if nothing else waits to be printed: is_free says
 * so of what shares the terminal with sink. In the background nothing is
 * drawn.
 */
void progress_show(struct progress *p, bool is_free, uint64_t now_ms);

/*
 * Whether it is on the screen, but for lines that have just erased it; false if
 * p is NULL.
 */
bool progress_is_shown(const struct progress *p);
/* When it is to be drawn; UINT64_MAX if p is NULL. */
uint64_t progress_due_ms(const struct progress *p);
/*
 * Whether lines that would erase it had better wait until it is due: so that
 * it does not flicker, and is drawn no more often than it may be. When no host
 * is to come they need not.
 */
bool progress_gathers(const struct progress *p, uint64_t now_ms);

#endif
