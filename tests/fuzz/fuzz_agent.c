/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Replies of an agent: each request for a signature is answered once, in its
 * order, whatever comes and in whatever pieces. The input is a byte that says
 * how many signatures are asked for and whether the keys are listed, one with
 * the size of the pieces, and what the agent sends before it goes.
 */
#include "config.h"

#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/agent.h"

#define SIGNS_MAX 3u
#define LISTS	  4u /* bit of the first byte */
/* Nothing is waited for: the agent has said all, and is gone. */
#define LIST_MS 10000u
/* More calls than an input has bytes. */
#define CALLS_MAX 100000

/* A socket that listens; its path leads to it, but is in no directory. */
struct place {
	int listener, link;
	char path[32];
};

static void
place_open(struct place *p)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	char dir[] = "/tmp/fuzz_agent.XXXXXX";

	FUZZ_CHECK(mkdtemp(dir) != NULL);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/s", dir);
	p->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FUZZ_CHECK(bind(p->listener, (const struct sockaddr *)&addr,
		       sizeof(addr)) == 0);
	FUZZ_CHECK(listen(p->listener, 1) == 0);
	p->link = open(addr.sun_path, O_PATH | O_CLOEXEC);
	FUZZ_CHECK(p->link != -1);
	FUZZ_CHECK(unlink(addr.sun_path) == 0 && rmdir(dir) == 0);
	snprintf(p->path, sizeof(p->path), "/proc/self/fd/%d", p->link);
}

/* There is one, since to make it takes longer than most inputs. */
static const struct place *
place_get(void)
{
	static struct place place = {-1, -1, ""};

	if (place.listener == -1)
		place_open(&place);
	return &place;
}

/* What has become of the requests. */
struct answers {
	uint64_t next;
	struct buf text;
};

static void
take_signature(void *ctx, uint64_t ticket, const uint8_t *sig, size_t sig_len,
    const char *why)
{
	struct answers *a = ctx;

	FUZZ_CHECK(ticket == a->next++);
	FUZZ_CHECK((sig == NULL) == (why != NULL));
	FUZZ_CHECK(sig == NULL || sig_len > 0);
	if (sig != NULL)
		buf_put_string(&a->text, sig, sig_len);
	else
		buf_puts(&a->text, why);
}

static void
ask_for_signatures(struct agent *agent, unsigned count, struct answers *a)
{
	static const char *const algorithms[] = {
	    "ssh-ed25519", "rsa-sha2-512", "ecdsa-sha2-nistp256"};
	static const uint8_t bytes[] = "bytes";
	unsigned i;

	for (i = 0; i < count; i++)
		agent_sign(agent, bytes, sizeof(bytes), bytes, sizeof(bytes),
		    algorithms[i], i, take_signature, a);
}

static void
list_keys(struct agent *agent, size_t said)
{
	const struct agent_key *keys;
	struct error err = {""};
	ssize_t count = agent_list(agent, LIST_MS, &keys, &err), i;
	size_t len, total = 0;

	fuzz_check_result(count == -1 ? -1 : 0, &err);
	for (i = 0; i < count; i++) {
		len = strlen(keys[i].comment);
		FUZZ_CHECK(fuzz_is_shown(keys[i].comment, len));
		FUZZ_CHECK(strpbrk(keys[i].comment, "\n\t") == NULL);
		total += 8 + keys[i].blob_len + len;
	}
	FUZZ_CHECK(total <= said);
}

/* The agent says the rest of c in pieces, and goes. */
static void
hear_all(struct agent *agent, int peer, struct cursor c, size_t piece)
{
	const uint8_t *p = NULL;
	size_t n;
	int calls;

	while (c.left > 0) {
		n = c.left < piece ? c.left : piece;
		FUZZ_CHECK(cursor_get_bytes(&c, &p, n) == 0);
		/* It fails when the agent is not listened to any more. */
		if (send(peer, p, n, MSG_NOSIGNAL) != (ssize_t)n)
			break;
		agent_handle(agent);
	}
	shutdown(peer, SHUT_WR);
	for (calls = 0; agent_fd(agent) != -1; calls++) {
		FUZZ_CHECK(calls < CALLS_MAX);
		agent_handle(agent);
	}
}

static void
run(const struct place *place, uint8_t flags, struct cursor said, size_t piece,
    struct answers *a)
{
	unsigned count = flags % (SIGNS_MAX + 1);
	struct error err = {""};
	struct agent *agent = agent_connect(place->path, &err);
	int peer = accept(place->listener, NULL, NULL);

	FUZZ_CHECK(agent != NULL && peer != -1);
	ask_for_signatures(agent, count, a);
	if ((flags & LISTS) != 0) {
		FUZZ_CHECK(said.left == 0 ||
		    send(peer, said.p, said.left, MSG_NOSIGNAL) ==
			(ssize_t)said.left);
		shutdown(peer, SHUT_WR);
		list_keys(agent, said.left);
		said.left = 0;
	}
	hear_all(agent, peer, said, piece);
	FUZZ_CHECK(a->next == count);
	agent_free(agent);
	close(peer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct answers whole = {0}, pieces = {0};
	struct cursor c = {data, size};
	const struct place *place = place_get();
	uint8_t flags = 0, piece = 0;

	cursor_get_u8(&c, &flags);
	cursor_get_u8(&c, &piece);
	buf_init(&whole.text, SIGNS_MAX * size + 1024);
	buf_init(&pieces.text, SIGNS_MAX * size + 1024);
	run(place, flags, c, size + 1, &whole);
	run(place, flags, c, piece + 1u, &pieces);
	FUZZ_CHECK(fuzz_equal(&whole.text, &pieces.text));
	buf_clear(&whole.text);
	buf_clear(&pieces.text);
	return 0;
}
