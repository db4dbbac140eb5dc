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

static void
shared_output(struct html *page, uint32_t first, uint32_t hosts)
{
	uint32_t seqs[SHARED];
	char names[64], text[64];
	struct html_output o = {
	    .hosts = names, .seqs = seqs, .stream = 1, .text = text};

	while (o.count < SHARED && first + o.count < hosts) {
		seqs[o.count] = first + (uint32_t)o.count;
		o.count++;
	}
	snprintf(names, sizeof(names), "web[%05u-%05u]", (unsigned)first,
	    (unsigned)seqs[o.count - 1]);
	o.len =
	    (size_t)snprintf(text, sizeof(text), "kernel 6.1.%u\nload 0.%02u\n",
		(unsigned)first, (unsigned)first % 100);
	html_output(page, &o);
}

static void
outputs_add(struct html *page, uint32_t hosts)
{
	static const uint32_t first = 0;
	char text[MESSAGE_MAX];
	struct html_output o = {.hosts = "web00000",
	    .seqs = &first,
	    .count = 1,
	    .stream = 2,
	    .text = text,
	    .is_truncated = true};
	uint32_t seq;

	for (seq = 0; seq < hosts; seq += SHARED)
		shared_output(page, seq, hosts);
	o.len = (size_t)snprintf(text, sizeof(text), "only here\n%s", hostile);
	if (hosts > 0)
		html_output(page, &o);
}

int
main(int argc, char **argv)
{
	const struct run_words words = {"batch_run", hostile, "-g web,even"};
	struct html_end end = {.began_at_ms = BEGAN_MS, .words = &words};
	struct html *page;
	struct error err;
	uint32_t hosts, seq;

	log_init("html_page");
	if (argc != 3 && argc != 4)
		fatal("usage: html_page FILE HOSTS [FACTOR]");
	hosts = (uint32_t)strtoul(argv[2], NULL, 10);
	if (argc == 4)
		factor = strtoull(argv[3], NULL, 10);
	end.elapsed_ms = factor * ((uint64_t)hosts / FANOUT * 600 + 4000);
	end.summary = summary_new();
	page = html_new(argv[1], &err);
	if (page == NULL)
		fatal("%s", err.text);
	for (seq = 0; seq < hosts; seq++)
		host_add(page, end.summary, seq);
	outputs_add(page, hosts);
	if (html_finish(page, &end, &err) == -1)
		fatal("%s", err.text);
	html_free(page);
	summary_free(end.summary);
	return 0;
}
