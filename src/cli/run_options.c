/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "cli/run_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "cli/prompt.h"
#include "cli/run_hosts.h"
#include "cli/run_report.h"
#include "control/secrets.h"
#include "inventory/select.h"
#include "report/color.h"
#include "report/json.h"
#include "report/normalize.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/secret.h"
#include "util/xalloc.h"

/* What execve(2) may have handed us, quoted. */
#define TASK_MAX	     ((size_t)64 << 20)
#define FANOUT_DEFAULT	     64
#define RETRY_DELAY_MS	     1000
#define MAX_STARTUPS_DEFAULT 8
#define AUTH_FAIL_DEFAULT    5
#define CAPTURE_DEFAULT	     (1u << 20)
#define VERBOSE_MAX	     LOG_INSIDE

#define AT(member)	     offsetof(struct run_options, member)

/* --- values of options that have a form of their own --------------------- */

static int
check_batch(const char *text, struct error *err)
{
	struct waves waves;

	return waves_parse(text, &waves, err);
}

static int
check_max_fail(const char *text, struct error *err)
{
	struct amount amount;

	return amount_parse(text, &amount, err);
}

static int
check_fold_ignore(const char *text, struct error *err)
{
	struct normalizer *n = normalizer_new(&text, 1, err);

	normalizer_free(n);
	return n != NULL ? 0 : -1;
}

/* --- what applies where nothing is set ------------------------------------ */

static char *
implied_inventory(const char **origin)
{
	bool is_named;
	char *path = inventory_default_path(&is_named);

	*origin = is_named ? "$" INVENTORY_VARIABLE : "found here";
	return path;
}

static char *
implied_color(const char **origin)
{
	*origin = "$" COLOR_VARIABLE;
	return color_is_unwanted() ? xstrdup("never") : NULL;
}

/* --- the tables ---------------------------------------------------------- */

const struct option_row run_option_rows[] = {
    {"h", "HOSTS", OPTION_LIST, AT(choices),
	"hosts: web[01-20],db1,user@10.0.0.5:22", "Hosts", .tag = CHOICE_HOSTS,
	.is_call_only = true, .is_common = true, .is_replaced = true},
    {"g", "GROUPS", OPTION_LIST, AT(choices),
	"groups of the inventory: web,db_*", .tag = CHOICE_GROUPS,
	.is_call_only = true, .is_common = true, .is_replaced = true},
    {"x", "HOSTS", OPTION_LIST, AT(choices), "leave these out",
	.tag = CHOICE_EXCLUDE, .is_call_only = true, .is_common = true,
	.is_replaced = true},
    {"hostfile", "FILE", OPTION_LIST, AT(choices),
	"hosts, a list a line; - is stdin", .tag = CHOICE_HOSTFILE,
	.is_call_only = true, .is_replaced = true},
    {"rerun", "[STATUS,...] FILE", OPTION_LIST, AT(rerun),
	"hosts not ok, or STATUS, in a report", .takes_more = true,
	.is_call_only = true, .is_replaced = true, .is_common = true},
    {"i,inventory", "FILE", OPTION_LIST, AT(inventories),
	"inventory; several merge", .implied = implied_inventory,
	.is_common = true},
    {"list", NULL, OPTION_FLAG, AT(list), "print the chosen hosts, run nothing",
	.is_call_only = true, .is_named = true},
    {"list-folded", NULL, OPTION_FLAG, AT(list_folded),
	"print the chosen hosts as one folded list", .is_call_only = true},

    {"u,user", "NAME", OPTION_SETTING, AT(user),
	"log in as (default: inventory, then you)", "Login",
	.tag = SETTING_USER, .unset = "(your own name)", .is_common = true},
    {"port", "PORT", OPTION_SETTING, AT(port),
	"SSH port (default: inventory, then 22)", .tag = SETTING_PORT},
    {"k,identity", "FILE", OPTION_SETTING, AT(identity), "private key file",
	.tag = SETTING_IDENTITY_FILE, .unset = "(those of ssh)",
	.is_named = true},
    {"ask-pass", NULL, OPTION_FLAG, AT(ask_pass),
	"ask once for the password of all hosts", .is_named = true},
    {"known-hosts", "FILE", OPTION_LIST, AT(known_hosts),
	"known keys, instead of ssh's files; repeatable",
	.unset = "(those of ssh)"},
    {"host-key", "MODE", OPTION_WORD, AT(host_key),
	"strict (default) or accept-new", .words = "strict|accept-new",
	.is_common = true},

    {"f,fanout", "N", OPTION_NUMBER, AT(fanout), "hosts at once (default 64)",
	"Pace", 1, 100000, .is_common = true},
    {"workers", "N", OPTION_NUMBER, AT(workers),
	"worker processes (default: by CPUs and fanout)", NULL, 1, 1024,
	.unset = "(by CPUs)"},
    {"connect-timeout", "TIME", OPTION_SETTING, AT(connect_timeout),
	"until logged in (default 10s)", .tag = SETTING_CONNECT_TIMEOUT},
    {"retries", "N", OPTION_NUMBER, AT(retries),
	"further tries of what did not start (default 0)", NULL, 0, 100},
    {"retry-delay", "TIME", OPTION_DURATION, AT(retry_delay_ms),
	"before the first retry; doubles (default 1s)"},
    {"rate", "N", OPTION_NUMBER, AT(rate), "connections started a second", NULL,
	1, 100000, .unset = "(no limit)"},
    {"max-startups", "N", OPTION_NUMBER, AT(max_startups),
	"handshakes at one address at once (default 8)", NULL, 0, 100000},
    {"auth-fail-limit", "N", OPTION_NUMBER, AT(auth_fail_limit),
	"refused logins in a row, then no more (default 5)", NULL, 0, 100000},
    {NULL},
};

