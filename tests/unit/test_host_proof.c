/* SPDX-License-Identifier: GPL-3.0-or-later */
/* host_proof: whose session it is, by what its id is the hash of. */
#include "config.h"

#include "control/host_proof.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "util/buf.h"

static const char host_key[] = "the blob of the host's key";
static const char other_key[] = "the blob of another's key.";

/* What a worker has of a session. */
struct world {
	struct buf exchange, request;
};

static void
put_text(struct buf *b, const char *s)
{
	buf_put_string(b, s, strlen(s));
}

/* RFC 4253 section 8. */
static void
put_exchange(struct buf *b, const char *key)
{
	put_text(b, "SSH-2.0-a_client");
	put_text(b, "SSH-2.0-a_server");
	put_text(b, "KEXINIT of the client");
	put_text(b, "KEXINIT of the server");
	put_text(b, key);
	put_text(b, "e");
	put_text(b, "f");
	put_text(b, "K");
}

static void
put_request(struct world *w, const char *digest)
{
	uint8_t id[EVP_MAX_MD_SIZE];
	size_t len;

	assert_int_equal(
	    EVP_Q_digest(NULL, digest, NULL, buf_head(&w->exchange),
		buf_len(&w->exchange), id, &len),
	    1);
	buf_put_string(&w->request, id, len);
	buf_puts(&w->request, "and the request itself");
}

static void
world_init(struct world *w, const char *key, const char *digest)
{
	buf_init(&w->exchange, 4096);
	buf_init(&w->request, 4096);
	put_exchange(&w->exchange, key);
	put_request(w, digest);
}

static void
world_clear(struct world *w)
{
	buf_clear(&w->exchange);
	buf_clear(&w->request);
}

static struct bytes
bytes_of(const struct buf *b)
{
	return (struct bytes){buf_head(b), buf_len(b)};
}

static int
check_with(const struct world *w, const struct buf *exchange)
{
	struct bytes key = {(const uint8_t *)host_key, strlen(host_key)};
	struct error err = {""};
	int rc = host_proof_check(
	    key, bytes_of(&w->request), bytes_of(exchange), &err);

	assert_true((rc == 0) == (err.text[0] == '\0'));
	return rc;
}

static int
check(const struct world *w)
{
	return check_with(w, &w->exchange);
}

static void
test_the_hash_of_an_exchange_with_the_host_is_its_session(void **state)
{
	static const char *const digests[] = {"SHA256", "SHA384", "SHA512"};
	struct world w;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
		world_init(&w, host_key, digests[i]);
		assert_int_equal(check(&w), 0);
		world_clear(&w);
	}
}

static void
test_an_exchange_with_another_host_is_not(void **state)
{
	struct world own, foreign;

	(void)state;
	world_init(&own, host_key, "SHA256");
	world_init(&foreign, other_key, "SHA256");
	assert_int_equal(check(&foreign), -1);
	/* Nor does an exchange of the host's serve for that session. */
	assert_int_equal(check_with(&foreign, &own.exchange), -1);
	assert_int_equal(check_with(&own, &foreign.exchange), -1);
	world_clear(&own);
	world_clear(&foreign);
}

/* Its key is asked for at its place, not anywhere. */
static void
test_the_key_in_another_place_counts_nothing(void **state)
{
	struct world w;
	size_t i;

	(void)state;
	for (i = 0; i < 8; i++) {
		world_init(&w, other_key, "SHA256");
		buf_consume(&w.exchange, buf_len(&w.exchange));
		buf_consume(&w.request, buf_len(&w.request));
		for (size_t k = 0; k < 8; k++)
			put_text(&w.exchange, k == i ? host_key : other_key);
		put_request(&w, "SHA256");
		assert_int_equal(check(&w), i == 4 ? 0 : -1);
		world_clear(&w);
	}
}

static void
test_what_is_cut_changed_or_longer_counts_nothing(void **state)
{
	struct world w;
	size_t k, len;

	(void)state;
	world_init(&w, host_key, "SHA256");
	len = buf_len(&w.exchange);
	for (k = 0; k < len; k++) {
		buf_head(&w.exchange)[k] ^= 0x40;
		assert_int_equal(check(&w), -1);
		buf_head(&w.exchange)[k] ^= 0x40;
		w.exchange.tail -= len - k;
		assert_int_equal(check(&w), -1);
		w.exchange.tail += len - k;
	}
	assert_int_equal(check(&w), 0);
	for (k = 0; k < 4 + 32; k++) {
		buf_head(&w.request)[k] ^= 0x40;
		assert_int_equal(check(&w), -1);
		buf_head(&w.request)[k] ^= 0x40;
	}
	buf_put_u8(&w.exchange, 0);
	assert_int_equal(check(&w), -1);
	world_clear(&w);
}

/* Whole, with the right hash, and too short for a key to stand in it. */
static void
test_an_exchange_that_ends_before_the_key_counts_nothing(void **state)
{
	struct world w;
	size_t len;

	(void)state;
	world_init(&w, host_key, "SHA256");
	for (len = buf_len(&w.exchange); len-- > 0;) {
		w.exchange.tail = w.exchange.head + len;
		buf_consume(&w.request, buf_len(&w.request));
		put_request(&w, "SHA256");
		assert_int_equal(check(&w),
		    len >= 4 * 4 + 16 + 16 + 21 + 21 + 4 + strlen(host_key)
			? 0
			: -1);
	}
	world_clear(&w);
}

static void
test_older_hashes_count_nothing(void **state)
{
	static const char *const digests[] = {"SHA1", "MD5", "SHA224"};
	struct world w;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
		world_init(&w, host_key, digests[i]);
		assert_int_equal(check(&w), -1);
		world_clear(&w);
	}
	world_init(&w, host_key, "SHA256");
	buf_consume(&w.request, buf_len(&w.request));
	assert_int_equal(check(&w), -1);
	buf_put_string(&w.request, "", 0);
	assert_int_equal(check(&w), -1);
	world_clear(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_the_hash_of_an_exchange_with_the_host_is_its_session),
	    cmocka_unit_test(test_an_exchange_with_another_host_is_not),
	    cmocka_unit_test(test_the_key_in_another_place_counts_nothing),
	    cmocka_unit_test(test_what_is_cut_changed_or_longer_counts_nothing),
	    cmocka_unit_test(
		test_an_exchange_that_ends_before_the_key_counts_nothing),
	    cmocka_unit_test(test_older_hashes_count_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
