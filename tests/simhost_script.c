/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "simhost_script.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simhost_behaviour.h"
#include "util/fdio.h"
#include "util/xalloc.h"

static const char *const count_names[C_COUNT] = {
    [C_CONNECTIONS] = "connections",
    [C_OPEN] = "open",
    [C_MAX_OPEN] = "max-open",
    [C_STARTUPS] = "startups",
    [C_MAX_STARTUPS] = "max-startups",
    [C_AUTH_TRIES] = "auth-tries",
    [C_AUTHS] = "auths",
    [C_REKEYS] = "rekeys",
    [C_CHANNELS] = "channels",
    [C_EXECS] = "execs",
    [C_STARTED] = "started",
    [C_SFTPS] = "sftps",
    [C_REQUESTS] = "requests",
    [C_READ_OPENS] = "read-opens",
    [C_WRITE_OPENS] = "write-opens",
    [C_READ_BYTES] = "read-bytes",
    [C_WRITE_BYTES] = "write-bytes",
    [C_CLOSES] = "closes",
    [C_OPENDIRS] = "opendirs",
    [C_REMOVES] = "removes",
    [C_MKDIRS] = "mkdirs",
    [C_RENAMES] = "renames",
    [C_FSYNCS] = "fsyncs",
};

/* text is "ADDRESS" or "ADDRESS-ADDRESS". */
static int
parse_range(char *text, struct line *l, struct error *err)
{
	char *last = strchr(text, '-');
	struct in_addr in[2];

	if (last != NULL)
		*last++ = '\0';
	else
		last = text;
	if (inet_pton(AF_INET, text, &in[0]) != 1)
		return error_set(err, "'%s' is no address", text);
	if (inet_pton(AF_INET, last, &in[1]) != 1)
		return error_set(err, "'%s' is no address", last);
	l->first = ntohl(in[0].s_addr);
	l->last = ntohl(in[1].s_addr);
	if (l->first >> 24 != 127 || l->last >> 24 != 127)
		return error_set(err, "'%s' is no loopback address", text);
	if (l->last < l->first)
		return error_set(
		    err, "'%s': the range ends before it begins", text);
	return 0;
}

/* A connection that is refused or never made cannot be told from another. */
static int
check_line(const struct line *l, struct error *err)
{
	const struct value *v = l->values;

	if ((v[B_REFUSE].is_on || v[B_BLACKHOLE].is_on) &&
	    (v[B_ONLY].is_on || v[B_AFTER].is_on))
		return error_set(err,
		    "'only' and 'after' do not go with 'refuse', 'blackhole'");
	if (v[B_BANNER].is_on && v[B_BANNER].number == BANNER_SAYS &&
	    !v[B_SAYS].is_on)
		return error_set(err, "'banner=says' needs 'says'");
	if (v[B_DISCONNECT].is_on && v[B_DISCONNECT].number < STAGE_KEX)
		return error_set(err, "'disconnect': only from kex on");
	return 0;
}

static int
parse_line(struct script *s, char *text, struct error *err)
{
	static const char blanks[] = " \t";
	struct line *l;
	char *word, *state = NULL;
	size_t i;

	word = strtok_r(text, blanks, &state);
	if (word == NULL || word[0] == '#')
		return 0;
	s->lines = xreallocarray(s->lines, s->line_count + 1, sizeof(*l));
	l = memset(&s->lines[s->line_count], 0, sizeof(*l));
	if (parse_range(word, l, err) == -1)
		return -1;
	for (i = 0; i < s->line_count; i++) {
		if (l->first <= s->lines[i].last &&
		    s->lines[i].first <= l->last)
			return error_set(err, "'%s' twice", word);
	}
	s->line_count++;
	s->count += (size_t)(l->last - l->first) + 1;
	l->values = xcalloc(B_COUNT, sizeof(*l->values));
	l->good_values = xcalloc(B_COUNT, sizeof(*l->values));
	while ((word = strtok_r(NULL, blanks, &state)) != NULL) {
		if (word[0] == '#')
			break;
		if (behaviour_parse(l->values, word, err) == -1)
			return -1;
	}
	for (i = 0; i < B_COUNT; i++) {
		if (behaviour_is_setting((unsigned int)i))
			l->good_values[i] = l->values[i];
	}
	return check_line(l, err);
}

