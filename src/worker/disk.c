/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "worker/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/fdio.h"
#include "util/xalloc.h"

#define BUFFER_BYTES (256u * 1024)
/* Hashed before others have their turn: some tens of milliseconds. */
#define SLICE_BYTES (32u << 20)

struct disk_job {
	struct thread_job job;
	struct threads *threads;
	int fd;
	int error;
	bool is_over;
	atomic_bool is_abandoned; /* set by the loop, read by the thread */
	struct digest *digest;	  /* NULL: fsync */
	uint64_t offset, length;
	uint8_t sha256[DIGEST_BYTES];
	disk_done done;
	void *ctx;
};

static void
job_free(struct disk_job *job)
{
	fd_close(&job->fd);
	digest_free(job->digest);
	free(job);
}

/* --- on a thread --------------------------------------------------------- */

/* Returns how much was hashed, or -1 with job->error set. */
static ssize_t
hash_some(struct disk_job *job, uint8_t *buffer)
{
	uint64_t left = job->length - job->offset;
	ssize_t n;

	do
		n = pread(job->fd, buffer,
		    left < BUFFER_BYTES ? (size_t)left : BUFFER_BYTES,
		    (off_t)job->offset);
	while (n == -1 && errno == EINTR);
	if (n <= 0) {
		job->error = n == 0 ? ENODATA : errno;
		return -1;
	}
	digest_add(job->digest, buffer, (size_t)n);
	job->offset += (uint64_t)n;
	return n;
}

static void
hash_slice(struct disk_job *job)
{
	uint8_t *buffer = xmalloc(BUFFER_BYTES);
	uint64_t end = job->offset + SLICE_BYTES;

	if (end > job->length)
		end = job->length;
	while (job->offset < end && !atomic_load(&job->is_abandoned)) {
		if (hash_some(job, buffer) == -1)
			break;
	}
	free(buffer);
	if (job->offset == job->length)
		digest_end(job->digest, job->sha256);
	job->is_over = job->error != 0 || job->offset == job->length;
}

static void
disk_work(struct thread_job *thread_job)
{
	struct disk_job *job = thread_job->ctx;
	int rc;

	if (job->error != 0 || atomic_load(&job->is_abandoned)) {
		job->is_over = true;
		return;
	}
	if (job->digest != NULL) {
		hash_slice(job);
		return;
	}
	do
		rc = fsync(job->fd);
	while (rc == -1 && errno == EINTR);
	if (rc == -1)
		job->error = errno;
	job->is_over = true;
}

/* --- on the loop --------------------------------------------------------- */

static void
disk_worked(struct thread_job *thread_job, int error)
{
	struct disk_job *job = thread_job->ctx;

	/* Without threads the loop waits for the disk: better than nothing. */
	if (error != 0)
		disk_work(thread_job);
	if (atomic_load(&job->is_abandoned)) {
		job_free(job);
		return;
	}
	if (!job->is_over) {
		threads_run(job->threads, &job->job);
		return;
	}
	fd_close(&job->fd);
	job->done(job->ctx, job->error,
	    job->digest != NULL && job->error == 0 ? job->sha256 : NULL);
	job_free(job);
}

static struct disk_job *
job_new(struct threads *threads, int fd, disk_done done, void *ctx)
{
	struct disk_job *job = xcalloc(1, sizeof(*job));

	job->job.ctx = job;
	job->job.work = disk_work;
	job->job.done = disk_worked;
	job->threads = threads;
	job->done = done;
	job->ctx = ctx;
	job->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (job->fd == -1)
		job->error = errno;
	return job;
}

struct disk_job *
disk_fsync(struct threads *threads, int fd, disk_done done, void *ctx)
{
	struct disk_job *job = job_new(threads, fd, done, ctx);

	threads_run(threads, &job->job);
	return job;
}

struct disk_job *
disk_hash(
    struct threads *threads, int fd, uint64_t length, disk_done done, void *ctx)
{
	struct disk_job *job = job_new(threads, fd, done, ctx);

	job->length = length;
	job->digest = digest_new();
	threads_run(threads, &job->job);
	return job;
}

void
disk_abandon(struct disk_job *job)
{
	if (job != NULL)
		atomic_store(&job->is_abandoned, true);
}
