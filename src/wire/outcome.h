/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * outcome: how a host ended. One word a host, the same for every tool, and
 * the exit status of the whole run that follows from them.
 */
#ifndef WIRE_OUTCOME_H
#define WIRE_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum status {
	STATUS_OK,	    /* exit status 0 was received */
	STATUS_FAILED,	    /* exit status not 0, or killed by a signal */
	STATUS_UNREACHABLE, /* no connection; the command did not start */
	STATUS_DENIED,	    /* host key or authentication */
	STATUS_TIMEOUT,	    /* its stage says what took too long */
	STATUS_LOST,	    /* the command may have started; unknown end */
	STATUS_TRANSFER,    /* the far side refused a file */
	STATUS_ERROR,	    /* a fault on this side */
	STATUS_CANCELLED,   /* Ctrl-C */
	STATUS_SKIPPED,	    /* never started */
	STATUS_COUNT
};

/* Where in its life a host was when it ended. */
enum stage {
	STAGE_NONE,
	STAGE_DNS,
	STAGE_CONNECT,
	STAGE_THROTTLED,
	STAGE_BANNER,
	STAGE_KEX,
	STAGE_PROTOCOL,
	STAGE_HOSTKEY,
	STAGE_AUTH,
	STAGE_CHANNEL,
	STAGE_COMMAND,
	STAGE_IDLE,
	STAGE_TRANSFER,
	STAGE_LOCAL,
	STAGE_COUNT
};

/* Lower-case words as in reports and summaries; "" for STAGE_NONE. */
const char *status_name(enum status status);
const char *stage_name(enum stage stage);

/* The status of that name, or STATUS_COUNT. name has len bytes. */
enum status status_from_name(const char *name, size_t len);

/*
 * Whether the command of a host that ended so has run, or may have; of a
 * transfer, whether files may have been written.
 */
bool outcome_may_have_run(enum status status, enum stage stage);

/* The exit status (util/exit_status.h) of a run in which one host ended so. */
int status_exit_class(enum status status);

#endif
