/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a worker asks to be signed: nothing passes but the one request that
 * may, built here anew, byte by byte. The input is the request.
 */
#include "config.h"

#include "fuzz.h"

#include <string.h>

#include "control/signer.h"

#define USER	  "deploy"
#define ALGORITHM "ssh-ed25519"

static void
put_text(struct buf *b, const char *text)
{
	FUZZ_CHECK(buf_put_string(b, text, strlen(text)) == 0);
}

/* RFC 4252 section 7, with the session id that the request begins with. */
static void
put_expected(struct buf *b, const uint8_t *request, size_t len)
{
	struct cursor c = {request, len};
	const uint8_t *session_id = NULL;
	size_t id_len = 0;

	FUZZ_CHECK(cursor_get_string(&c, &session_id, &id_len) == 0);
	FUZZ_CHECK(id_len >= 20 && id_len <= 64);
	buf_put_string(b, session_id, id_len);
	buf_put_u8(b, 50);
	put_text(b, USER);
	put_text(b, "ssh-connection");
	put_text(b, "publickey");
	buf_put_u8(b, 1);
	put_text(b, ALGORITHM);
	put_text(b, "blob");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t blob[] = {'b', 'l', 'o', 'b'};
	const struct identity id = {
	    .algorithm = ALGORITHM, .blob = blob, .blob_len = sizeof(blob)};
	struct error err = {""};
	struct buf expected;
	int rc = signer_check_request(&id, USER, data, size, &err);

	fuzz_check_result(rc, &err);
	if (rc == -1)
		return 0;
	FUZZ_CHECK(signer_check_request(&id, "root", data, size, &err) == -1);
	buf_init(&expected, 1024);
	put_expected(&expected, data, size);
	FUZZ_CHECK(buf_len(&expected) == size);
	FUZZ_CHECK(memcmp(buf_head(&expected), data, size) == 0);
	buf_clear(&expected);
	return 0;
}
