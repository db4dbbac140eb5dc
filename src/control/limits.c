/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "control/limits.h"

#include <sys/resource.h>
#include <unistd.h>

#include "util/log.h"

/* With less neither control nor a worker can do its work. */
#define DESCRIPTORS_LEAST 32u
/* What control has, and needs for a moment to start a worker, but its pipes. */
#define CONTROL_DESCRIPTORS 25u
/* Of each worker. */
#define CONTROL_PIPES 3u
/* stdio, pipes, epoll, eventfd and the like of a worker. */
#define BASE_DESCRIPTORS 20u
/* Each resolver thread may have a socket and a file open. */
#define RESOLVER_THREADS 32u
#define SESSIONS_OF_USE	 32u

/* Credit and windows: see msg_config. Bounds over all workers and hosts. */
#define CREDIT_TOTAL (1u << 20)
#define CREDIT_LEAST (32u << 10)
#define CREDIT_MOST  (256u << 10)
#define WINDOW_TOTAL (8u << 20)
#define WINDOW_LEAST (64u << 10)
#define WINDOW_MOST  (1u << 20)
/* The same for transfers, where throughput is the point. */
#define TRANSFER_WINDOW_TOTAL (64u << 20)
#define TRANSFER_WINDOW_LEAST (256u << 10)
#define TRANSFER_WINDOW_MOST  (4u << 20)
/* Files that a transfer's session has open at once. */
#define FILES_TOTAL 512u
#define FILES_LEAST 2u
#define FILES_MOST  32u
/*
 * A session's socket; a transfer has directories and lists open as well, and
 * for each file it, its directory, and what is done to it off the loop.
 */
#define EXEC_FDS     1u
#define TRANSFER_FDS 6u
#define FILE_FDS     3u

static uint32_t
clamp(uint32_t value, uint32_t least, uint32_t most)
{
	return value < least ? least : value > most ? most : value;
}

/* Raise the soft limit of descriptors to the hard one; returns it. */
static uint32_t
raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return 256;
	if (limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
		getrlimit(RLIMIT_NOFILE, &limit);
	}
	return limit.rlim_cur > UINT32_MAX ? UINT32_MAX
					   : (uint32_t)limit.rlim_cur;
}

/*
 * The sessions that one worker can hold with that many descriptors, each with
 * so many of its own, and with what libuv and the resolver's threads need; at
 * least 1.
 */
static uint32_t
sessions_within(uint32_t descriptors, uint32_t per_session)
{
	uint32_t left = descriptors - BASE_DESCRIPTORS;

	/* A session resolves its name first and has its socket later. */
	left = left > 2 * RESOLVER_THREADS ? left - RESOLVER_THREADS : left / 2;
	return left > per_session ? left / per_session : 1;
}

/* Rounded up. */
static uint32_t
sessions_each(uint32_t fanout, uint32_t workers)
{
	return (fanout + workers - 1) / workers;
}

/*
 * One for each CPU, but none for less than 32 hosts at once: a worker with few
 * sessions wakes up for each single packet.
 */
static uint32_t
useful_workers(enum task task, uint32_t fanout)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	uint32_t wanted = (fanout + SESSIONS_OF_USE - 1) / SESSIONS_OF_USE;

	/* A single transfer keeps a CPU busy. */
	if (task != TASK_EXEC)
		wanted = fanout;
	if (cpus < 1)
		return 1;
	return wanted < (uint32_t)cpus ? wanted : (uint32_t)cpus;
}

/*
 * How many sessions each of the workers can have, and, if they transfer, with
 * how many files open at once.
 */
static uint32_t
fitting_sessions(enum task task, uint32_t descriptors, uint32_t fanout,
    uint32_t workers, uint32_t *files)
{
	uint32_t sessions;

	*files = 0;
	if (task == TASK_EXEC)
		return sessions_within(descriptors, EXEC_FDS);
	*files = clamp(FILES_TOTAL / fanout, FILES_LEAST, FILES_MOST);
	sessions =
	    sessions_within(descriptors, TRANSFER_FDS + FILE_FDS * *files);
	if (sessions >= sessions_each(fanout, workers))
		return sessions;
	/* Rather fewer files than fewer hosts at once. */
	*files = FILES_LEAST;
	return sessions_within(descriptors, TRANSFER_FDS + FILE_FDS * *files);
}

static uint32_t
fitting_window(enum task task, uint32_t fanout)
{
	if (task == TASK_EXEC)
		return clamp(WINDOW_TOTAL / fanout, WINDOW_LEAST, WINDOW_MOST);
	return clamp(TRANSFER_WINDOW_TOTAL / fanout, TRANSFER_WINDOW_LEAST,
	    TRANSFER_WINDOW_MOST);
}

int
limits_configure(const struct plan *plan, struct msg_config *config,
    uint32_t *workers, struct error *err)
{
	enum task task = (enum task)config->task;
	uint32_t fanout = plan->fanout, sessions;
	uint32_t descriptors = raise_descriptors();

	if (descriptors < DESCRIPTORS_LEAST)
		return error_set(err,
		    "\"ulimit -n\" allows %u descriptors; at least %u are "
		    "needed",
		    descriptors, DESCRIPTORS_LEAST);
	if (fanout > plan->host_count)
		fanout = plan->host_count;
	*workers = plan->workers;
	if (*workers == 0)
		*workers = useful_workers(task, fanout);
	if (*workers > fanout)
		*workers = fanout;
	if (*workers > (descriptors - CONTROL_DESCRIPTORS) / CONTROL_PIPES)
		*workers = (descriptors - CONTROL_DESCRIPTORS) / CONTROL_PIPES;
	if (*workers == 0)
		fatal("a run of no hosts");
	sessions = fitting_sessions(
	    task, descriptors, fanout, *workers, &config->files);
	if (sessions_each(fanout, *workers) > sessions) {
		fanout = sessions * *workers;
		log_warn("-fanout %u needs more descriptors than \"ulimit "
			 "-n\" allows: %u hosts at once",
		    plan->fanout, fanout);
	}
	config->slots = sessions_each(fanout, *workers);
	config->credit =
	    clamp(CREDIT_TOTAL / *workers, CREDIT_LEAST, CREDIT_MOST);
	config->channel_window = fitting_window(task, fanout);
	return 0;
}
