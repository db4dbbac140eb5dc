/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/headway.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

/* Of the meters: bytes over the last 5 seconds, hosts over a minute. */
#define BYTES_INTERVAL_MS 250u
#define HOSTS_INTERVAL_MS 3000u
/* The first second is that of connecting. */
#define ETA_AFTER_MS 1000u
/* No time that is further off is told: 1,000 hours. */
#define ETA_MOST_S 3600000

void
headway_init(struct headway *h, const struct tally *tally, size_t hosts,
    bool is_transfer, uint64_t host_bytes, uint64_t now_ms)
{
	size_t i;

	memset(h, 0, sizeof(*h));
	h->began_ms = now_ms;
	h->count = hosts;
	h->tally = tally;
	h->running.queued = (uint32_t)hosts;
	meter_init(&h->host_meter, HOSTS_INTERVAL_MS, now_ms);
	if (!is_transfer)
		return;
	h->hosts = xcalloc(hosts, sizeof(*h->hosts));
	for (i = 0; host_bytes > 0 && i < hosts; i++)
		h->hosts[i].total = host_bytes;
	h->sized = host_bytes > 0 ? hosts : 0;
	h->total = host_bytes * hosts;
	meter_init(&h->byte_meter, BYTES_INTERVAL_MS, now_ms);
}

void
headway_clear(struct headway *h)
{
	free(h->hosts);
	h->hosts = NULL;
}

/* --- what is known ------------------------------------------------------- */

/* The sums wrap around as their parts do, so they stay consistent. */
static void
host_set(struct headway *h, uint32_t seq, uint64_t bytes, uint64_t total)
{
	struct headway_host *host = &h->hosts[seq];

	h->bytes += bytes - host->bytes;
	h->total += total - host->total;
	host->bytes = bytes;
	host->total = total;
}

void
headway_bytes(struct headway *h, uint32_t seq, uint64_t bytes, uint64_t total)
{
	if (h->hosts[seq].total == 0 && total > 0)
		h->sized++;
	host_set(h, seq, bytes, total > 0 ? total : h->hosts[seq].total);
}

void
headway_ended(struct headway *h, uint32_t seq)
{
	if (h->hosts == NULL)
		return;
	if (h->hosts[seq].total == 0)
		h->sized++;
	host_set(h, seq, 0, 0);
}

static uint64_t
bytes_done(const struct headway *h)
{
	return h->tally->bytes + h->bytes;
}

/* What a failed host did not take is not to be done any more. */
static uint64_t
bytes_total(const struct headway *h)
{
	return h->tally->bytes + h->total;
}

void
headway_look(struct headway *h, uint64_t now_ms)
{
	meter_look(&h->host_meter, h->tally->ended, now_ms);
	if (h->hosts != NULL)
		meter_look(&h->byte_meter, bytes_done(h), now_ms);
}

static bool
has_total(const struct headway *h)
{
	return h->hosts != NULL && h->sized == h->count && bytes_total(h) > 0;
}

double
headway_part(const struct headway *h)
{
	uint64_t part = has_total(h) ? bytes_done(h) : h->tally->ended;
	uint64_t whole = has_total(h) ? bytes_total(h) : h->count;

	return part >= whole ? 1 : (double)part / (double)whole;
}

/* --- in words ------------------------------------------------------------ */

void
headway_rate(const struct headway *h, uint64_t now_ms, char text[HUMAN_SIZE])
{
	double rate;

	text[0] = '\0';
	if (h->hosts != NULL) {
		rate = meter_rate(&h->byte_meter, bytes_done(h), now_ms);
		human_rate(text, HUMAN_SIZE, (uint64_t)rate);
		return;
	}
	rate = meter_rate(&h->host_meter, h->tally->ended, now_ms);
	if (rate >= 9.95)
		snprintf(text, HUMAN_SIZE, "%.0f/s", rate);
	else if (rate >= 0.1)
		snprintf(text, HUMAN_SIZE, "%.1f/s", rate);
	else if (rate > 0)
		snprintf(text, HUMAN_SIZE, "%.0f/min", rate * 60);
}

void
headway_eta(const struct headway *h, uint64_t now_ms, char text[HUMAN_SIZE])
{
	uint64_t left = 0;
	double rate = 0;

	text[0] = '\0';
	if (now_ms < h->began_ms + ETA_AFTER_MS)
		return;
	if (h->hosts == NULL && h->running.queued > 0 &&
	    h->tally->ended >= h->running.in_flight) {
		left = h->count - h->tally->ended;
		rate = meter_rate(&h->host_meter, h->tally->ended, now_ms);
	} else if (has_total(h) && bytes_done(h) < bytes_total(h)) {
		left = bytes_total(h) - bytes_done(h);
		rate = meter_rate(&h->byte_meter, bytes_done(h), now_ms);
	}
	if (rate > 0 && left > 0 && (double)left / rate < ETA_MOST_S)
		human_clock(
		    text, HUMAN_SIZE, (uint64_t)((double)left / rate) + 1);
}

void
headway_put_bytes(const struct headway *h, struct buf *out)
{
	char bytes[HUMAN_SIZE], total[HUMAN_SIZE];

	human_bytes(bytes, sizeof(bytes), bytes_done(h));
	human_bytes(total, sizeof(total), bytes_total(h));
	buf_puts(out, bytes);
	if (has_total(h))
		buf_printf(out, " of %s (%u %%)", total,
		    (unsigned)(headway_part(h) * 100));
}

static void
put_slowest(const struct running *running, uint64_t now_ms, struct buf *out)
{
	const struct running_host *host;
	char age[HUMAN_SIZE];
	size_t i;

	for (i = 0; i < running->oldest_count; i++) {
		host = &running->oldest[i];
		human_duration(age, sizeof(age), now_ms - host->began_ms);
		buf_printf(out, "%s%s %s %s", i == 0 ? "slowest: " : ", ",
		    host->name, stage_name(host->stage), age);
	}
	if (i > 0)
		buf_puts(out, "\n");
}

void
headway_print(const struct headway *h, uint64_t now_ms, struct buf *out)
{
	char elapsed[HUMAN_SIZE], rate[HUMAN_SIZE], eta[HUMAN_SIZE];

	human_duration(elapsed, sizeof(elapsed), now_ms - h->began_ms);
	headway_rate(h, now_ms, rate);
	headway_eta(h, now_ms, eta);
	buf_printf(out, "%zu host%s: %" PRIu64 " done", h->count,
	    h->count == 1 ? "" : "s", h->tally->ended);
	if (tally_failed(h->tally) > 0)
		buf_printf(out, ", %" PRIu64 " failed", tally_failed(h->tally));
	buf_printf(out, ", %u running, %u waiting", h->running.in_flight,
	    h->running.queued);
	if (h->hosts != NULL) {
		buf_puts(out, "; ");
		headway_put_bytes(h, out);
	}
	buf_printf(out, " (%s%s%s%s%s)\n", elapsed, rate[0] != '\0' ? ", " : "",
	    rate, eta[0] != '\0' ? ", ETA " : "", eta);
	put_slowest(&h->running, now_ms, out);
}
