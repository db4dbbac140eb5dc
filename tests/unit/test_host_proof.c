/* SPDX-License-Identifier: GPL-3.0-or-later */
/* host_proof: a session is the host's that has signed its id, and no other. */
#include "config.h"

#include "control/host_proof.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/identity.h"
#include "keys.h"
#include "util/buf.h"

static const char *const names[] = {
    "ed25519", "ecdsa-256", "ecdsa-384", "ecdsa-521", "rsa-2048"};
#define NAMES (sizeof(names) / sizeof(names[0]))

static const uint8_t session_id[48] = "the hash of the first key exchange";

/* What a worker has of a session: its host's key, a request, a proof. */
struct world {
	struct identity *id;
	struct buf request, proof;
};

static void
put_proof(struct buf *b, const struct identity *id, const char *algorithm)
{
	struct error err;
	uint8_t *sig;
	size_t len;

	if (identity_sign(
		id, session_id, sizeof(session_id), &sig, &len, &err) == -1)
		fail_msg("%s", err.text);
	buf_put_string(b, algorithm, strlen(algorithm));
	buf_put_string(b, sig, len);
	free(sig);
}

static void
world_init(struct world *w, const char *name)
{
	struct error err;

	assert_int_equal(identity_read_file(name, &w->id, &err), IDENTITY_OK);
	buf_init(&w->request, 4096);
	buf_init(&w->proof, 4096);
	buf_put_string(&w->request, session_id, sizeof(session_id));
	buf_puts(&w->request, "and the request itself");
	put_proof(&w->proof, w->id, w->id->algorithm);
}

static void
world_clear(struct world *w)
{
	identity_free(w->id);
	buf_clear(&w->request);
	buf_clear(&w->proof);
}

static int
check(const struct world *w, const struct identity *id)
{
	struct bytes key = {id->blob, id->blob_len};
	struct bytes request = {buf_head(&w->request), buf_len(&w->request)};
	struct bytes proof = {buf_head(&w->proof), buf_len(&w->proof)};
	struct error err = {""};
	int rc = host_proof_check(key, request, proof, &err);

	assert_true((rc == 0) == (err.text[0] == '\0'));
	return rc;
}

static void
test_each_type_of_key_proves_its_sessions(void **state)
{
	struct identity *older;
	struct world w;
	size_t i;

	(void)state;
	for (i = 0; i < NAMES; i++) {
		world_init(&w, names[i]);
		assert_int_equal(check(&w, w.id), 0);
		older = identity_rsa_sha256(w.id);
		if (older != NULL) {
			buf_consume(&w.proof, buf_len(&w.proof));
			put_proof(&w.proof, older, "rsa-sha2-256");
			assert_int_equal(check(&w, w.id), 0);
		}
		identity_free(older);
		world_clear(&w);
	}
}

static void
test_another_session_or_key_does_not(void **state)
{
	struct world w, other;
	size_t i, k;

	(void)state;
	for (i = 0; i < NAMES; i++) {
		world_init(&w, names[i]);
		for (k = 0; k < NAMES; k++) {
			world_init(&other, names[k]);
			assert_int_equal(check(&w, other.id), i == k ? 0 : -1);
			world_clear(&other);
		}
		buf_head(&w.request)[4 + sizeof(session_id) - 1] ^= 1;
		assert_int_equal(check(&w, w.id), -1);
		world_clear(&w);
	}
	world_init(&w, "ed25519");
	world_init(&other, "other");
	assert_int_equal(check(&w, other.id), -1);
	world_clear(&other);
	world_clear(&w);
}

static void
test_a_proof_that_is_cut_changed_or_longer_is_none(void **state)
{
	struct world w;
	size_t i, k, len;

	(void)state;
	for (i = 0; i < NAMES; i++) {
		world_init(&w, names[i]);
		len = buf_len(&w.proof);
		for (k = 0; k < len; k++) {
			buf_head(&w.proof)[k] ^= 0x40;
			assert_int_equal(check(&w, w.id), -1);
			buf_head(&w.proof)[k] ^= 0x40;
			w.proof.tail -= len - k;
			assert_int_equal(check(&w, w.id), -1);
			w.proof.tail += len - k;
		}
		assert_int_equal(check(&w, w.id), 0);
		buf_put_u8(&w.proof, 0);
		assert_int_equal(check(&w, w.id), -1);
		world_clear(&w);
	}
}

static void
test_only_algorithms_that_we_offer_count(void **state)
{
	static const char *const algorithms[] = {"ssh-rsa", "rsa-sha2-256",
	    "ssh-ed25519", "ssh-rsa-cert-v01@openssh.com", ""};
	struct world w;
	size_t i;

	(void)state;
	world_init(&w, "rsa-2048");
	for (i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
		buf_consume(&w.proof, buf_len(&w.proof));
		put_proof(&w.proof, w.id, algorithms[i]);
		assert_int_equal(check(&w, w.id), -1);
	}
	world_clear(&w);
}

/* Of the right shape, and no point of the curve. */
static void
test_a_key_that_openssl_refuses_proves_nothing(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "ecdsa-256");
	w.id->blob[w.id->blob_len - 1] ^= 1;
	assert_int_equal(check(&w, w.id), -1);
	w.id->blob_len--;
	assert_int_equal(check(&w, w.id), -1);
	w.id->blob_len = 0;
	assert_int_equal(check(&w, w.id), -1);
	world_clear(&w);
}

static int
setup(void **state)
{
	size_t i;

	if (keys_setup(state) == -1)
		return -1;
	for (i = 0; i < NAMES; i++)
		keys_make(names[i], names[i], "");
	keys_make("other", "ed25519", "");
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_type_of_key_proves_its_sessions),
	    cmocka_unit_test(test_another_session_or_key_does_not),
	    cmocka_unit_test(
		test_a_proof_that_is_cut_changed_or_longer_is_none),
	    cmocka_unit_test(test_only_algorithms_that_we_offer_count),
	    cmocka_unit_test(test_a_key_that_openssl_refuses_proves_nothing),
	};

	return cmocka_run_group_tests(tests, setup, keys_teardown);
}
