/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plan: what a run is to do, complete and checked, before it begins. */
#ifndef CONTROL_PLAN_H
#define CONTROL_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/host_keys.h"
#include "control/scheduler.h"
#include "control/signer.h"
#include "inventory/inventory.h"
#include "report/report.h"
#include "wire/frame.h"

/* Nothing in it is owned; all must outlive control_run(). */
struct plan {
	struct host *hosts; /* passwords are in host->password by now */
	uint32_t host_count;
	uint32_t fanout;  /* hosts in flight over all workers */
	uint32_t workers; /* at most fanout; 0: as many as are of use */
	struct schedule schedule;
	/*
	 * What to do: the task and all that belongs to it. Slots, credit,
	 * window and files at once are filled in by control_run().
	 */
	struct msg_config config;
	int input_fd;	    /* what config.has_input is about, or -1 */
	bool has_temporary; /* workers have a TMPDIR that is not ours */
	/*
	 * get: the local directory; what is each host's own below it, or NULL
	 * if that is its name
	 */
	const char *local;
	char *const *local_paths;
	uint64_t rate_limit; /* transfers: bytes a second in all; 0: none */
	struct host_keys *host_keys;
	bool has_accept_new;
	bool can_prompt;   /* there is a terminal for passphrases */
	bool has_identity; /* the hosts' key file is that of -identity */
	struct report *report;
};

#endif
