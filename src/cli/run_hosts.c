/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * With -rerun that no host is left may be what the user hopes for; without it
 * somebody's variable was empty. What can't be known, since the report lacks
 * hosts, is neither.
 */
#include "config.h"

#include "cli/run_hosts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/run_words.h"
#include "inventory/select.h"
#include "report/earlier.h"
#include "util/buf.h"
#include "util/log.h"
#include "util/quote.h"
#include "util/xalloc.h"

/* --- inventories --------------------------------------------------------- */

/* The one that is found, if any. */
static int
load_default(struct inventory *inventory, struct error *err)
{
	bool is_named;
	char *path = inventory_default_path(&is_named);
	struct error why;
	int rc = 0;

	if (path != NULL)
		rc = is_named ? inventory_load(inventory, path, &why)
			      : inventory_load_found(inventory, path, &why);
	if (rc == -1)
		error_set(err, "%s%s",
		    is_named ? "$" INVENTORY_VARIABLE ": " : "", why.text);
	free(path);
	return rc;
}

int
run_inventory_load(
    struct inventory *inventory, const struct run_options *o, struct error *err)
{
	const struct option_list *list = &o->inventories;
	struct error why;
	size_t i;

	if (list->count == 0 && load_default(inventory, err) == -1)
		return -1;
	for (i = 0; i < list->count; i++) {
		if (inventory_load(inventory, list->values[i].text, &why) == -1)
			return error_option(err, "i", why.text);
	}
	return inventory_finish(inventory, err);
}

/* --- choices ------------------------------------------------------------- */

static bool
adds_hosts(const struct run_options *o)
{
	size_t i;

	for (i = 0; i < o->choices.count; i++) {
		if (o->choices.values[i].tag != CHOICE_EXCLUDE)
			return true;
	}
	return false;
}

/* The report of -rerun, and before it the statuses, if given. */
static const char *
rerun_report(const struct run_options *o)
{
	return o->rerun.values[o->rerun.count - 1].text;
}

static const char *
rerun_statuses(const struct run_options *o)
{
	return o->rerun.count > 1 ? o->rerun.values[0].text : NULL;
}

static int
check_choices(const struct run_options *o, struct error *err)
{
	const char *report;

	if (o->rerun.count > 2)
		return error_option(err, "rerun",
		    "takes one report, or statuses with commas between and one "
		    "report");
	if (o->rerun.count == 0)
		return adds_hosts(o)
		    ? 0
		    : error_set(err,
			  "no hosts chosen: name some with -h, -g, -hostfile "
			  "or -rerun");
	report = rerun_report(o);
	if (o->rerun.count == 1 && earlier_is_statuses(report) &&
	    access(report, F_OK) == -1)
		return error_set(err,
		    "option -rerun: the report is missing after \"%s\"",
		    report);
	return 0;
}

static int
load_earlier(struct earlier *e, const struct run_options *o, struct error *err)
{
	struct error why;

	if (o->rerun.count == 0)
		return 0;
	if (earlier_read(e, rerun_report(o), rerun_statuses(o), &why) == -1)
		return error_option(err, "rerun", why.text);
	if (e->has_missing && !adds_hosts(o))
		return error_option(err, "rerun",
		    "missing goes with -h, -g or -hostfile: what they choose "
		    "and the report lacks is taken");
	return 0;
}

static struct hostset *
choose_names(const struct inventory *inventory, const struct run_options *o,
    const struct earlier *e, struct select_counts *counts, struct error *err)
{
	struct choice *choices;
	struct hostset *names;
	size_t i;

	choices = xcalloc(o->choices.count, sizeof(*choices));
	for (i = 0; i < o->choices.count; i++) {
		choices[i].kind = (enum choice_kind)o->choices.values[i].tag;
		choices[i].text = o->choices.values[i].text;
	}
	names = select_names(inventory, e->hosts,
	    e->has_missing ? e->recorded : NULL, choices, o->choices.count,
	    counts, err);
	free(choices);
	return names;
}

/* --- when no host is left ------------------------------------------------ */

/* As run_words_choices(), short enough for a message. */
static char *
choices_text(const struct run_options *o, unsigned kinds)
{
	struct buf text;

	buf_init(&text, sizeof(((struct error *)NULL)->text) / 3);
	run_words_choices(&text, o, kinds);
	return buf_take_string(&text);
}

/* Without -rerun: which options made the choice an empty one. */
static int
no_choice(const struct run_options *o, size_t chosen, struct error *err)
{
	const unsigned exclude = 1u << CHOICE_EXCLUDE;
	char *added = choices_text(o, ~exclude);
	char *excluded = choices_text(o, exclude);

	if (chosen == 0)
		error_set(
		    err, "no host to run on: nothing is chosen by%s", added);
	else
		error_set(err,
		    "no host to run on: of %zu chosen by%s none is left by%s",
		    chosen, added, excluded);
	free(added);
	free(excluded);
	return -1;
}

/* All of -x left out none of the chosen hosts: a typing error? */
static void
warn_exclusions(const struct run_options *o)
{
	char *excluded = choices_text(o, 1u << CHOICE_EXCLUDE);

	if (excluded[0] != '\0')
		log_warn("no chosen host is left out by%s", excluded);
	free(excluded);
}

/* With it: why nothing is to be done. */
static void
nothing_left(
    struct run_hosts *h, const struct run_options *o, const struct earlier *e)
{
	const char *report = rerun_report(o), *statuses = rerun_statuses(o);
	size_t count = hostset_count(e->recorded);
	size_t chosen = hostset_count(e->hosts);

