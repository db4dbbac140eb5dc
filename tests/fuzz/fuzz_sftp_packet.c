/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packets of an SFTP server, one at a time: what is read of attributes is what
 * stood there, and names are no more than their packet has. The input is a
 * packet from its type on, as after its length.
 */
#include "config.h"

#include "fuzz.h"

#include <string.h>

#include "worker/sftp_packet.h"

static void
check_version(struct cursor body)
{
	unsigned extensions = 0;
	uint32_t version;

	if (sftp_version_read(&body, &version, &extensions) == 0) {
		FUZZ_CHECK(body.left == 0);
		FUZZ_CHECK(extensions < 2u * SFTP_LIMITS);
	}
}

/* The attributes written again are the bytes that they were read from. */
static void
check_attrs(const struct sftp_attrs *attrs, const struct cursor *body)
{
	static const uint32_t known =
	    SFTP_ATTR_SIZE | SFTP_ATTR_IDS | SFTP_ATTR_MODE | SFTP_ATTR_TIMES;
	struct buf out;

	FUZZ_CHECK((attrs->flags & SFTP_ATTR_SIZE) != 0 || attrs->size == 0);
	FUZZ_CHECK((attrs->flags & SFTP_ATTR_MODE) != 0 || attrs->mode == 0);
	FUZZ_CHECK((attrs->flags & SFTP_ATTR_TIMES) != 0 || attrs->mtime == 0);
	if ((attrs->flags & ~known) != 0)
		return;
	buf_init(&out, 64);
	sftp_put_attrs(&out, attrs);
	FUZZ_CHECK(buf_len(&out) <= body->left);
	FUZZ_CHECK(memcmp(buf_head(&out), body->p, buf_len(&out)) == 0);
	buf_clear(&out);
}

static void
check_names(struct sftp_reply *r, size_t size)
{
	uint32_t count = r->count;
	struct sftp_attrs attrs;
	struct bytes name;
	size_t total = 0;
	uint32_t names;
	int rc;

	for (names = 0; (rc = sftp_name_next(r, &name, &attrs)) == 1; names++)
		total += name.len + 12;
	FUZZ_CHECK(rc == -1 || names == count);
	FUZZ_CHECK(names <= count && total <= size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = {data, size};
	struct sftp_reply r;
	struct cursor body;
	uint8_t type = 0;

	cursor_get_u8(&c, &type);
	check_version(c);
	body = c;
	if (sftp_reply_read(&r, (enum sftp_type)type, &body) == -1)
		return 0;
	FUZZ_CHECK(r.type == (enum sftp_type)type);
	FUZZ_CHECK(r.handle.len <= SFTP_HANDLE_MAX);
	FUZZ_CHECK(sftp_words(&r).len > 0);
	if (r.type == SFTP_ATTRS)
		check_attrs(&r.attrs, &c);
	if (r.type == SFTP_NAME)
		check_names(&r, size);
	return 0;
}
