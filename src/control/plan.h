/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plan: what a run is to do, complete and checked, before it begins. */
#ifndef CONTROL_PLAN_H
#define CONTROL_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/host_keys.h"
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
	uint32_t idle_timeout_ms;
	const char *command;
	struct bytes env; /* as in struct msg_config */
	int stdin_fd;	  /* -1: the commands read end of file */
	uint64_t stdin_bytes;
	struct host_keys *host_keys;
	bool has_accept_new;
	bool can_prompt; /* there is a terminal for passphrases */
	struct report *report;
};

#endif
