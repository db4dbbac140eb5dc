/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * html_page: write the page of -report-html for hosts that are made up, for
 * the test that drives it in a browser.
 *
 *	html_page FILE HOSTS [FACTOR]
 *
 * With a factor all takes so many times as long.
 * web00000, web00001, ...: each 10th failed, each 50th is unreachable, each
 * 100th skipped; the others are ok, each 20th at the second try. What they say
 *tries to run as a script. Hosts share outputs by tens; web00000 has sent to
 *stderr besides.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/html.h"
#include "util/log.h"
#include "util/xalloc.h"

#define BEGAN_MS    UINT64_C(1795268700000)
#define FANOUT	    64
#define SHARED	    10
#define MESSAGE_MAX 600

/* Each would set a title, or load something, if it ran. */
static const char hostile[] =
    "</script><script>document.title='run'</script>"
    "<!-- <script> --><img src=x onerror=\"document.title='run'\">"
    "<svg/onload=document.title='run'>\" ' & {{style}} \\u003c/script> "
    "]]> \xe2\x80\xa8\xe2\x80\xa9 javascript:document.title='run' \x1b[31m";

static uint64_t factor = 1;

static void
host_name(char *name, size_t size, uint32_t seq)
{
	snprintf(name, size, "web%05u", (unsigned)seq);
}

static void
host_end(struct record *r)
{
	r->status = STATUS_OK;
	r->stage = STAGE_COMMAND;
	r->message = "";
	if (r->seq % 100 == 99) {
		r->status = STATUS_SKIPPED;
		r->stage = STAGE_NONE;
		r->message = "not started: 9 hosts had failed (-max-fail 8)";
	} else if (r->seq % 50 == 7) {
		r->status = STATUS_UNREACHABLE;
		r->stage = STAGE_CONNECT;
		r->message = "Connection refused";
	} else if (r->seq % 10 == 3) {
		r->status = STATUS_FAILED;
		r->message = r->seq == 3 ? hostile : "exit 3";
		r->has_exit_code = true;
		r->exit_code = 3;
	}
}

static void
host_add(struct html *page, struct summary *summary, uint32_t seq)
{
	uint64_t cost = factor * (120 + (uint64_t)seq * 7919 % 900);
	char name[16];
	struct record r = {.seq = seq,
	    .host = name,
	    .address = "10.0.0.1",
	    .groups = seq % 2 == 0 ? "web,even" : "web",
	    .signal = "",
	    .sha256 = "",
	    .attempts = 1};

	host_name(name, sizeof(name), seq);
	host_end(&r);
	if (seq % 20 == 11) {
		r.attempts = 2;
		r.retry_ms = cost;
	}
	if (r.status == STATUS_SKIPPED) {
		r.attempts = 0;
	} else {
		r.started_at_ms = BEGAN_MS +
		    factor * ((uint64_t)seq / FANOUT * 600 + seq % FANOUT * 10);
		r.cost_ms = seq % 97 == 5 ? cost * 6 : cost;
	}
	r.cost_ms += r.retry_ms;
	if (r.status == STATUS_OK || r.status == STATUS_FAILED) {
		r.connect_ms = (uint32_t)(cost / 4);
		r.auth_ms = (uint32_t)(cost / 5);
	}
	html_record(page, &r);
	summary_add(summary, &r);
}

struct outputs {
	uint32_t hosts, next;
	uint32_t seqs[SHARED];
	char names[64], text[MESSAGE_MAX];
	bool has_stderr;
};

static bool
outputs_next(void *ctx, struct html_output *o)
{
	struct outputs *s = ctx;
	uint32_t i;

	memset(o, 0, sizeof(*o));
	if (s->next >= s->hosts && s->has_stderr)
		return false;
	o->seqs = s->seqs;
	o->hosts = s->names;
	o->text = s->text;
	if (s->next >= s->hosts) {
		s->has_stderr = true;
		s->seqs[0] = 0;
		host_name(s->names, sizeof(s->names), 0);
		o->count = 1;
		o->stream = 2;
		o->is_truncated = true;
		o->len = (size_t)snprintf(
		    s->text, sizeof(s->text), "only here\n%s", hostile);
		return true;
	}
	o->stream = 1;
	for (i = 0; i < SHARED && s->next < s->hosts; i++)
		s->seqs[o->count++] = s->next++;
	snprintf(s->names, sizeof(s->names), "web[%05u-%05u]",
	    (unsigned)s->seqs[0], (unsigned)(s->next - 1));
	o->len = (size_t)snprintf(s->text, sizeof(s->text),
	    "kernel 6.1.%u\nload 0.%02u\n", (unsigned)s->seqs[0],
	    (unsigned)s->seqs[0] % 100);
	return true;
}

int
main(int argc, char **argv)
{
	struct outputs source = {.next = 0};
	const struct html_outputs outputs = {outputs_next, &source};
	struct html_end end = {.began_at_ms = BEGAN_MS, .outputs = &outputs};
	struct html *page;
	struct error err;
	uint32_t seq;

	log_init("html_page");
	if (argc != 3 && argc != 4)
		fatal("usage: html_page FILE HOSTS [FACTOR]");
	source.hosts = (uint32_t)strtoul(argv[2], NULL, 10);
	if (argc == 4)
		factor = strtoull(argv[3], NULL, 10);
	end.elapsed_ms =
	    factor * ((uint64_t)source.hosts / FANOUT * 600 + 4000);
	end.summary = summary_new();
	source.has_stderr = source.hosts == 0;
	page = html_new(argv[1], &err);
	if (page == NULL)
		fatal("%s", err.text);
	for (seq = 0; seq < source.hosts; seq++)
		host_add(page, end.summary, seq);
	if (html_finish(page, &end, &err) == -1)
		fatal("%s", err.text);
	html_free(page);
	summary_free(end.summary);
	return 0;
}