static void
host_init(struct host *h, uint32_t address, const struct value *values,
    uint64_t *counts)
{
	memset(h, 0, sizeof(*h));
	h->in.s_addr = htonl(address);
	inet_ntop(AF_INET, &h->in, h->address, sizeof(h->address));
	h->values = values;
	h->counts = counts;
	h->root_fd = -1;
}

static void
host_clear(struct host *h)
{
	free(h->root);
	fd_close(&h->root_fd);
}

static void
make_hosts(struct script *s)
{
	struct host *h = s->hosts = xcalloc(s->count, sizeof(*h));
	uint64_t *counts = xcalloc(s->count, C_COUNT * sizeof(*counts));
	const struct line *l;
	uint32_t i;

	for (l = s->lines; l < s->lines + s->line_count; l++) {
		for (i = 0; i <= l->last - l->first; i++, h++) {
			host_init(h, l->first + i, l->values, counts);
			h->is_of_range = l->last > l->first;
			counts += C_COUNT;
			if (!host_has(h, B_ONLY) && !host_has(h, B_AFTER))
				continue;
			h->good = xmalloc(sizeof(*h));
			host_init(
			    h->good, l->first + i, l->good_values, h->counts);
		}
	}
}

int
script_load(struct script *s, const char *path, struct error *err)
{
	char *text, *line, *next;
	struct error why;
	size_t len, number = 0;

	memset(s, 0, sizeof(*s));
	text = file_read(path, 64u << 20, &len, err);
	if (text == NULL)
		return -1;
	for (line = text; line != NULL; line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		number++;
		if (parse_line(s, line, &why) == -1) {
			error_set(err, "%s:%zu: %s", path, number, why.text);
			free(text);
			return -1;
		}
	}
	free(text);
	if (s->count == 0)
		return error_set(err, "%s: no host", path);
	make_hosts(s);
	return 0;
}

void
script_clear(struct script *s)
{
	struct line *l;
	struct host *h;
	size_t b;

	if (s->hosts != NULL)
		free(s->hosts[0].counts); /* of all */
	for (h = s->hosts; s->hosts != NULL && h < s->hosts + s->count; h++) {
		if (h->good != NULL)
			host_clear(h->good);
		free(h->good);
		host_clear(h);
	}
	free(s->hosts);
	for (l = s->lines; l < s->lines + s->line_count; l++) {
		for (b = 0; b < B_COUNT; b++)
			free(l->values[b].text);
		free(l->values);
		free(l->good_values);
	}
	free(s->lines);
	memset(s, 0, sizeof(*s));
}

int
script_write_counts(const struct script *s, const char *path, struct error *err)
{
	char *new_path = xasprintf("%s.new", path);
	FILE *f = fopen(new_path, "we");
	bool is_good = f != NULL;
	const struct host *h;
	size_t c;

	for (h = s->hosts; is_good && h < s->hosts + s->count; h++) {
		for (c = 0; c < C_COUNT; c++)
			fprintf(f, "%s %s %" PRIu64 "\n", h->address,
			    count_names[c], h->counts[c]);
	}
	if (is_good)
		is_good = !ferror(f);
	if (f != NULL && fclose(f) != 0)
		is_good = false;
	if (!is_good || rename(new_path, path) == -1) {
		error_set(err, "%s: %s", new_path, strerror(errno));
		is_good = false;
	}
	free(new_path);
	return is_good ? 0 : -1;
}

struct host *
host_for_connection(struct host *h)
{
	uint64_t before = h->counts[C_CONNECTIONS]++;

	if (host_has(h, B_ONLY) && before >= host_number(h, B_ONLY))
		return h->good;
	if (host_has(h, B_AFTER) && before < host_number(h, B_AFTER))
		return h->good;
	return h;
}
