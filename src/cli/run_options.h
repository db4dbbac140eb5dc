/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_options: the options that every program of a run has. */
#ifndef CLI_RUN_OPTIONS_H
#define CLI_RUN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/options.h"
#include "control/plan.h"

enum output_mode {
	OUTPUT_LIVE,
	OUTPUT_FOLD,
	OUTPUT_LIVE_FOLD,
	OUTPUT_JSON,
	OUTPUT_NONE
};
enum host_key_mode { HOST_KEY_STRICT, HOST_KEY_ACCEPT_NEW };
enum sandbox_mode { SANDBOX_ON, SANDBOX_OFF };

struct run_options {
	struct option_list inventories;
	struct option_list choices; /* tags: enum choice_kind */
	bool list, list_folded;
	const char *user, *port, *identity;
	bool ask_pass;
	struct option_list known_hosts;
	unsigned host_key;	  /* enum host_key_mode */
	uint32_t fanout, workers; /* 0: default */
	uint32_t retries, retry_delay_ms;
	const char *batch, *max_fail; /* NULL: not given */
	uint32_t pause_ms;
	bool confirm, shuffle;
	uint32_t seed;		     /* 0: any */
	uint32_t rate, max_startups; /* 0: no limit */
	uint32_t auth_fail_limit;    /* 0: none */
	const char *connect_timeout, *timeout;
	uint32_t idle_timeout_ms;
	unsigned output; /* enum output_mode */
	bool no_prefix, ordered;
	struct option_list fold_ignore;
	const char *diff; /* a host, ""; NULL: not given */
	uint64_t capture_bytes;
	/* NULL: none */
	const char *report, *report_html, *outdir, *metrics;
	struct option_list rerun; /* a report, or statuses and a report */
	/* not parsed, but made of what is: */
	char *again;	   /* the command for a rerun */
	bool needs_input;  /* its input will be gone */
	struct buf task;   /* what is run, and ... */
	char *choice;	   /* ... where, as the user has typed it */
	unsigned color;	   /* enum color_mode */
	unsigned progress; /* enum progress_mode */
	unsigned sandbox;  /* enum sandbox_mode */
	bool largest_exit, quiet, help, version;
	bool help_all, print_config;
	uint32_t verbose;		      /* enum log_level */
	const char *log;		      /* NULL: stderr */
	const char *config;		      /* NULL: where it is found */
	const struct option_origins *origins; /* of all of these */
};

/*
 * For options_parse(), with a struct run_options as their target: hosts, login
 * and pace; waves; the output; help and the like. What timeout,
 * idle_timeout_ms and largest_exit mean is the program's to say, in rows of its
 * own.
 */
extern const struct option_row run_option_rows[];
extern const struct option_row run_rolling_rows[];
extern const struct option_row run_output_rows[];
extern const struct option_row run_general_rows[];

void run_options_init(struct run_options *o);

/*
 * Whether the value at place, in o or another target of the same tables, comes
 * from the command line. What comes from a file and has no meaning in this call
 * is passed over; what was typed is an error then.
 */
bool run_option_is_typed(const struct run_options *o, const void *place);

struct run_hosts;

/*
 * Ask for or read passwords, read known_hosts, and fill in the parts of plan
 * that come from o and h; what to do is in plan already. tool: the program's
 * name. The caller frees plan->host_keys and plan->report. Returns 0, or -1
 * with err.
 */
int run_plan_fill(struct plan *plan, const struct run_options *o,
    struct run_hosts *h, const char *tool, struct error *err);

#endif
