/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "control/startups.h"

#include <stdlib.h>
#include <strings.h>

#include "control/host_class.h"
#include "util/xalloc.h"

struct server {
	uint32_t handshakes;
	uint32_t first, last; /* parked, in order */
};

struct startups {
	uint32_t limit;
	uint32_t *server_of;
	struct server *servers;
	uint32_t *next; /* parked */
	bool *is_inside;
};

static int
compare_servers(const struct host *a, const struct host *b)
{
	return a->port != b->port ? a->port - b->port
				  : strcasecmp(a->address, b->address);
}

struct startups *
startups_new(const struct host *hosts, uint32_t count, uint32_t limit)
{
	struct startups *s = xcalloc(1, sizeof(*s));
	uint32_t servers, i;

	s->limit = limit > 0 ? limit : UINT32_MAX;
	s->server_of = host_classes(hosts, count, compare_servers, &servers);
	s->servers = xcalloc(servers, sizeof(*s->servers));
	for (i = 0; i < servers; i++)
		s->servers[i].first = STARTUPS_NO_JOB;
	s->next = xcalloc(count, sizeof(*s->next));
	s->is_inside = xcalloc(count, sizeof(*s->is_inside));
	return s;
}

void
startups_free(struct startups *s)
{
	if (s == NULL)
		return;
	free(s->server_of);
	free(s->servers);
	free(s->next);
	free(s->is_inside);
	free(s);
}

bool
startups_enter(struct startups *s, uint32_t job)
{
	struct server *server = &s->servers[s->server_of[job]];

	if (server->handshakes < s->limit) {
		server->handshakes++;
		s->is_inside[job] = true;
		return true;
	}
	s->next[job] = STARTUPS_NO_JOB;
	if (server->first == STARTUPS_NO_JOB)
		server->first = job;
	else
		s->next[server->last] = job;
	server->last = job;
	return false;
}

void
startups_leave(struct startups *s, uint32_t job)
{
	if (!s->is_inside[job])
		return;
	s->is_inside[job] = false;
	s->servers[s->server_of[job]].handshakes--;
}

uint32_t
startups_unpark(struct startups *s, uint32_t job)
{
	struct server *server = &s->servers[s->server_of[job]];
	uint32_t parked = server->first;

	if (parked == STARTUPS_NO_JOB || server->handshakes >= s->limit)
		return STARTUPS_NO_JOB;
	server->first = s->next[parked];
	return parked;
}
