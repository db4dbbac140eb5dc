/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Equal output once, with or without a diff: the same in whatever order the
 * hosts end, and on a terminal no control character of theirs. The input is a
 * byte with flags, and what each host sends: on stdout up to a NUL, on stderr
 * up to the next.
 */
#include "config.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "report/fold.h"
#include "wire/frame.h"

#define HOSTS	     3u
#define FLAG_TTY     1u
#define FLAG_DIFF    2u
#define FLAG_ONE     4u /* the diff is from that of one host */
#define FLAG_ORDERED 8u
#define FLAG_FAILED  16u /* the second host */
#define FLAG_CUT     32u /* not all that is sent is kept */
#define CAPTURE_CUT  20u
#define SHOWN_MAX    ((size_t)16 << 20)

static const char *const names[HOSTS] = {"web1", "web2", "db"};

struct host {
	struct bytes sent[2];
};

struct world {
	struct store *store;
	struct contents *contents;
	struct capture *capture;
	struct fold *fold;
	struct sink sinks[2];
};

static void
world_open(struct world *w, uint8_t flags, struct normalizer *normalizer)
{
	const struct fold_options options = {
	    .is_ordered = (flags & FLAG_ORDERED) != 0,
	    .has_diff = (flags & FLAG_DIFF) != 0,
	    .diff_host = (flags & FLAG_ONE) != 0 ? names[0] : NULL,
	    .normalizer = normalizer};
	uint64_t limit = (flags & FLAG_CUT) != 0 ? CAPTURE_CUT : UINT64_MAX;
	unsigned i;

	memset(w, 0, sizeof(*w));
	w->store = store_new(1u << 20);
	w->contents = contents_new(w->store);
	w->capture = capture_new(HOSTS, limit, w->store, w->contents);
	for (i = 0; i < 2; i++) {
		w->sinks[i].fd = -1;
		w->sinks[i].is_tty = (flags & FLAG_TTY) != 0;
		buf_init(&w->sinks[i].buf, SHOWN_MAX);
	}
	w->fold =
	    fold_new(HOSTS, &options, w->contents, &w->sinks[0], &w->sinks[1]);
}

static void
world_close(struct world *w)
{
	fold_free(w->fold);
	capture_free(w->capture);
	contents_free(w->contents);
	store_free(w->store);
	buf_clear(&w->sinks[0].buf);
	buf_clear(&w->sinks[1].buf);
}

static void
end_host(struct world *w, uint32_t seq, const struct host *hosts, uint8_t flags)
{
	const struct bytes *sent = hosts[seq].sent;
	bool is_ok = seq != 1 || (flags & FLAG_FAILED) == 0;
	const struct record record = {.seq = seq,
	    .host = names[seq],
	    .status = is_ok ? STATUS_OK : STATUS_FAILED,
	    .message = is_ok ? "" : "exit status 1"};
	struct outputs outputs;
	int i;

	for (i = 0; i < 2; i++) {
		if (sent[i].len > 0)
			capture_add(
			    w->capture, seq, 1 + i, sent[i].data, sent[i].len);
	}
	outputs = capture_end(w->capture, seq);
	fold_add(w->fold, &record, &outputs);
	outputs_drop(w->contents, &outputs);
}

/* All of the fold, as it comes. */
static void
show(struct world *w, uint8_t flags, struct buf *shown)
{
	struct buf *out;
	unsigned i;

	while (!fold_is_done(w->fold)) {
		while (fold_step(w->fold))
			continue;
		for (i = 0; i < 2; i++) {
			out = &w->sinks[i].buf;
			FUZZ_CHECK((flags & FLAG_TTY) == 0 ||
			    fuzz_is_shown(buf_head(out), buf_len(out)));
			buf_append(shown, buf_head(out), buf_len(out));
			buf_consume(out, buf_len(out));
		}
	}
}

/* The hosts end in their order, or the other way round. */
static void
run(const struct host hosts[HOSTS], bool is_reversed, uint8_t flags,
    struct buf *shown)
{
	/* One for all inputs: see fuzz_normalize.c. */
	static struct normalizer *normalizer;
	struct world w;
	uint32_t i;

	if (normalizer == NULL)
		normalizer = normalizer_new(NULL, 0, NULL);
	world_open(&w, flags, normalizer);
	for (i = 0; i < HOSTS; i++)
		end_host(&w, is_reversed ? HOSTS - 1 - i : i, hosts, flags);
	show(&w, flags, shown);
	world_close(&w);
}

/* What there is up to a NUL, which is passed by. */
static struct bytes
take_stream(struct cursor *c)
{
	const uint8_t *nul = c->left > 0 ? memchr(c->p, '\0', c->left) : NULL;
	struct bytes b = {c->p, nul != NULL ? (size_t)(nul - c->p) : c->left};
	const uint8_t *p;

	FUZZ_CHECK(cursor_get_bytes(c, &p, b.len + (nul != NULL)) == 0);
	return b;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = {data, size};
	struct host hosts[HOSTS];
	struct buf forth, back;
	uint8_t flags = 0;
	unsigned i;

	cursor_get_u8(&c, &flags);
	for (i = 0; i < HOSTS; i++) {
		hosts[i].sent[0] = take_stream(&c);
		hosts[i].sent[1] = take_stream(&c);
	}
	buf_init(&forth, SHOWN_MAX);
	buf_init(&back, SHOWN_MAX);
	run(hosts, false, flags, &forth);
	run(hosts, true, flags, &back);
	FUZZ_CHECK(fuzz_equal(&forth, &back));
	buf_clear(&forth);
	buf_clear(&back);
	return 0;
}
