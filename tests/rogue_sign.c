/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "rogue.h"
#include "util/log.h"

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

/* RFC 4252 section 7. */
static void
put_request(struct buf *b, const struct rogue *r, const char *wrong)
{
	struct cursor keys = {r->spec.keys.data, r->spec.keys.len};
	struct bytes algorithm = rogue_text(""), blob = rogue_text("");
	uint8_t id[ROGUE_ID_BYTES];
	size_t id_len = sizeof(id);

	cursor_get_string(&keys, &algorithm.data, &algorithm.len);
	cursor_get_string(&keys, &blob.data, &blob.len);
	memcpy(id, r->session_id, sizeof(id));
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

/* The host's signature over the session's id, as a key exchange has it. */
static void
put_proof(struct buf *b, const struct rogue *r, const char *wrong)
{
	const struct identity *key =
	    strcmp(wrong, "foreign") == 0 ? r->other_key : r->host_key;
	struct error err;
	uint8_t *sig;
	size_t len;

	if (strcmp(wrong, "unproved") == 0)
		return;
	if (identity_sign(key, r->session_id, sizeof(r->session_id), &sig, &len,
		&err) == -1)
		fatal("%s", err.text);
	put_text(b, key->algorithm);
	buf_put_string(b, sig, len);
	free(sig);
}

void
rogue_sign(struct rogue *r, uint32_t job, const char *wrong)
{
	struct msg_sign msg = {strcmp(wrong, "index") == 0 ? 7 : 0};
	struct buf request, proof;

	if (!r->has_job)
		return;
	r->honest_signs += strcmp(wrong, ROGUE_HONEST) == 0 && job == r->job;
	buf_init(&request, FRAME_MAX);
	buf_init(&proof, FRAME_MAX);
	put_request(&request, r, wrong);
	put_proof(&proof, r, wrong);
	msg.request = (struct bytes){buf_head(&request), buf_len(&request)};
	msg.proof = (struct bytes){buf_head(&proof), buf_len(&proof)};
	rogue_send(r, FRAME_SIGN, job, &msg);
	buf_clear(&request);
	buf_clear(&proof);
}
