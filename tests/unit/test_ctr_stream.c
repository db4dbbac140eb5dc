/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "worker/ctr_stream.h"

#define TOTAL (16 * 1000) /* more than one refill */

static const uint8_t key[32] = "0123456789abcdef0123456789abcde";
/* The counter runs over within the first blocks. */
static const uint8_t iv[16] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255, 255, 255, 255, 255, 250};

static EVP_CIPHER_CTX *
context(const EVP_CIPHER *cipher)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	assert_non_null(ctx);
	assert_int_equal(EVP_CipherInit(ctx, cipher, key, iv, 1), 1);
	return ctx;
}

static void
fill(uint8_t *data)
{
	size_t i;

	for (i = 0; i < TOTAL; i++)
		data[i] = (uint8_t)(i * 7 + i / 251);
}

static void
compare(const EVP_CIPHER *cipher)
{
	uint8_t data[TOTAL], expected[TOTAL], block[16];
	EVP_CIPHER_CTX *whole = context(cipher), *blocks = context(cipher);
	size_t i;
	int len;

	fill(data);
	assert_int_equal(
	    EVP_CipherUpdate(whole, expected, &len, data, TOTAL), 1);
	assert_int_equal(len, TOTAL);
	for (i = 0; i < TOTAL; i += 16) {
		assert_true(EVP_Cipher(blocks, block, data + i, 16) > 0);
		assert_memory_equal(block, expected + i, 16);
	}
	/* This is what makes it quick. */
	assert_non_null(EVP_CIPHER_CTX_get_app_data(blocks));
	EVP_CIPHER_CTX_free(whole);
	EVP_CIPHER_CTX_free(blocks);
}

static void
blocks_give_what_the_whole_gives(void **state)
{
	(void)state;
	compare(EVP_aes_128_ctr());
	compare(EVP_aes_192_ctr());
	compare(EVP_aes_256_ctr());
}

static void
a_block_may_be_encrypted_in_place(void **state)
{
	uint8_t data[TOTAL], expected[TOTAL];
	EVP_CIPHER_CTX *whole = context(EVP_aes_128_ctr());
	EVP_CIPHER_CTX *blocks = context(EVP_aes_128_ctr());
	size_t i;
	int len;

	(void)state;
	fill(data);
	assert_int_equal(
	    EVP_CipherUpdate(whole, expected, &len, data, TOTAL), 1);
	for (i = 0; i < TOTAL; i += 16)
		assert_true(EVP_Cipher(blocks, data + i, data + i, 16) > 0);
	assert_memory_equal(data, expected, TOTAL);
	EVP_CIPHER_CTX_free(whole);
	EVP_CIPHER_CTX_free(blocks);
}

static void
calls_may_have_any_length(void **state)
{
	static const unsigned lengths[] = {
	    1, 16, 4, 32768 % TOTAL, 1023, 1024, 1025, 3000, 7};
	uint8_t data[TOTAL], expected[TOTAL], out[TOTAL];
	EVP_CIPHER_CTX *whole = context(EVP_aes_256_ctr());
	EVP_CIPHER_CTX *pieces = context(EVP_aes_256_ctr());
	unsigned i, len, done = 0;
	int n;

	(void)state;
	fill(data);
	assert_int_equal(EVP_CipherUpdate(whole, expected, &n, data, TOTAL), 1);
	for (i = 0; done < TOTAL; i++, done += len) {
		len = lengths[i % (sizeof(lengths) / sizeof(lengths[0]))];
		if (len > TOTAL - done)
			len = TOTAL - done;
		assert_int_equal(
		    EVP_Cipher(pieces, out + done, data + done, len), len);
	}
	/* So libssh2 1.11 ends each packet. */
	assert_int_equal(EVP_Cipher(pieces, NULL, NULL, 0), 0);
	assert_memory_equal(out, expected, TOTAL);
	EVP_CIPHER_CTX_free(whole);
	EVP_CIPHER_CTX_free(pieces);
}

static void
other_modes_are_left_alone(void **state)
{
	uint8_t data[TOTAL], expected[TOTAL], block[16];
	EVP_CIPHER_CTX *whole = context(EVP_aes_128_cbc());
	EVP_CIPHER_CTX *blocks = context(EVP_aes_128_cbc());
	size_t i;
	int len;

	(void)state;
	fill(data);
	assert_int_equal(
	    EVP_CipherUpdate(whole, expected, &len, data, TOTAL), 1);
	for (i = 0; i < TOTAL; i += 16) {
		assert_true(EVP_Cipher(blocks, block, data + i, 16) > 0);
		assert_memory_equal(block, expected + i, 16);
	}
	assert_null(EVP_CIPHER_CTX_get_app_data(blocks));
	EVP_CIPHER_CTX_free(whole);
	EVP_CIPHER_CTX_free(blocks);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(blocks_give_what_the_whole_gives),
	    cmocka_unit_test(a_block_may_be_encrypted_in_place),
	    cmocka_unit_test(calls_may_have_any_length),
	    cmocka_unit_test(other_modes_are_left_alone),
	};

	ctr_stream_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
