/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * progress: how far the transfers are, as one line at the end of stderr:
 *
 *   put: 12/200 hosts done, 3 failed, 64 running  1.2 GB of 2.0 GB (60 %)
 *   320 MB/s  ETA 0:03
 *
 * The line goes through the same queue as all that goes to stderr, and only
 * when that is empty, so it never blocks and never mixes with other lines:
 * whoever is about to print something hides it first; it comes back when that
 * is out.
 */
#ifndef REPORT_PROGRESS_H
#define REPORT_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/report.h"
#include "report/sink.h"

struct progress;

/*
 * hosts: how many; host_bytes: what each of them is to transfer, 0 if that is
 * not known. sink is stderr's. All are kept.
 */
struct progress *progress_new(struct sink *sink, const char *verb, size_t hosts,
    uint64_t host_bytes, uint64_t now_ms);
/* What is shown stays: hide it first. NULL is fine, here and below. */
void progress_free(struct progress *p);

void progress_running(struct progress *p, uint32_t count);
void progress_bytes(
    struct progress *p, uint32_t seq, uint64_t bytes, uint64_t total);
void progress_record(struct progress *p, const struct record *record);

/* Erase the line; it is out with the next flush of the sink. */
void progress_hide(struct progress *p);
/*
 * Bring it up to date if it is time; and back, if nothing else waits to be
 * printed: is_free says so of what shares the terminal with sink.
 */
void progress_show(struct progress *p, bool is_free, uint64_t now_ms);

/* When it is to be brought up to date; UINT64_MAX if p is NULL. */
uint64_t progress_due_ms(const struct progress *p);

#endif
