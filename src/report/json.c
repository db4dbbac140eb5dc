/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/escape.h"
#include "util/log.h"
#include "util/xalloc.h"

/* RFC 3339, UTC, with milliseconds. */
static json_t *
json_time(uint64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	char day[32], text[48];
	struct tm tm;

	if (wall_ms == 0)
		return json_null();
	gmtime_r(&seconds, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(
	    text, sizeof(text), "%s.%03uZ", day, (unsigned)(wall_ms % 1000));
	return json_string(text);
}

static json_t *
json_groups(const char *groups)
{
	json_t *list = json_array();
	size_t len;

	while (*groups != '\0') {
		len = strcspn(groups, ",");
		json_array_append_new(list, json_stringn(groups, len));
		groups += len + (groups[len] == ',');
	}
	return list;
}

/* What only transfers have. */
static void
json_transfer(json_t *object, const struct record *r)
{
	json_object_set_new(
	    object, "bytes", json_integer((json_int_t)r->bytes));
	json_object_set_new(
	    object, "files", json_integer((json_int_t)r->files));
	json_object_set_new(
	    object, "unchanged", json_integer((json_int_t)r->unchanged));
	json_object_set_new(object, "sha256",
	    r->sha256[0] != '\0' ? json_string(r->sha256) : json_null());
}

char *
json_record(const struct record *r)
{
	char *message = escape_string(r->message), *line;
	char *signal = escape_string(r->signal);
	json_t *object;

	object = json_pack(
	    "{s:I s:s s:s s:o s:s s:b s:s s:o s:o s:s s:i s:o s:I s:i s:i s:I "
	    "s:I}",
	    "seq", (json_int_t)r->seq, "host", r->host, "address", r->address,
	    "groups", json_groups(r->groups), "status", status_name(r->status),
	    "ok", r->status == STATUS_OK, "stage", stage_name(r->stage),
	    "exit_code",
	    r->has_exit_code ? json_integer(r->exit_code) : json_null(),
	    "signal", signal[0] != '\0' ? json_string(signal) : json_null(),
	    "message", message, "attempts", (int)r->attempts, "started_at",
	    json_time(r->started_at_ms), "cost_ms", (json_int_t)r->cost_ms,
	    "connect_ms", (int)r->connect_ms, "auth_ms", (int)r->auth_ms,
	    "stdout_bytes", (json_int_t)r->stdout_bytes, "stderr_bytes",
	    (json_int_t)r->stderr_bytes);
	free(message);
	free(signal);
	if (object == NULL)
		fatal("a record can't be written as JSON");
	if (r->is_transfer)
		json_transfer(object, r);
	line = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	if (line == NULL)
		fatal("out of memory (JSON)");
	return line;
}
