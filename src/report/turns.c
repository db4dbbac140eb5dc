/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is held of a host is one blob of chunks, each with a header, so that
 * stdout and stderr come out in the order in which they came. It is given back
 * as soon as all of it is taken.
 */
#include "config.h"

#include "report/turns.h"

#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

struct chunk {
	uint32_t stream;
	uint32_t len;
};

struct held {
	struct blob blob;
	uint64_t taken;	    /* of the blob */
	struct chunk chunk; /* what is left of the one being taken */
	const char *name;
};

struct turns {
	struct store *store;
	struct contents *contents;
	struct held **held; /* by host; NULL: not ordered */
	struct ended **ended;
	uint32_t *order; /* of ends; NULL: that of selection */
	size_t count;	 /* of hosts */
	size_t ended_count;
	size_t now; /* so many had their turn */
};

struct turns *
turns_new(size_t hosts, bool is_ordered, struct store *s, struct contents *set)
{
	struct turns *t = xcalloc(1, sizeof(*t));

	t->store = s;
	t->contents = set;
	t->ended = xcalloc(hosts, sizeof(struct ended *));
	if (is_ordered)
		t->held = xcalloc(hosts, sizeof(struct held *));
	else
		t->order = xcalloc(hosts, sizeof(*t->order));
	t->count = hosts;
	return t;
}

static void
held_free(struct turns *t, size_t host)
{
	if (t->held == NULL || t->held[host] == NULL)
		return;
	blob_clear(t->store, &t->held[host]->blob);
	free(t->held[host]);
	t->held[host] = NULL;
}

void
turns_free(struct turns *t)
{
	size_t i;

	if (t == NULL)
		return;
	for (i = 0; i < t->count; i++) {
		held_free(t, i);
		ended_free(t->contents, t->ended[i]);
	}
	free(t->held);
	free(t->ended);
	free(t->order);
	free(t);
}

bool
turns_is_now(const struct turns *t, size_t host)
{
	return t->held == NULL || (host == t->now && t->held[host] == NULL);
}

void
turns_hold(struct turns *t, size_t host, const char *name, int stream,
    const uint8_t *data, size_t len)
{
	struct chunk chunk = {(uint32_t)stream, (uint32_t)len};
	struct held *h = t->held[host];

	if (len == 0)
		return;
	if (h == NULL) {
		h = t->held[host] = xcalloc(1, sizeof(*h));
		h->name = name;
	}
	blob_append(t->store, &h->blob, &chunk, sizeof(chunk));
	blob_append(t->store, &h->blob, data, len);
}

void
turns_end(
    struct turns *t, const struct record *record, const struct outputs *outputs)
{
	struct ended *e = xcalloc(1, sizeof(*e));

	e->record = *record;
	e->record.advice = NULL; /* is of no use here */
	e->record.address = e->strings[0] = xstrdup(record->address);
	e->record.signal = e->strings[1] = xstrdup(record->signal);
	e->record.message = e->strings[2] = xstrdup(record->message);
	e->record.sha256 = e->strings[3] = xstrdup(record->sha256);
	e->outputs = *outputs;
	t->ended[record->seq] = e;
	if (t->held != NULL && t->held[record->seq] != NULL)
		blob_seal(t->store, &t->held[record->seq]->blob);
	if (t->order != NULL)
		t->order[t->ended_count] = record->seq;
	t->ended_count++;
}

/* The host whose turn it is. There is one. */
static size_t
turns_host(const struct turns *t)
{
	return t->order != NULL ? t->order[t->now] : t->now;
}

bool
turns_has_more(const struct turns *t)
{
	if (t->order != NULL)
		return t->now < t->ended_count;
	return t->now < t->count &&
	    (t->held[t->now] != NULL || t->ended[t->now] != NULL);
}

/* Go on to the next chunk. Returns whether there is one. */
static bool
held_chunk(struct turns *t, struct held *h)
{
	struct chunk chunk;

	if (blob_read(t->store, &h->blob, h->taken, &chunk, sizeof(chunk)) !=
	    sizeof(chunk))
		return false;
	h->chunk = chunk;
	h->taken += sizeof(chunk);
	return true;
}

size_t
turns_held(struct turns *t, size_t *host, const char **name, int *stream,
    uint8_t *data, size_t size)
{
	struct held *h;
	size_t n = 0;

	if (t->held == NULL || t->now == t->count || t->held[t->now] == NULL)
		return 0;
	h = t->held[t->now];
	if (h->chunk.len > 0 || held_chunk(t, h)) {
		n = blob_read(t->store, &h->blob, h->taken, data,
		    size < h->chunk.len ? size : h->chunk.len);
		h->taken += n;
		h->chunk.len -= (uint32_t)n;
		*host = t->now;
		*name = h->name;
		*stream = (int)h->chunk.stream;
	}
	/* A store that is broken has nothing more to give. */
	if (n == 0 || h->taken == h->blob.size)
		held_free(t, t->now);
	return n;
}

struct ended *
turns_next(struct turns *t)
{
	struct ended *e;
	size_t host;

	if (!turns_has_more(t))
		return NULL;
	host = turns_host(t);
	e = t->ended[host];
	if (e == NULL || !turns_is_now(t, host))
		return NULL;
	t->ended[host] = NULL;
	t->now++;
	return e;
}

void
ended_free(struct contents *set, struct ended *e)
{
	size_t i;

	if (e == NULL)
		return;
	for (i = 0; i < sizeof(e->strings) / sizeof(e->strings[0]); i++)
		free(e->strings[i]);
	outputs_drop(set, &e->outputs);
	free(e);
}
