/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a host does when a connection comes to a stage: wait, or go wrong. */
#include "config.h"

#include "simhost_conn_impl.h"
#include "util/clock.h"

static const struct {
	enum behaviour behaviour;
	enum fault fault;
} faults[] = {
    {B_SILENT, FAULT_SILENT},
    {B_RESET, FAULT_RESET},
    {B_HANGUP, FAULT_HANGUP},
    {B_DISCONNECT, FAULT_DISCONNECT},
};
#define FAULTS (sizeof(faults) / sizeof(faults[0]))

static enum fault
fault_at(const struct host *h, enum stage stage)
{
	size_t i;

	for (i = 0; i < FAULTS; i++) {
		if (host_is(h, faults[i].behaviour, stage))
			return faults[i].fault;
	}
	return FAULT_NONE;
}

bool
stage_has(const struct host *h, enum stage stage)
{
	return host_has(h, B_DELAY + stage) || fault_at(h, stage) != FAULT_NONE;
}

enum stage
stage_of_request(const struct conn *conn, ssh_message message)
{
	int subtype = ssh_message_subtype(message);

	switch (ssh_message_type(message)) {
	case SSH_REQUEST_AUTH:
		return conn->has_begun_auth ? STAGE_COUNT : STAGE_AUTH;
	case SSH_REQUEST_CHANNEL_OPEN:
		return STAGE_CHANNEL;
	case SSH_REQUEST_CHANNEL:
		return subtype == SSH_CHANNEL_REQUEST_EXEC ||
			subtype == SSH_CHANNEL_REQUEST_SUBSYSTEM
		    ? STAGE_EXEC
		    : STAGE_COUNT;
	default:
		return STAGE_COUNT;
	}
}

bool
stage_pass(struct conn *conn, uint64_t *due_ms, enum stage stage)
{
	const struct host *h = conn->host;
	uint64_t now;

	if (host_has(h, B_DELAY + stage)) {
		now = clock_now_ms();
		if (*due_ms == 0)
			*due_ms = now + host_number(h, B_DELAY + stage);
		if (now < *due_ms) {
			conn_wake_at(conn, *due_ms);
			return false;
		}
		*due_ms = 0;
	}
	conn->fault = fault_at(h, stage);
	conn->fault_text = host_has(h, B_SAYS)
	    ? h->values[B_SAYS].text
	    : "This host ends the connection";
	return conn->fault == FAULT_NONE;
}
