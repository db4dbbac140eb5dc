/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "worker/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "util/fdio.h"
#include "util/log.h"
#include "util/xalloc.h"

#define BUFFER_BYTES (256u * 1024)
/* Hashed before others have their turn: some tens of milliseconds. */
#define SLICE_BYTES (32u << 20)

struct disk_job {
	uv_work_t work;
	int fd;
	int error;
	bool is_over;
	atomic_bool is_abandoned; /* set by the loop, read by the thread */
	EVP_MD_CTX *md;		  /* NULL: fsync */
	uint64_t offset, length;
	uint8_t sha256[DISK_SHA256_BYTES];
	disk_done done;
	void *ctx;
};

static void
job_free(struct disk_job *job)
{
	fd_close(&job->fd);
	EVP_MD_CTX_free(job->md);
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
	if (EVP_DigestUpdate(job->md, buffer, (size_t)n) != 1) {
		job->error = EIO;
		return -1;
	}
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
	if (job->offset == job->length &&
	    EVP_DigestFinal_ex(job->md, job->sha256, NULL) != 1)
		job->error = EIO;
	job->is_over = job->error != 0 || job->offset == job->length;
}

static void
job_work(uv_work_t *work)
{
	struct disk_job *job = work->data;
	int rc;

	if (job->error != 0 || atomic_load(&job->is_abandoned)) {
		job->is_over = true;
		return;
	}
	if (job->md != NULL) {
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

static void job_worked(uv_work_t *work, int status);

static void
job_queue(uv_loop_t *loop, struct disk_job *job)
{
	/* It fails only without a function to call. */
	if (uv_queue_work(loop, &job->work, job_work, job_worked) != 0)
		fatal("cannot queue work on a file");
}

static void
job_worked(uv_work_t *work, int status)
{
	struct disk_job *job = work->data;

	(void)status; /* nobody cancels it */
	if (atomic_load(&job->is_abandoned)) {
		job_free(job);
		return;
	}
	if (!job->is_over) {
		job_queue(work->loop, job);
		return;
	}
	fd_close(&job->fd);
	job->done(job->ctx, job->error,
	    job->md != NULL && job->error == 0 ? job->sha256 : NULL);
	job_free(job);
}

static struct disk_job *
job_new(int fd, disk_done done, void *ctx)
{
	struct disk_job *job = xcalloc(1, sizeof(*job));

	job->work.data = job;
	job->done = done;
	job->ctx = ctx;
	job->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (job->fd == -1)
		job->error = errno;
	return job;
}

struct disk_job *
disk_fsync(uv_loop_t *loop, int fd, disk_done done, void *ctx)
{
	struct disk_job *job = job_new(fd, done, ctx);

	job_queue(loop, job);
	return job;
}

struct disk_job *
disk_hash(uv_loop_t *loop, int fd, uint64_t length, disk_done done, void *ctx)
{
	struct disk_job *job = job_new(fd, done, ctx);

	job->length = length;
	job->md = EVP_MD_CTX_new();
	if (job->md == NULL ||
	    EVP_DigestInit_ex(job->md, EVP_sha256(), NULL) != 1)
		fatal("cannot compute SHA-256");
	job_queue(loop, job);
	return job;
}

void
disk_abandon(struct disk_job *job)
{
	if (job != NULL)
		atomic_store(&job->is_abandoned, true);
}
