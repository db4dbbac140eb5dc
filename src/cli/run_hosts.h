/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_hosts: the hosts of a run, from inventories, choices and -rerun. */
#ifndef CLI_RUN_HOSTS_H
#define CLI_RUN_HOSTS_H

#include <stdbool.h>

#include "cli/run_options.h"
#include "inventory/inventory.h"
#include "util/error.h"

struct run_hosts {
	struct hostset *names;
	struct host *hosts;   /* as many as names */
	struct error nothing; /* why -rerun leaves no host; else "" */
};

/* Read the inventories that o names, or the default one, into inventory. */
int run_inventory_load(struct inventory *inventory, const struct run_options *o,
    struct error *err);

/*
 * Read the inventories and resolve the choice of hosts. An empty one is an
 * error, but with -rerun, when all that should run again has: then there are
 * no hosts, and nothing is filled. Returns 0, or -1 with err. Release with
 * run_hosts_clear() in any case.
 */
int run_hosts_load(
    struct run_hosts *h, const struct run_options *o, struct error *err);
void run_hosts_clear(struct run_hosts *h);

/* -list and -list-folded: print the choice on stdout, not yet flushed. */
void run_hosts_list(const struct run_hosts *h, bool is_folded);

#endif
