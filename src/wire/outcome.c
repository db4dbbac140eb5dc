/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "wire/outcome.h"

#include <string.h>

#include "util/exit_status.h"

static const struct {
	const char *name;
	enum exit_status exit_class;
} status_table[STATUS_COUNT] = {
    [STATUS_OK] = {"ok", EXIT_OK},
    [STATUS_FAILED] = {"failed", EXIT_FAILED},
    [STATUS_UNREACHABLE] = {"unreachable", EXIT_INCOMPLETE},
    [STATUS_DENIED] = {"denied", EXIT_DENIED},
    [STATUS_TIMEOUT] = {"timeout", EXIT_INCOMPLETE},
    [STATUS_LOST] = {"lost", EXIT_INCOMPLETE},
    [STATUS_TRANSFER] = {"transfer", EXIT_INCOMPLETE},
    [STATUS_ERROR] = {"error", EXIT_LOCAL},
    [STATUS_CANCELLED] = {"cancelled", EXIT_INCOMPLETE},
    [STATUS_SKIPPED] = {"skipped", EXIT_INCOMPLETE},
};

static const char *const stage_table[STAGE_COUNT] = {
    [STAGE_NONE] = "",
    [STAGE_DNS] = "dns",
    [STAGE_CONNECT] = "connect",
    [STAGE_THROTTLED] = "throttled",
    [STAGE_BANNER] = "banner",
    [STAGE_KEX] = "kex",
    [STAGE_PROTOCOL] = "protocol",
    [STAGE_HOSTKEY] = "hostkey",
    [STAGE_AUTH] = "auth",
    [STAGE_CHANNEL] = "channel",
    [STAGE_COMMAND] = "command",
    [STAGE_IDLE] = "idle",
    [STAGE_TRANSFER] = "transfer",
    [STAGE_LOCAL] = "local",
};

const char *
status_name(enum status status)
{
	return status_table[status].name;
}

enum status
status_from_name(const char *name, size_t len)
{
	unsigned i;

	for (i = 0; i < STATUS_COUNT; i++) {
		if (strlen(status_table[i].name) == len &&
		    memcmp(status_table[i].name, name, len) == 0)
			break;
	}
	return (enum status)i;
}

const char *
stage_name(enum stage stage)
{
	return stage_table[stage];
}

bool
outcome_may_have_run(enum status status, enum stage stage)
{
	return status == STATUS_OK || status == STATUS_FAILED ||
	    status == STATUS_LOST || stage == STAGE_COMMAND ||
	    stage == STAGE_IDLE || stage == STAGE_TRANSFER;
}

int
status_exit_class(enum status status)
{
	return (int)status_table[status].exit_class;
}
