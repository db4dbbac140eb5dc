/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#define OPENSSL_SUPPRESS_DEPRECATED

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/objects.h>

#include "worker/crypto_once.h"

#define SECRET_MAX 66u

/* --- digests ------------------------------------------------------------- */

/* As HMAC() does for libssh2, by the name of the digest's function. */
static void
check_mac(const EVP_MD *md, const char *expected)
{
	/* RFC 4231 section 4.3 */
	static const char key[] = "Jefe",
			  data[] = "what do ya want for nothing?";
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned len = 0, i;
	char text[2 * EVP_MAX_MD_SIZE + 1];

	assert_non_null(HMAC(md, key, (int)strlen(key), (const uint8_t *)data,
	    strlen(data), mac, &len));
	for (i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", mac[i]);
	assert_string_equal(text, expected);
}

static void
check_macs(void)
{
	check_mac(EVP_sha256(),
	    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	check_mac(EVP_sha512(),
	    "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
	    "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
}

static void
digests_work_before_they_were_found(void **state)
{
	(void)state;
	assert_null(EVP_MD_get0_provider(EVP_sha256()));
	check_macs();
}

/* In a process of its own, since crypto_once_init() is for once. */
static void
what_is_not_found_is_left_to_libcrypto(void **state)
{
	int status = -1;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0) {
		if (EVP_set_default_properties(NULL, "provider=none") != 1)
			_exit(2);
		crypto_once_init();
		_exit(EVP_MD_get0_provider(EVP_sha256()) != NULL ||
		    EVP_MD_get0_provider(EVP_sha512()) != NULL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
digests_are_found_and_the_same(void **state)
{
	(void)state;
	crypto_once_init();
	assert_non_null(EVP_MD_get0_provider(EVP_sha256()));
	assert_non_null(EVP_MD_get0_provider(EVP_sha512()));
	check_macs();
}

/* --- curves -------------------------------------------------------------- */

static EC_KEY *
new_key(int nid)
{
	EC_KEY *key = EC_KEY_new_by_curve_name(nid);

	assert_non_null(key);
	assert_int_equal(EC_GROUP_get_curve_name(EC_KEY_get0_group(key)), nid);
	assert_int_equal(EC_KEY_generate_key(key), 1);
	assert_int_equal(EC_KEY_check_key(key), 1);
	return key;
}

static int
agree(const EC_KEY *own, const EC_KEY *other, uint8_t *secret)
{
	return ECDH_compute_key(
	    secret, SECRET_MAX, EC_KEY_get0_public_key(other), own, NULL);
}

static void
keys_of_a_curve_agree_and_outlive_each_other(void **state)
{
	static const int nids[] = {
	    NID_X9_62_prime256v1, NID_secp384r1, NID_secp521r1};
	uint8_t a_secret[SECRET_MAX], b_secret[SECRET_MAX];
	EC_KEY *a, *b;
	size_t i;
	int len;

	(void)state;
	for (i = 0; i < sizeof(nids) / sizeof(nids[0]); i++) {
		EC_KEY_free(new_key(nids[i]));
		a = new_key(nids[i]);
		b = new_key(nids[i]);
		len = agree(a, b, a_secret);
		assert_true(len >= 32);
		assert_int_equal(agree(b, a, b_secret), len);
		assert_memory_equal(a_secret, b_secret, (size_t)len);
		EC_KEY_free(a);
		EC_KEY_free(b);
	}
}

static void
an_unknown_curve_is_no_key(void **state)
{
	(void)state;
	assert_null(EC_KEY_new_by_curve_name(NID_undef));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(digests_work_before_they_were_found),
	    cmocka_unit_test(what_is_not_found_is_left_to_libcrypto),
	    cmocka_unit_test(digests_are_found_and_the_same),
	    cmocka_unit_test(keys_of_a_curve_agree_and_outlive_each_other),
	    cmocka_unit_test(an_unknown_curve_is_no_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
