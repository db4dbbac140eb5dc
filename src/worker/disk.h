/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * disk: slow work on local files, done by threads so that the loop does not
 * wait for a disk. A job owns a duplicate of the descriptor and lives
 * until its thread has let go of it, whatever becomes of who asked for it.
 *
 * getaddrinfo() runs on the same few threads: a hash is therefore computed in
 * slices, between which others have their turn.
 */
#ifndef WORKER_DISK_H
#define WORKER_DISK_H

#include <stdint.h>

#include "util/digest.h"
#include "worker/threads.h"

struct disk_job;

/*
 * error: 0 or an errno. sha256: DIGEST_BYTES of a hash that was computed,
 * valid during the call, else NULL. The job is gone when this is called.
 */
typedef void (*disk_done)(void *ctx, int error, const uint8_t *sha256);

/*
 * Both return a job whose done will be called once, from the loop and never
 * before they return; also if fd cannot be duplicated (EMFILE). fd may be
 * closed at once.
 */

/* fsync(2). */
struct disk_job *disk_fsync(
    struct threads *threads, int fd, disk_done done, void *ctx);

/*
 * SHA-256 of the first length bytes; the file's offset is not moved. ENODATA
 * if the file is shorter.
 */
struct disk_job *disk_hash(struct threads *threads, int fd, uint64_t length,
    disk_done done, void *ctx);

/*
 * done will not be called; the job ends by itself, soon, but for an fsync(2)
 * that has begun. Not for a job whose done was called. NULL is fine.
 */
void disk_abandon(struct disk_job *job);

#endif
