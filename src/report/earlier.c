/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A report is read a line at a time, since its records may hold outputs. It is
 * nothing to trust blindly: a name must be one host's, or it could be an
 * expression for others, or the name of a local file.
 */
#include "config.h"

#include "report/earlier.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "util/escape.h"
#include "util/log.h"
#include "util/suggest.h"
#include "util/xalloc.h"
#include "wire/outcome.h"

#define MISSING "missing"

/* What the records say of a host. */
struct ended {
	size_t index; /* in the order of first records */
	json_int_t seq;
	enum status status;
	bool is_grouped;
};

struct reader {
	const char *path;
	size_t line;
	struct hostset *names;
	struct ended *hosts; /* as many as names */
	json_int_t run_hosts;
};

/* --- statuses ------------------------------------------------------------ */

const char *
earlier_status(size_t index)
{
	static const char *const more[] = {EARLIER_NOT_OK, MISSING, NULL};

	return index < STATUS_COUNT ? status_name((enum status)index)
				    : more[index - STATUS_COUNT];
}

static const char *
status_candidate(const void *ctx, size_t index)
{
	(void)ctx;
	return earlier_status(index);
}

static int
status_unknown(const char *word, size_t len, struct error *err)
{
	char *name = xstrndup(word, len);
	const char *near = suggest(name, status_candidate, NULL);

	if (near != NULL)
		error_set(
		    err, "\"%s\" is no status; did you mean %s?", name, near);
	else
		error_set(err,
		    "\"%s\" is no status, such as failed, "
		    "unreachable, lost, " EARLIER_NOT_OK
		    " (the report comes last)",
		    name);
	free(name);
	return -1;
}

static bool
is_word(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && strncmp(text, word, len) == 0;
}

/* Into one flag a status, and one for those missing. Returns 0, or -1. */
static int
statuses_parse(
    bool *wanted, bool *has_missing, const char *list, struct error *err)
{
	enum status status;
	size_t len, i;

	for (;; list += len + 1) {
		len = strcspn(list, ",");
		status = status_from_name(list, len);
		if (status != STATUS_COUNT) {
			wanted[status] = true;
		} else if (is_word(list, len, EARLIER_NOT_OK)) {
			for (i = 0; i < STATUS_COUNT; i++)
				wanted[i] = wanted[i] || i != STATUS_OK;
		} else if (is_word(list, len, MISSING)) {
			*has_missing = true;
		} else {
			return status_unknown(list, len, err);
		}
		if (list[len] == '\0')
			return 0;
	}
}

bool
earlier_is_statuses(const char *list)
{
	bool wanted[STATUS_COUNT] = {false}, has_missing;

	return statuses_parse(wanted, &has_missing, list, NULL) == 0;
}

/* --- lines --------------------------------------------------------------- */

static int
line_refused(const struct reader *r, const char *reason, struct error *err)
{
	char *escaped = escape_string(reason);

	error_set(err, "%s:%zu: not a record of a report: %s", r->path, r->line,
	    escaped);
	free(escaped);
	return -1;
}

/* Whether name is the name of one host, written as it is selected. */
static bool
is_one_host(const char *name)
{
	struct hostset *set = hostset_new();
	bool is_one;

	is_one = hostset_expand(set, name, NULL, NULL) == 0 &&
	    hostset_count(set) == 1 && strcmp(hostset_name(set, 0), name) == 0;
	hostset_free(set);
	return is_one;
}

static int
record_add(struct reader *r, const char *name, const struct ended *host,
    struct error *err)
{
	size_t index = hostset_find(r->names, name), count;

