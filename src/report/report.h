/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * report: all that a user sees of a run. Control hands it the hosts' output
 * and one record a host; it prints lines live, or folded at the end, or
 * records, shows on a terminal how far the run is, writes the records, the
 * output, the page and the metrics to files, and sums up at the end.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/advice.h"
#include "report/normalize.h"
#include "report/sink.h"
#include "util/error.h"
#include "wire/outcome.h"

/*
 * One host's result: the same for every tool. Strings belong to the caller;
 * host and groups stay valid as long as the report.
 */
struct record {
	uint32_t seq;	/* place in the selection, from 0 */
	uint32_t hosts; /* of the selection */
	const char *host;
	const char *address; /* numeric, "" if never connected */
	const char *groups;
	enum status status;
	enum stage stage;
	bool has_exit_code;
	uint32_t exit_code;
	const char *signal;	     /* "" if none */
	const char *message;	     /* untrusted text; "" if ok */
	const struct advice *advice; /* NULL: none */
	unsigned attempts;
	uint64_t started_at_ms; /* wall clock; 0: never started */
	uint64_t cost_ms;
	uint64_t retry_ms; /* of these, until the last attempt began */
	bool is_connected; /* connect_ms is known */
	uint32_t connect_ms;
	bool is_authenticated; /* auth_ms is known */
	uint32_t auth_ms;
	uint64_t stdout_bytes;
	uint64_t stderr_bytes;
	bool is_transfer;   /* then: */
	uint64_t bytes;	    /* of contents, confirmed */
	uint64_t files;	    /* transferred, or found unchanged */
	uint64_t unchanged; /* of these */
	const char *sha256; /* hex, of one file alone; "" if not known */
};

/* A host in flight. */
struct running_host {
	const char *name;
	enum stage stage;
	uint64_t began_ms; /* its present attempt; clock_now_ms() */
};

#define RUNNING_OLDEST 5u

/* How far a run is, besides its records. */
struct running {
	uint32_t queued; /* neither in flight nor ended */
	uint32_t in_flight;
	uint32_t workers;
	uint64_t retries; /* attempts beyond a host's first */
	struct running_host oldest[RUNNING_OLDEST]; /* in flight, by start */
	size_t oldest_count;
};

/* What is run, in the words of the user, for the page and the metrics. */
struct run_words {
	const char *program; /* its name */
	const char *task;    /* "df -h", "put app.tar to /opt/" */
	const char *choice;  /* of hosts: "-g web,db -x web03" */
};

/* PROGRESS_AUTO: if stderr is a terminal, and not if is_quiet. */
enum progress_mode { PROGRESS_AUTO, PROGRESS_ALWAYS, PROGRESS_NEVER };

struct report_options {
	bool has_live;	 /* print output lines */
	bool has_prefix; /* tag them */
	bool has_json;	 /* print records */
	bool has_fold;	 /* print equal output once, at the end */
	bool is_ordered; /* all of that in the order of selection */
	bool has_diff;	 /* of the fold, see struct fold_options */
	const char *diff_host;
	struct normalizer *normalizer; /* of the fold and the page; else NULL */
	size_t capture_bytes;	       /* of a stream that a record carries */
	bool is_quiet;		       /* no summary if all is well */
	bool is_verbose;	       /* latencies in the summary */
	bool is_largest_exit; /* exit with the largest remote exit status */
	enum color_mode color;
	enum progress_mode progress;
	bool is_transfer;
	uint64_t host_bytes; /* that each host is to transfer; 0: not known */
	const char *report_path;  /* NULL: none */
	const char *html_path;	  /* of the page; NULL: none */
	const char *outdir;	  /* NULL: none */
	const char *metrics_path; /* NULL: none */
	struct run_words words;
	size_t fanout;		/* bounds the memory for unfinished lines */
	uint64_t seed;		/* of the order, for the summary; 0: none */
	const char *again;	/* the command for those that failed, or NULL */
	bool again_needs_input; /* which is gone: a pipe, stdin */
};

struct report;

/*
 * hosts: how many there are. Opens the files, begins the page and writes the
 * first metrics; NULL with err if one can't be done. In any case the
 * normalizer is the report's from then on.
 */
struct report *report_new(
    size_t hosts, const struct report_options *options, struct error *err);
void report_free(struct report *r);

void report_output(struct report *r, uint32_t seq, const char *host, int stream,
    const uint8_t *data, size_t len);
/*
 * A host in flight has transferred so many bytes of total (0: not known),
 * counted from the start of its present attempt.
 */
void report_progress(
    struct report *r, uint32_t seq, uint64_t bytes, uint64_t total);
/* While the user is asked something, no progress is shown. */
void report_hold(struct report *r, bool is_held);
/*
 * Take the progress off the terminal, now; the next report_flush() may show it
 * again.
 */
void report_clear(struct report *r);
/* How far the run is; to be told before report_flush() and report_end(). */
void report_running(struct report *r, const struct running *running);
/* Print on stderr how far the run is. */
void report_state(struct report *r);
/* The host's one record. Its strings are copied where needed. */
void report_record(struct report *r, const struct record *record);

/*
 * Whether the hosts' output has anywhere to go. Returns 0, or -1 with err if
 * stdout was closed when the program was started.
 */
int report_can_print(const struct report *r, struct error *err);

/*
 * The run begins, nothing keeps it from that any more: drop the report of an
 * earlier one. Returns 0, or -1 with err.
 */
int report_begin(struct report *r, struct error *err);

/*
 * Bytes that stdout and stderr have not taken yet; not 0 as long as more is
 * ready for them.
 */
size_t report_backlog(const struct report *r);
/* Write what can be written now, and the metrics when it is time. */
void report_flush(struct report *r);
/* When report_flush() is to be called at the latest; UINT64_MAX: never. */
uint64_t report_due_ms(const struct report *r);
/* For poll(2): fills fds (room for 2); events say what is waited for. */
size_t report_poll(const struct report *r, struct pollfd *fds);

/*
 * After poll(2) and report_flush(): 0, or the exit status of a run that can't
 * show or keep output any more, with *why: EXIT_BROKEN_PIPE if the reader of
 * stdout is gone, EXIT_LOCAL after any other failure (a message was printed).
 */
int report_broken(struct report *r, const struct pollfd *fds, const char **why);

/*
 * No more of the fold is printed, begun or not; if it was begun, what stdout
 * and stderr have not taken is dropped, too. If all hosts have ended, the page
 * gets no more outputs.
 */
void report_cut(struct report *r);
/* From now on no reader is waited for that takes nothing. */
void report_abandon(struct report *r);

/*
 * The run has ended, no record follows: put the page in its place; to be called
 * before report_end(). Without this there is no page. Outputs that
 * report_flush() did not come to are added for a second at most, and not after
 * report_cut() has ended them; a page that lacks some says so.
 */
void report_page(struct report *r);

/*
 * No record follows: write the last metrics. stop_status is the exit status of
 * a run that was stopped or could not begin, else 0. Returns the exit status
 * of the run: this one, or what the records amount to.
 */
int report_end(struct report *r, int stop_status);

/*
 * Wait until all is written, then print the summary, if it is wanted, and how
 * many records the report lacks, if any.
 */
void report_finish(struct report *r, bool has_summary);

#endif
