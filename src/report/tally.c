/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/tally.h"

void
tally_add(struct tally *t, const struct record *r)
{
	t->ended++;
	t->counts[r->status]++;
	t->begun[r->status] += outcome_may_have_run(r->status, r->stage);
	t->stdout_bytes += r->stdout_bytes;
	t->stderr_bytes += r->stderr_bytes;
	t->has_transfers = t->has_transfers || r->is_transfer;
	t->bytes += r->bytes;
	t->files += r->files;
	t->unchanged += r->unchanged;
	if (r->is_connected)
		histogram_add(&t->latencies[LATENCY_CONNECT], r->connect_ms);
	if (r->is_authenticated)
		histogram_add(&t->latencies[LATENCY_AUTH], r->auth_ms);
	if (r->started_at_ms > 0)
		histogram_add(&t->latencies[LATENCY_TOTAL], r->cost_ms);
}

uint64_t
tally_failed(const struct tally *t)
{
	return t->ended - t->counts[STATUS_OK];
}
