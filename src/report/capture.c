/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/capture.h"

#include <stdlib.h>

#include "util/digest.h"
#include "util/xalloc.h"

/* A stream that has sent something. */
struct stream {
	struct blob blob;
	uint64_t sent;
	struct digest *digest; /* of the blob */
};

struct capture {
	struct store *store;
	struct contents *contents;
	uint64_t limit;
	struct stream *(*hosts)[2];
	size_t count;
};

struct capture *
capture_new(size_t hosts, uint64_t limit, struct store *s, struct contents *set)
{
	struct capture *c = xcalloc(1, sizeof(*c));

	c->store = s;
	c->contents = set;
	c->limit = limit;
	c->hosts = xcalloc(hosts, sizeof(*c->hosts));
	c->count = hosts;
	return c;
}

static void
stream_free(struct capture *c, struct stream *s)
{
	if (s == NULL)
		return;
	blob_clear(c->store, &s->blob);
	digest_free(s->digest);
	free(s);
}

void
capture_free(struct capture *c)
{
	size_t i;

	if (c == NULL)
		return;
	for (i = 0; i < c->count; i++) {
		stream_free(c, c->hosts[i][0]);
		stream_free(c, c->hosts[i][1]);
	}
	free(c->hosts);
	free(c);
}

static struct stream *
stream_new(void)
{
	struct stream *s = xcalloc(1, sizeof(*s));

	s->digest = digest_new();
	return s;
}

void
capture_add(
    struct capture *c, size_t host, int stream, const uint8_t *data, size_t len)
{
	struct stream **place = &c->hosts[host][stream - 1], *s = *place;

	if (s == NULL)
		s = *place = stream_new();
	s->sent += len;
	if (len > c->limit - s->blob.size)
		len = (size_t)(c->limit - s->blob.size);
	digest_add(s->digest, data, len);
	blob_append(c->store, &s->blob, data, len);
}

struct outputs
capture_end(struct capture *c, size_t host)
{
	uint8_t digest[DIGEST_BYTES];
	struct outputs o = {{NULL, NULL}, {0, 0}};
	struct stream *s;
	unsigned i;

	for (i = 0; i < 2; i++) {
		s = c->hosts[host][i];
		if (s == NULL)
			continue;
		digest_end(s->digest, digest);
		o.contents[i] = content_take(c->contents, &s->blob, digest);
		o.sent[i] = s->sent;
		stream_free(c, s);
		c->hosts[host][i] = NULL;
	}
	return o;
}

struct outputs
outputs_share(const struct outputs *o)
{
	content_share(o->contents[0]);
	content_share(o->contents[1]);
	return *o;
}

void
outputs_drop(struct contents *set, struct outputs *o)
{
	content_drop(set, o->contents[0]);
	content_drop(set, o->contents[1]);
	o->contents[0] = o->contents[1] = NULL;
}