const struct option_row run_rolling_rows[] = {
    {"batch", "LIST", OPTION_STRING, AT(batch), "waves of hosts: 1,10%,100%",
	"Rolling runs", .check = check_batch, .is_common = true},
    {"pause", "TIME", OPTION_DURATION, AT(pause_ms), "wait between waves"},
    {"confirm", NULL, OPTION_FLAG, AT(confirm), "ask between waves"},
    {"max-fail", "N|P%", OPTION_STRING, AT(max_fail),
	"begin no more if more than N are not ok", .check = check_max_fail,
	.is_common = true},
    {"shuffle", NULL, OPTION_FLAG, AT(shuffle), "take hosts in random order"},
    {"seed", "N", OPTION_NUMBER, AT(seed),
	"the random order of an earlier -shuffle again", NULL, 1, UINT32_MAX},
    {NULL},
};

const struct option_row run_output_rows[] = {
    {"output", "MODE", OPTION_WORD, AT(output),
	"live, fold, live,fold, json or none", "Output",
	.words = "live|fold|live,fold|json|none",
	.alias = {"fold,live", "live,fold"}, .is_common = true},
    {"no-prefix", NULL, OPTION_FLAG, AT(no_prefix), "lines without \"host: \""},
    {"ordered", NULL, OPTION_FLAG, AT(ordered),
	"output in the order of the hosts", .is_named = true},
    {"fold-ignore", "REGEX", OPTION_LIST, AT(fold_ignore),
	"fold: what makes no difference; repeatable",
	.check = check_fold_ignore},
    {"diff", "HOST", OPTION_STRING, AT(diff),
	"fold: differences from HOST or the largest group", .is_optional = true,
	.is_call_only = true, .is_replaced = true, .is_named = true},
    {"report", "FILE", OPTION_STRING, AT(report),
	"one JSON record a host, a line each", .is_common = true,
	.is_replaced = true},
    {"report-html", "FILE", OPTION_STRING, AT(report_html),
	"a page: summary, outputs, timeline, latencies", .is_replaced = true},
    {"capture", "SIZE", OPTION_SIZE, AT(capture_bytes),
	"most output in a record, a stream (default 1M)",
	.most = JSON_CAPTURE_MOST},
    {"outdir", "DIR", OPTION_STRING, AT(outdir),
	"output as it came, in HOST.out and HOST.err"},
    {"metrics", "FILE", OPTION_STRING, AT(metrics),
	"numbers for Prometheus, for its node_exporter"},
    {"color", "WHEN", OPTION_WORD, AT(color),
	"colours: auto (default), always, never", .words = "auto|always|never",
	.implied = implied_color},
    {"progress", "WHEN", OPTION_WORD, AT(progress),
	"a bar: auto (default), always, never; or SIGUSR1",
	.words = "auto|always|never"},
    {NULL},
};

const struct option_row run_general_rows[] = {
    {"q,quiet", NULL, OPTION_FLAG, AT(quiet),
	"no warnings, no summary if all is well", "General", .is_named = true},
    {"v,verbose", NULL, OPTION_COUNT, AT(verbose),
	"hosts' begin, retries, end; latencies", .most = VERBOSE_MAX,
	.tag = LOG_HOSTS, .is_common = true},
    {"vv", NULL, OPTION_COUNT, AT(verbose),
	"what -v tells, and each step of each host", .most = VERBOSE_MAX,
	.tag = LOG_STAGES, .is_call_only = true},
    {"debug", NULL, OPTION_COUNT, AT(verbose),
	"what -vv tells, and what goes on inside", .most = VERBOSE_MAX,
	.tag = LOG_INSIDE, .is_call_only = true},
    {"log", "FILE", OPTION_STRING, AT(log),
	"what -v tells, -vv or -debug, with times; appends",
	.unset = "(stderr)"},
    {"sandbox", "WHEN", OPTION_WORD, AT(sandbox),
	"confine workers: on (default) or off", .words = "on|off"},
    {"config", "FILE", OPTION_STRING, AT(config),
	"a batch.conf, not those found; none: no file", .is_call_only = true},
    {"print-config", NULL, OPTION_FLAG, AT(print_config),
	"print what applies, and from where", .is_call_only = true},
    {"help", NULL, OPTION_FLAG, AT(help), "print the common options",
	.is_call_only = true},
    {"help-all", NULL, OPTION_FLAG, AT(help_all), "print every option",
	.is_call_only = true},
    {"V,version", NULL, OPTION_FLAG, AT(version),
	"version of the program and its libraries", .is_call_only = true},
    {NULL},
};