	if (chosen > 0)
		error_set(&h->nothing,
		    "%s: of %zu hosts that would run again none is chosen by "
		    "-h, -g and -hostfile, or -x leaves them out: nothing to "
		    "run",
		    report, chosen);
	else if (statuses == NULL || strcmp(statuses, EARLIER_NOT_OK) == 0)
		error_set(&h->nothing, "%s: all %zu host%s ok: nothing to run",
		    report, count, count == 1 ? " is" : "s are");
	else
		error_set(&h->nothing,
		    "%s: none of %zu host%s is %s: nothing to run", report,
		    count, count == 1 ? "" : "s", statuses);
}

/* The report for a shell; the caller frees it. */
static char *
report_word(const struct run_options *o)
{
	struct buf word;

	buf_init(&word, 4 * strlen(rerun_report(o)) + 8);
	quote_path_line(&word, rerun_report(o));
	return buf_take_string(&word);
}

/* others: the hosts without a record that are taken. */
static void
describe_short(const struct run_options *o, const struct earlier *e,
    size_t others, struct error *text)
{
	const char *report = rerun_report(o), *statuses = rerun_statuses(o);
	size_t count = hostset_count(e->recorded);
	char *word = report_word(o);

	if (e->has_missing)
		error_set(text,
		    "%s: has records of %zu of the %" PRIu64
		    " hosts of its run, and of the others -h, -g and "
		    "-hostfile choose %zu only",
		    report, count, e->run_hosts, others);
	else if (count == 0)
		error_set(text,
		    "%s: there is no record in it, so its run was cut short; "
		    "-rerun missing %s with the -h, -g or -hostfile of that "
		    "run takes its hosts",
		    report, word);
	else
		error_set(text,
		    "%s: has records of %zu of the %" PRIu64
		    " hosts of its run; -rerun %s,missing %s with the -h, -g "
		    "or -hostfile of that run takes the others, too",
		    report, count, e->run_hosts,
		    statuses != NULL ? statuses : EARLIER_NOT_OK, word);
	free(word);
}

/* Fill in the names, which may be none with -rerun only. */
static int
load_names(struct run_hosts *h, const struct inventory *inventory,
    const struct run_options *o, const struct earlier *e, struct error *err)
{
	struct select_counts counts;
	struct error text;

	h->names = choose_names(inventory, o, e, &counts, err);
	if (h->names == NULL)
		return -1;
	if (o->rerun.count > 0 && earlier_is_short(e, counts.unrecorded)) {
		describe_short(o, e, counts.unrecorded, &text);
		if (hostset_count(h->names) == 0)
			return error_option(err, "rerun", text.text);
		log_warn("%s", text.text);
	}
	if (o->rerun.count == 0 && counts.chosen > 0 &&
	    counts.chosen == hostset_count(h->names))
		warn_exclusions(o);
	if (hostset_count(h->names) > 0)
		return 0;
	if (o->rerun.count == 0)
		return no_choice(o, counts.chosen, err);
	nothing_left(h, o, e);
	return 0;
}

/* --- hosts --------------------------------------------------------------- */

/* A host of the inventory must not turn into one that is only a name. */
static int
check_earlier(const struct run_hosts *h, const struct earlier *e,
    const char *report, struct error *err)
{
	struct hostset *gone = hostset_new();
	char *folded;
	size_t i;

	for (i = 0; i < hostset_count(h->names); i++) {
		if (h->hosts[i].is_ad_hoc &&
		    hostset_has(e->grouped, h->hosts[i].name))
			hostset_add(gone, h->hosts[i].name, NULL);
	}
	folded = hostset_fold(gone);
	if (hostset_count(gone) > 0)
		error_set(err,
		    "%s: not in the inventory any more: %s (-x leaves hosts "
		    "out)",
		    report, folded);
	free(folded);
	i = hostset_count(gone);
	hostset_free(gone);
	return i == 0 ? 0 : -1;
}

int
run_hosts_load(
    struct run_hosts *h, const struct run_options *o, struct error *err)
{
	const struct host_overrides overrides = {
	    .value = {[SETTING_USER] = o->user,
		[SETTING_PORT] = o->port,
		[SETTING_IDENTITY_FILE] = o->identity,
		[SETTING_CONNECT_TIMEOUT] = o->connect_timeout,
		[SETTING_TIMEOUT] = o->timeout}};
	struct inventory *inventory = inventory_new();
	struct earlier earlier = {.hosts = NULL};
	int rc = -1;

	memset(h, 0, sizeof(*h));
	if (check_choices(o, err) == -1 ||
	    run_inventory_load(inventory, o, err) == -1 ||
	    load_earlier(&earlier, o, err) == -1 ||
	    load_names(h, inventory, o, &earlier, err) == -1)
		goto out;
	h->hosts = select_resolve(inventory, h->names, &overrides, err);
	if (h->hosts != NULL && earlier.hosts != NULL)
		rc = check_earlier(h, &earlier, rerun_report(o), err);
	else if (h->hosts != NULL)
		rc = 0;
out:
	earlier_clear(&earlier);
	inventory_free(inventory); /* with the passwords of all its hosts */
	return rc;
}

void
run_hosts_clear(struct run_hosts *h)
{
	size_t i;

	for (i = 0; h->hosts != NULL && i < hostset_count(h->names); i++)
		host_clear(&h->hosts[i]);
	free(h->hosts);
	hostset_free(h->names);
	memset(h, 0, sizeof(*h));
}

void
run_hosts_list(const struct run_hosts *h, bool is_folded)
{
	char *folded;
	size_t i;

	if (is_folded) {
		folded = hostset_fold(h->names);
		printf("%s\n", folded);
		free(folded);
	}
	for (i = 0; !is_folded && i < hostset_count(h->names); i++)
		printf("%s\n", hostset_name(h->names, i));
}
