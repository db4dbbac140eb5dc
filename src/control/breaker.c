/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "control/breaker.h"

#include <stdlib.h>
#include <string.h>

#include "control/host_class.h"
#include "util/path.h"
#include "util/xalloc.h"

struct breaker {
	const struct host *hosts;
	uint32_t limit;
	uint32_t *credential_of;
	uint32_t *refusals; /* in a row, of each credential */
};

static int
compare_credentials(const struct host *a, const struct host *b)
{
	int order = strcmp(a->user, b->user);

	if (order == 0)
		order = host_compare_text(a->identity_file, b->identity_file);
	if (order == 0)
		order = host_compare_text(a->password, b->password);
	return order;
}

struct breaker *
breaker_new(const struct host *hosts, uint32_t count, uint32_t limit)
{
	struct breaker *b = xcalloc(1, sizeof(*b));
	uint32_t credentials;

	b->hosts = hosts;
	b->limit = limit > 0 ? limit : UINT32_MAX;
	b->credential_of =
	    host_classes(hosts, count, compare_credentials, &credentials);
	b->refusals = xcalloc(credentials, sizeof(*b->refusals));
	return b;
}

void
breaker_free(struct breaker *b)
{
	if (b == NULL)
		return;
	free(b->credential_of);
	free(b->refusals);
	free(b);
}

void
breaker_accepted(struct breaker *b, uint32_t job)
{
	/* Hosts that were in flight may still log in; too late. */
	if (!breaker_is_broken(b, job))
		b->refusals[b->credential_of[job]] = 0;
}

bool
breaker_denied(struct breaker *b, uint32_t job)
{
	if (breaker_is_broken(b, job))
		return false;
	b->refusals[b->credential_of[job]]++;
	return breaker_is_broken(b, job);
}

bool
breaker_is_broken(const struct breaker *b, uint32_t job)
{
	return b->refusals[b->credential_of[job]] >= b->limit;
}

char *
breaker_reason(const struct breaker *b, uint32_t job)
{
	const struct host *host = &b->hosts[job];
	const char *file = host->identity_file;

	return xasprintf("login as %s with %s%s%s failed %u times in a row",
	    host->user, file != NULL ? "key " : "default keys",
	    file != NULL ? path_base(file) : "",
	    host->password != NULL ? " and password" : "", b->limit);
}
