/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "rogue.h"
#include "util/digest.h"

struct bytes
rogue_text(const char *s)
{
	return (struct bytes){(const uint8_t *)s, strlen(s)};
}

static void
put_text(struct buf *b, const char *s)
{
	buf_put_string(b, s, strlen(s));
}

/* What the session's id is the hash of: RFC 4253 section 8. */
static void
put_exchange(struct buf *b, const struct rogue *r, const char *wrong)
{
	const struct identity *key =
	    strcmp(wrong, "foreign") == 0 ? r->other_key : r->host_key;

	put_text(b, "SSH-2.0-client");
	put_text(b, "SSH-2.0-server");
	put_text(b, "KEXINIT of the client");
	put_text(b, "KEXINIT of the server");
	buf_put_string(b, key->blob, key->blob_len);
	buf_put_u32(b, r->job); /* in the place of e, f and K */
}

/* RFC 4252 section 7, of the session with this exchange. */
static void
put_request(struct buf *b, const struct rogue *r, const struct buf *exchange,
    uint32_t index, const char *wrong)
{
	struct cursor keys = {r->spec.keys.data, r->spec.keys.len};
	struct bytes algorithm = rogue_text(""), blob = rogue_text("");
	struct digest *digest = digest_new();
	uint8_t id[DIGEST_BYTES];
	size_t id_len = sizeof(id);

	digest_add(digest, buf_head(exchange), buf_len(exchange));
	digest_end(digest, id);
	digest_free(digest);
	do {
		cursor_get_string(&keys, &algorithm.data, &algorithm.len);
		cursor_get_string(&keys, &blob.data, &blob.len);
	} while (index-- > 0);
	if (strcmp(wrong, "session") == 0)
		id[0] ^= 1;
	if (strcmp(wrong, "no-session") == 0)
		id_len = 0;
	if (strcmp(wrong, "algorithm") == 0)
		algorithm = rogue_text("ssh-rsa");
	if (strcmp(wrong, "key") == 0)
		blob = (struct bytes){r->host_key->blob, r->host_key->blob_len};
	buf_put_string(b, id, id_len);
	buf_put_u8(b, strcmp(wrong, "type") == 0 ? 51 : 50);
	put_text(b, strcmp(wrong, "user") == 0 ? "root" : r->spec.user);
	put_text(b,
	    strcmp(wrong, "service") == 0 ? "ssh-userauth" : "ssh-connection");
	put_text(b, strcmp(wrong, "method") == 0 ? "hostbased" : "publickey");
	buf_put_u8(b, strcmp(wrong, "flag") != 0);
	buf_put_string(b, algorithm.data, algorithm.len);
	buf_put_string(b, blob.data, blob.len);
	if (strcmp(wrong, "behind") == 0)
		buf_put_u8(b, 0);
}

void
rogue_sign(struct rogue *r, uint32_t job, const char *wrong)
{
	struct msg_sign msg = {strcmp(wrong, "second") == 0 ? 1 : 0};
	struct buf request, exchange;

	if (!r->has_job)
		return;
	if (strcmp(wrong, ROGUE_HONEST) == 0 && job == r->job && r->may_sign) {
		r->honest_signs++;
		r->may_sign = false;
	}
	buf_init(&request, FRAME_MAX);
	buf_init(&exchange, FRAME_MAX);
	put_exchange(&exchange, r, wrong);
	put_request(&request, r, &exchange, msg.key, wrong);
	if (strcmp(wrong, "index") == 0)
		msg.key = 7;
	msg.request = (struct bytes){buf_head(&request), buf_len(&request)};
	if (strcmp(wrong, "unproved") != 0)
		msg.exchange =
		    (struct bytes){buf_head(&exchange), buf_len(&exchange)};
	rogue_send(r, FRAME_SIGN, job, &msg);
	buf_clear(&request);
	buf_clear(&exchange);
}
