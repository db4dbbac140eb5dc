/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/progress.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "util/human.h"
#include "util/log.h"
#include "util/xalloc.h"

#define DRAW_INTERVAL_MS 250u
/* The rate is that of the last SAMPLES * DRAW_INTERVAL_MS. */
#define SAMPLES		20u
#define COLUMNS_DEFAULT 80u
#define TEXT_MAX	256u
#define ERASE		"\r\033[K"

/* Of a host; when it is done, both are what its record says. */
struct amount {
	uint64_t bytes, total;
};

struct sample {
	uint64_t ms, bytes;
};

struct progress {
	struct sink *sink;
	const char *verb;
	struct amount *hosts;
	size_t count, done, failed, running;
	size_t sized; /* hosts whose total is known */
	uint64_t bytes, total;
	struct sample samples[SAMPLES]; /* a ring, the oldest at next */
	size_t next;
	uint64_t due_ms, rate;
	bool has_begun; /* it was due once */
	bool is_shown;
};

struct progress *
progress_new(struct sink *sink, const char *verb, size_t hosts,
    uint64_t host_bytes, uint64_t now_ms)
{
	struct progress *p = xcalloc(1, sizeof(*p));
	size_t i;

	p->sink = sink;
	p->verb = verb;
	p->hosts = xcalloc(hosts, sizeof(*p->hosts));
	p->count = hosts;
	for (i = 0; host_bytes > 0 && i < hosts; i++)
		p->hosts[i].total = host_bytes;
	p->sized = host_bytes > 0 ? hosts : 0;
	p->total = host_bytes * hosts;
	for (i = 0; i < SAMPLES; i++)
		p->samples[i].ms = now_ms;
	p->due_ms = now_ms + DRAW_INTERVAL_MS;
	return p;
}

void
progress_free(struct progress *p)
{
	if (p == NULL)
		return;
	free(p->hosts);
	free(p);
}

/* --- what is known ------------------------------------------------------- */

void
progress_running(struct progress *p, uint32_t count)
{
	if (p != NULL)
		p->running = count;
}

/* The sums wrap around as their parts do, so they stay consistent. */
static void
amount_set(struct progress *p, struct amount *a, uint64_t bytes, uint64_t total)
{
	p->bytes += bytes - a->bytes;
	p->total += total - a->total;
	a->bytes = bytes;
	a->total = total;
}

void
progress_bytes(struct progress *p, uint32_t seq, uint64_t bytes, uint64_t total)
{
	struct amount *a;

	if (p == NULL)
		return;
	a = &p->hosts[seq];
	if (a->total == 0 && total > 0)
		p->sized++;
	amount_set(p, a, bytes, total > 0 ? total : a->total);
}

void
progress_record(struct progress *p, const struct record *record)
{
	struct amount *a;

	if (p == NULL)
		return;
	a = &p->hosts[record->seq];
	if (a->total == 0)
		p->sized++;
	/* What a failed host did not take is not to be done any more. */
	amount_set(p, a, record->bytes, record->bytes);
	p->done++;
	p->failed += record->status != STATUS_OK;
}

/* --- the line ------------------------------------------------------------ */

/* Bytes a second, of late. */
static uint64_t
progress_rate(struct progress *p, uint64_t now_ms)
{
	struct sample old = p->samples[p->next];

	p->samples[p->next] = (struct sample){now_ms, p->bytes};
	p->next = (p->next + 1) % SAMPLES;
	/* A host that begins again takes back what it had. */
	if (now_ms <= old.ms || p->bytes <= old.bytes)
		return 0;
	return (p->bytes - old.bytes) / (now_ms - old.ms) * 1000 +
	    (p->bytes - old.bytes) % (now_ms - old.ms) * 1000 /
	    (now_ms - old.ms);
}

static unsigned
percent(uint64_t part, uint64_t whole)
{
	if (part >= whole)
		return 100;
	return (unsigned)((double)part * 100 / (double)whole);
}

static void
text_bytes(const struct progress *p, struct buf *text)
{
	char bytes[HUMAN_SIZE], total[HUMAN_SIZE], speed[HUMAN_SIZE];
	char eta[HUMAN_SIZE];
	bool has_total = p->sized == p->count && p->total > 0;

	human_bytes(bytes, sizeof(bytes), p->bytes);
	human_bytes(total, sizeof(total), p->total);
	human_rate(speed, sizeof(speed), p->rate);
	buf_printf(text, "  %s", bytes);
	if (has_total)
		buf_printf(
		    text, " of %s (%u %%)", total, percent(p->bytes, p->total));
	buf_printf(text, "  %s", speed);
	if (!has_total || p->rate == 0 || p->bytes >= p->total)
		return;
	human_clock(eta, sizeof(eta), (p->total - p->bytes) / p->rate + 1);
	buf_printf(text, "  ETA %s", eta);
}

static size_t
columns(const struct progress *p)
{
	struct winsize size;

	if (ioctl(p->sink->fd, TIOCGWINSZ, &size) == -1 || size.ws_col == 0)
		return COLUMNS_DEFAULT;
	return size.ws_col;
}

static void
text_line(const struct progress *p, bool is_short, struct buf *text)
{
	buf_printf(text, "%s: %zu/%zu%s", p->verb, p->done, p->count,
	    is_short ? "" : " hosts done");
	if (p->failed > 0)
		buf_printf(text, ", %zu failed", p->failed);
	buf_printf(text, ", %zu running", p->running);
	text_bytes(p, text);
}

static void
progress_draw(struct progress *p)
{
	struct buf text;
	size_t len, room = columns(p) - 1;

	buf_init(&text, TEXT_MAX);
	text_line(p, false, &text);
	if (buf_len(&text) > room) {
		buf_consume(&text, buf_len(&text));
		text_line(p, true, &text);
	}
	/* A line of the full width would wrap. All of it is ASCII. */
	len = buf_len(&text);
	buf_append(&p->sink->buf, buf_head(&text), len < room ? len : room);
	buf_clear(&text);
}

void
progress_hide(struct progress *p)
{
	if (p == NULL || !p->is_shown)
		return;
	buf_puts(&p->sink->buf, ERASE);
	p->is_shown = false;
	log_set_prelude("");
}

void
progress_show(struct progress *p, bool is_free, uint64_t now_ms)
{
	if (p == NULL)
		return;
	is_free = is_free && buf_len(&p->sink->buf) == 0;
	if (now_ms >= p->due_ms) {
		p->due_ms = now_ms + DRAW_INTERVAL_MS;
		p->rate = progress_rate(p, now_ms);
		p->has_begun = true;
		progress_hide(p);
	}
	if (p->is_shown || !p->has_begun || !is_free)
		return;
	progress_draw(p);
	p->is_shown = true;
	log_set_prelude(ERASE);
}

uint64_t
progress_due_ms(const struct progress *p)
{
	return p != NULL ? p->due_ms : UINT64_MAX;
}
