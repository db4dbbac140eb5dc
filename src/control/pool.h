/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pool: the worker processes and the pipes to them. It starts, feeds, reads
 * and reaps them, and knows nothing of what the frames mean.
 */
#ifndef CONTROL_POOL_H
#define CONTROL_POOL_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "control/worker_log.h"
#include "util/buf.h"
#include "util/error.h"
#include "wire/frame.h"

struct worker_process {
	pid_t pid;     /* 0: none */
	int job_fd;    /* we write, or -1 */
	int result_fd; /* we read, or -1 */
	struct worker_log log;
	struct buf in, out;
	uint32_t free_slots;
	uint32_t owed; /* credit for output that was printed or dropped */
	uint64_t rate; /* told last, bytes a second; 0: nothing is told yet */
	unsigned silent_ticks; /* since a byte came from it */
	unsigned pings;	       /* that it has not answered */
	bool is_ready;	       /* it has announced itself */
	bool is_used;	       /* it has had a job */
	bool is_deaf;	       /* what it was to be told did not fit */
	bool is_late;	       /* it keeps a job for too long */
	int exit_status;       /* of waitpid(2), once it is reaped */
};

struct pool {
	struct worker_process *workers;
	uint32_t count;
	char *program;	     /* path of batch_worker */
	int input_fd;	     /* handed to every worker, or -1 */
	char *temporary;     /* their TMPDIR, made for them; NULL: ours */
	unsigned lines_told; /* of what workers wrote to stderr */
};

/*
 * Find batch_worker: beside the running program, then in LIBEXECDIR; and make
 * workers a directory for temporary files, which goes with the pool, if they
 * are to have one. input_fd is kept. Returns 0, or -1 with err.
 */
int pool_init(struct pool *p, uint32_t count, int input_fd, bool has_temporary,
    struct error *err);

/* Start worker i and queue its CONFIG frame. Returns 0, or -1 with err. */
int pool_start(struct pool *p, uint32_t i, const struct msg_config *config,
    struct error *err);

/*
 * Queue a frame, if the worker may still read it. One that has not read for so
 * long that nothing more fits is deaf from then on.
 */
void pool_send(struct pool *p, uint32_t i, enum frame_type type, uint32_t job,
    const void *msg);

/* An event of -debug about worker i; a job of -1 is none. */
void pool_trace(uint32_t i, const char *what, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* What pool_poll() has of each worker. */
enum { POOL_RESULTS, POOL_JOBS, POOL_LOG, POOL_FDS };

/* For poll(2): POOL_FDS a worker in fds; returns how many were filled. */
size_t pool_poll(const struct pool *p, struct pollfd *fds);

/*
 * Move bytes as far as the pipes take and have them. A worker that has closed
 * its job pipe is dying, as the end of its result pipe will tell; or it will
 * not answer pings.
 */
void pool_write(struct pool *p, uint32_t i);
/* Returns 0, or -1 at the end of the pipe. */
int pool_read(struct pool *p, uint32_t i);
/* Tell what it wrote to its stderr. */
void pool_read_log(struct pool *p, uint32_t i);

/*
 * Wait until worker i has sent something or its pipe has ended. Returns 0, or
 * -1 if there is no such worker or nothing came until then (clock_now_ms()).
 */
int pool_wait(const struct pool *p, uint32_t i, uint64_t until_ms);

/*
 * Kill the worker, unless it has ended, with what else is in its process group;
 * close the pipes and reap it. Who else holds the pipes is not waited for, nor
 * a worker that the kernel does not let go; what is there of its stderr is
 * told.
 */
void pool_reap(struct pool *p, uint32_t i);

/*
 * Tell all workers to end, by closing their job pipes, give them a second for
 * it, and reap them; and remove their directory for temporary files.
 */
void pool_close(struct pool *p);
/* Send all workers a signal. */
void pool_signal(const struct pool *p, int number);
/* How many workers there are. */
uint32_t pool_workers(const struct pool *p);

void pool_clear(struct pool *p);

#endif
