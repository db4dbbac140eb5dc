/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "control/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/identity.h"
#include "control/key_type.h"
#include "control/signer.h"
#include "report/ending.h"
#include "util/clock.h"
#include "util/human.h"
#include "util/log.h"

#define WHY_SIZE 1024

static const char *
host_name(const struct run *run, uint32_t job)
{
	return run->plan->hosts[job].name;
}

/* Since this attempt began. */
static unsigned
attempt_ms(const struct run *run, uint32_t job)
{
	return (unsigned)(clock_now_ms() - run->notes[job].attempt_ms);
}

/* All are alike: told of the first one. */
void
trace_ready(const struct run *run, uint32_t i, const char *missing)
{
	if (i == 0 && !run->config.has_sandbox)
		log_event(LOG_HOSTS, "worker 0", "sandbox", "off");
	else if (i == 0 && missing[0] != '\0')
		log_event(LOG_HOSTS, "worker 0", "sandbox",
		    "this system lacks %s", missing);
}

void
trace_begin(const struct run *run, uint32_t job, uint32_t i)
{
	const struct host *host = &run->plan->hosts[job];
	unsigned attempt = ledger_assignments(run->ledger, job);
	char nth[32] = "";

	if (attempt > 1)
		snprintf(nth, sizeof(nth), ", attempt %u", attempt);
	log_event(LOG_HOSTS, host->name, "begin", "%s port %u as %s%s",
	    host->address, host->port, host->user, nth);
	log_event(LOG_INSIDE, host->name, "scheduler",
	    "given to worker %u; %u in flight, %u to come", i,
	    ledger_in_flight(run->ledger), ledger_idle(run->ledger));
}

void
trace_hostkey(const struct run *run, uint32_t job,
    const struct msg_hostkey *msg, const struct msg_verdict *verdict)
{
	const char *name = host_name(run, job);
	const char *type;
	char *fingerprint;

	if (!log_has(LOG_STAGES))
		return;
	log_event(LOG_STAGES, name, "connect",
	    "connected to %s, keys exchanged (%u ms)", msg->peer,
	    attempt_ms(run, job));
	fingerprint = key_fingerprint(msg->key.data, msg->key.len);
	type = key_type_label(key_type_of_blob(msg->key.data, msg->key.len));
	switch ((enum verdict)verdict->verdict) {
	case VERDICT_ACCEPTED: /* the text may be a password */
		log_event(LOG_STAGES, name, "hostkey", "%s key %s accepted",
		    type, fingerprint);
		break;
	case VERDICT_REFUSED:
		log_event(LOG_STAGES, name, "hostkey", "%s key %s refused: %s",
		    type, fingerprint, verdict->text);
		break;
	case VERDICT_RETRY:
		log_event(LOG_STAGES, name, "hostkey",
		    "%s key %s is not known; connects again for %s", type,
		    fingerprint, verdict->text);
		break;
	}
	free(fingerprint);
}

/* The key of that index, as the job's worker counts them; or NULL. */
static const struct identity *
job_key(const struct run *run, uint32_t job, uint32_t key)
{
	struct identity *const *ids;
	size_t count;

	count = signer_identities(
	    run->signer, run->plan->hosts[job].identity_file, &ids);
	return key < count ? ids[key] : NULL;
}

/* Where the key comes from that the job was last signed with. */
static const char *
key_source(const struct run *run, uint32_t job)
{
	const struct identity *id = job_key(run, job, run->notes[job].key);

	return id != NULL ? id->source : "";
}

void
trace_sign(const struct run *run, uint32_t job)
{
	if (log_has(LOG_STAGES))
		log_event(LOG_STAGES, host_name(run, job), "auth",
		    "the server takes the key %s; signing",
		    key_source(run, job));
}

void
trace_auth_refused(
    const struct run *run, uint32_t job, const struct msg_auth_refused *msg)
{
	const struct identity *id = NULL;

	if (!log_has(LOG_STAGES))
		return;
	if (strcmp(msg->method, AUTH_PUBLICKEY) == 0)
		id = job_key(run, job, msg->key);
	if (id != NULL)
		log_event(LOG_STAGES, host_name(run, job), "auth",
		    "the server refuses the %s %s (%s)",
		    msg->is_signed != 0 ? "signature with" : "key", id->source,
		    id->algorithm);
	else
		log_event(LOG_STAGES, host_name(run, job), "auth",
		    "the server refuses the method %.40s", msg->method);
}

void
trace_authenticated(const struct run *run, uint32_t job, const char *method)
{
	bool has_key =
	    run->notes[job].next_key > 0 && strcmp(method, AUTH_PUBLICKEY) == 0;

	log_event(LOG_STAGES, host_name(run, job), "auth",
	    "logged in as %s by %.40s%s%s (%u ms)", run->plan->hosts[job].user,
	    method, has_key ? " with " : "",
	    has_key ? key_source(run, job) : "", attempt_ms(run, job));
}

void
trace_started(const struct run *run, uint32_t job)
{
	log_event(LOG_STAGES, host_name(run, job),
	    run_is_transfer(run) ? "transfer" : "command", "sent (%u ms)",
	    attempt_ms(run, job));
}

/* "unreachable connect, Connection refused". */
static void
describe(const struct record *r, char *text, size_t size)
{
	const char *stage = ending_stage(r->status, r->stage);

	snprintf(text, size, "%s%s%s%s%s", status_name(r->status),
	    stage[0] != '\0' ? " " : "", stage,
	    r->message[0] != '\0' ? ", " : "", r->message);
}

void
trace_retry(const struct record *record)
{
	char why[WHY_SIZE];

	if (!log_has(LOG_HOSTS))
		return;
	describe(record, why, sizeof(why));
	log_event(LOG_HOSTS, record->host, "retry", "%s; attempt %u follows",
	    why, record->attempts + 1);
}

void
trace_end(const struct record *record)
{
	char why[WHY_SIZE], took[HUMAN_SIZE];

	if (!log_has(LOG_HOSTS))
		return;
	describe(record, why, sizeof(why));
	human_duration(took, sizeof(took), record->cost_ms);
	log_event(LOG_HOSTS, record->host, "end", "%s (%s)", why, took);
	log_event(LOG_STAGES, record->host, "end",
	    "%u attempt%s, login %u ms, %" PRIu64 " and %" PRIu64
	    " bytes of output",
	    record->attempts, record->attempts == 1 ? "" : "s",
	    record->connect_ms + record->auth_ms, record->stdout_bytes,
	    record->stderr_bytes);
}
