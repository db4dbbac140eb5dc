/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The proof that a session is the host's: what proves one session id proves no
 * other, and stands alone. The input is two strings as in a packet, the host's
 * key and the key exchange, and the request that begins with the session's id.
 */
#include "config.h"

#include "fuzz.h"

#include <stdlib.h>

#include "control/host_proof.h"
#include "util/xalloc.h"

struct claim {
	struct bytes key, exchange, request;
};

static int
check(const struct claim *c)
{
	struct error err = {""};
	int rc = host_proof_check(c->key, c->request, c->exchange, &err);

	fuzz_check_result(rc, &err);
	return rc;
}

/* The same claim with one bit of the id, or the length of a part, changed. */
static void
check_others(const struct claim *c, const struct bytes *id)
{
	uint8_t *request = xmemdup(c->request.data, c->request.len);
	struct claim other = *c;

	other.exchange.len--;
	FUZZ_CHECK(check(&other) == -1);
	other = *c;
	other.request.len = sizeof(uint32_t) + id->len;
	FUZZ_CHECK(check(&other) == 0);
	other.request.len--;
	FUZZ_CHECK(check(&other) == -1);
	if (id->len > 0) {
		request[sizeof(uint32_t) + id->len / 2] ^= 1;
		other.request = (struct bytes){request, c->request.len};
		FUZZ_CHECK(check(&other) == -1);
	}
	free(request);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor in = {data, size}, request;
	struct claim c;
	struct bytes id;

	if (cursor_get_string(&in, &c.key.data, &c.key.len) == -1 ||
	    cursor_get_string(&in, &c.exchange.data, &c.exchange.len) == -1)
		return 0;
	c.request = (struct bytes){in.p, in.left};
	if (check(&c) == -1)
		return 0;
	request = in;
	FUZZ_CHECK(cursor_get_string(&request, &id.data, &id.len) == 0);
	check_others(&c, &id);
	return 0;
}