	if (index != SIZE_MAX) {
		/* There is one for each name.
		 * NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
		r->hosts[index].status = host->status;
		r->hosts[index].is_grouped = host->is_grouped;
		return 0;
	}
	if (hostset_add(r->names, name, err) == -1)
		return -1;
	count = hostset_count(r->names);
	r->hosts = xreallocarray(r->hosts, count, sizeof(*r->hosts));
	r->hosts[count - 1] = *host;
	r->hosts[count - 1].index = count - 1;
	return 0;
}

static int
record_read(struct reader *r, json_t *record, struct error *err)
{
	const char *name, *status;
	size_t name_len;
	struct ended host = {0};
	json_int_t run_hosts = 0;
	json_error_t why;
	json_t *groups;

	if (json_unpack_ex(record, &why, 0, "{s:s% s:s s:I s?I s:o}", "host",
		&name, &name_len, "status", &status, "seq", &host.seq, "hosts",
		&run_hosts, "groups", &groups) == -1)
		return line_refused(r, why.text, err);
	if (!json_is_array(groups))
		return line_refused(r, "its groups are no list", err);
	host.is_grouped = json_array_size(groups) > 0;
	host.status = status_from_name(status, strlen(status));
	if (host.status == STATUS_COUNT)
		return line_refused(r, "unknown status", err);
	if (strlen(name) != name_len || !is_one_host(name))
		return line_refused(
		    r, "its host is not the name of one host", err);
	/* Several runs may have written to one file. */
	if (run_hosts > r->run_hosts)
		r->run_hosts = run_hosts;
	return record_add(r, name, &host, err);
}

/* Returns 0, or -1 with err. */
static int
line_read(struct reader *r, const char *line, size_t len, struct error *err)
{
	json_error_t why;
	json_t *record;
	int rc;

	r->line++;
	record = json_loadb(line, len, JSON_ALLOW_NUL, &why);
	if (record == NULL && line[len - 1] != '\n') {
		log_warn("%s:%zu: the last line is not whole; its host is "
			 "not taken",
		    r->path, r->line);
		return 0;
	}
	if (record == NULL)
		return line_refused(r, why.text, err);
	rc = record_read(r, record, err);
	json_decref(record);
	return rc;
}

static int
file_lines(struct reader *r, struct error *err)
{
	FILE *f = fopen(r->path, "re");
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int rc = 0;

	if (f == NULL)
		return error_set(err, "%s: %s", r->path, strerror(errno));
	while (rc == 0 && (len = getline(&line, &size, f)) != -1)
		rc = line_read(r, line, (size_t)len, err);
	if (rc == 0 && ferror(f))
		rc = error_set(err, "%s: %s", r->path, strerror(errno));
	free(line);
	fclose(f);
	return rc;
}

/* --- hosts --------------------------------------------------------------- */

static int
ended_compare(const void *a, const void *b)
{
	const struct ended *x = a, *y = b;

	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static void
hosts_choose(struct earlier *e, struct reader *r, const bool *wanted)
{
	size_t i, count = hostset_count(r->names);
	const struct ended *host;
	const char *name;

	if (r->hosts == NULL)
		return;
	qsort(r->hosts, count, sizeof(*r->hosts), ended_compare);
	for (i = 0; i < count; i++) {
		host = &r->hosts[i];
		if (!wanted[host->status])
			continue;
		name = hostset_name(r->names, host->index);
		hostset_add(e->hosts, name, NULL);
		if (host->is_grouped)
			hostset_add(e->grouped, name, NULL);
	}
}

int
earlier_read(struct earlier *e, const char *path, const char *statuses,
    struct error *err)
{
	struct reader r = {.path = path};
	bool wanted[STATUS_COUNT] = {false};
	int rc = -1;

	e->hosts = hostset_new();
	e->grouped = hostset_new();
	e->recorded = hostset_new();
	r.names = e->recorded;
	statuses = statuses != NULL ? statuses : EARLIER_NOT_OK;
	if (statuses_parse(wanted, &e->has_missing, statuses, err) == -1 ||
	    file_lines(&r, err) == -1)
		goto out;
	hosts_choose(e, &r, wanted);
	e->run_hosts = (uint64_t)r.run_hosts;
	rc = 0;
out:
	free(r.hosts);
	return rc;
}

bool
earlier_is_short(const struct earlier *e, size_t others)
{
	size_t count = hostset_count(e->recorded);

	return (count == 0 && !e->has_missing) || count + others < e->run_hosts;
}

void
earlier_clear(struct earlier *e)
{
	hostset_free(e->hosts);
	hostset_free(e->grouped);
	hostset_free(e->recorded);
	memset(e, 0, sizeof(*e));
}