void
run_options_init(struct run_options *o)
{
	memset(o, 0, sizeof(*o));
	buf_init(&o->task, TASK_MAX);
	o->fanout = FANOUT_DEFAULT;
	o->retry_delay_ms = RETRY_DELAY_MS;
	o->max_startups = MAX_STARTUPS_DEFAULT;
	o->auth_fail_limit = AUTH_FAIL_DEFAULT;
	o->color = COLOR_AUTO;
	o->progress = PROGRESS_AUTO;
	o->capture_bytes = CAPTURE_DEFAULT;
}

bool
run_option_is_typed(const struct run_options *o, const void *place)
{
	const struct option_origin *origin =
	    option_origins_find(o->origins, place);

	return origin != NULL && origin->file == NULL;
}

static int
load_passwords(
    const struct run_options *o, struct run_hosts *h, struct error *err)
{
	char *asked = NULL;
	int rc;

	if (o->ask_pass &&
	    (asked = prompt_secret("Password for the hosts: ", err)) == NULL)
		return -1;
	rc = secrets_load(h->hosts, hostset_count(h->names), asked, err);
	secret_free(asked);
	return rc;
}

static int
load_host_keys(
    struct plan *plan, const struct run_options *o, struct error *err)
{
	const char **paths = NULL;
	size_t i;

	if (o->known_hosts.count > 0) {
		paths = xcalloc(o->known_hosts.count, sizeof(*paths));
		for (i = 0; i < o->known_hosts.count; i++)
			paths[i] = o->known_hosts.values[i].text;
	}
	plan->host_keys = host_keys_load(paths, o->known_hosts.count, err);
	free(paths);
	return plan->host_keys != NULL ? 0 : -1;
}

/* One that is short enough to be typed. */
static uint32_t
seed_make(void)
{
	uint32_t number = 0;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		number = (uint32_t)clock_wall_ms();
	return 1 + number % 999999;
}

/* Fill in which host starts when. */
static int
plan_schedule(
    struct schedule *s, const struct run_options *o, struct error *err)
{
	s->retries = o->retries;
	s->retry_delay_ms = o->retry_delay_ms;
	s->pause_ms = o->pause_ms;
	s->has_confirm = o->confirm && o->batch != NULL;
	s->is_shuffled = o->shuffle;
	s->seed = o->seed != 0 ? o->seed : seed_make();
	s->rate = o->rate;
	s->max_startups = o->max_startups;
	s->auth_fail_limit = o->auth_fail_limit;
	if (o->batch == NULL && run_option_is_typed(o, &o->pause_ms))
		return error_set(err, "option -pause goes with -batch");
	if (o->batch == NULL && o->confirm &&
	    run_option_is_typed(o, &o->confirm))
		return error_set(err, "option -confirm goes with -batch");
	if (s->has_confirm && !prompt_is_possible())
		return error_set(
		    err, "option -confirm: there is no terminal to ask on");
	if (o->batch != NULL && waves_parse(o->batch, &s->waves, err) == -1)
		return -1;
	s->has_max_fail = o->max_fail != NULL;
	return s->has_max_fail ? amount_parse(o->max_fail, &s->max_fail, err)
			       : 0;
}

int
run_plan_fill(struct plan *plan, const struct run_options *o,
    struct run_hosts *h, const char *tool, struct error *err)
{
	struct report_options report;

	plan->hosts = h->hosts;
	plan->host_count = (uint32_t)hostset_count(h->names);
	plan->fanout = o->fanout;
	plan->workers = o->workers;
	plan->config.idle_timeout_ms = o->idle_timeout_ms;
	plan->config.has_sandbox = o->sandbox == SANDBOX_ON;
	plan->has_accept_new = o->host_key == HOST_KEY_ACCEPT_NEW;
	plan->can_prompt = prompt_is_possible();
	plan->has_identity = o->identity != NULL;
	if (plan_schedule(&plan->schedule, o, err) == -1)
		return -1;
	if (run_report_options(&report, plan, o, h, tool, err) == -1 ||
	    load_passwords(o, h, err) == -1 ||
	    load_host_keys(plan, o, err) == -1) {
		normalizer_free(report.normalizer);
		return -1;
	}
	plan->report = report_new(plan->host_count, &report, err);
	return plan->report != NULL ? 0 : -1;
}
