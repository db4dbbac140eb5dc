/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of temporaries: read strictly, and stale when their run is over. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/run_token.h"
#include "worker/temp_name.h"

#define NOW	 1800000000
#define FOREIGN	 "00000001.4d2.9f3c"
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The token of a process that is still there: *child, on *in. */
static void
child_token(char token[static RUN_TOKEN_SIZE], pid_t *child, int *in)
{
	int to_child[2], from_child[2];
	char *made, c;

	assert_int_equal(pipe(to_child), 0);
	assert_int_equal(pipe(from_child), 0);
	*child = fork();
	assert_true(*child != -1);
	if (*child == 0) {
		close(to_child[1]);
		made = run_token_make();
		if (write(from_child[1], made, strlen(made) + 1) == -1)
			_exit(1);
		if (read(to_child[0], &c, 1) == -1)
			_exit(1);
		_exit(0);
	}
	close(to_child[0]);
	close(from_child[1]);
	assert_true(read(from_child[0], token, RUN_TOKEN_SIZE) > 0);
	close(from_child[0]);
	*in = to_child[1];
}

static void
test_a_token_is_alive_as_long_as_its_process(void **state)
{
	char token[RUN_TOKEN_SIZE];
	pid_t child;
	int in;

	(void)state;
	child_token(token, &child, &in);
	assert_true(run_token_is_valid(token));
	assert_int_equal(run_token_state(token), RUN_TOKEN_ALIVE);
	close(in);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(run_token_state(token), RUN_TOKEN_DEAD);
}

static void
test_a_token_is_dead_when_its_pid_is_used_again(void **state)
{
	char *token = run_token_make(), other[RUN_TOKEN_SIZE + 1];
	unsigned long long start;
	char *last = strrchr(token, '.');

	(void)state;
	assert_int_equal(run_token_state(token), RUN_TOKEN_ALIVE);
	start = strtoull(last + 1, NULL, 16);
	assert_true(start > 0);
	snprintf(other, sizeof(other), "%.*s.%llx", (int)(last - token), token,
	    start - 1);
	assert_true(run_token_is_valid(other));
	assert_int_equal(run_token_state(other), RUN_TOKEN_DEAD);
	free(token);
}

static void
test_a_token_of_another_machine_is_foreign(void **state)
{
	char *token = run_token_make();

	(void)state;
	token[0] = token[0] == '0' ? '1' : '0';
	assert_int_equal(run_token_state(token), RUN_TOKEN_FOREIGN);
	assert_int_equal(run_token_state("what"), RUN_TOKEN_FOREIGN);
	free(token);
}

static void
test_a_run_has_one_token(void **state)
{
	char *a = run_token_make(), *b = run_token_make();

	(void)state;
	assert_string_equal(a, b);
	free(a);
	free(b);
}

static void
test_names_read_back(void **state)
{
	static const char *const bases[] = {
	    "passwd", "", "with blank", "\x01\xff\xfe", "-rf", "."};
	static const char *const tokens[] = {
	    FOREIGN, "ffffffff.1.0", "00000000.7fffffff.ffffffffffffffff"};
	static const uint32_t seqs[] = {0, 1, 255, 256, UINT32_MAX};
	char name[TEMP_NAME_SIZE];
	struct temp_name t;
	size_t b, k, s, i;

	(void)state;
	for (i = 0; i < COUNT(bases) * COUNT(tokens) * COUNT(seqs); i++) {
		b = i % COUNT(bases);
		k = i / COUNT(bases) % COUNT(tokens);
		s = i / COUNT(bases) / COUNT(tokens);
		temp_name_make(
		    name, sizeof(name), bases[b], tokens[k], seqs[s]);
		assert_true(temp_name_parse(name, &t));
		assert_string_equal(t.token, tokens[k]);
		assert_int_equal(t.seq, seqs[s]);
		assert_true(temp_name_is_of(&t, bases[b]));
		assert_false(temp_name_is_of(&t, "another"));
	}
}

static void
test_names_do_not_change_between_versions(void **state)
{
	char name[TEMP_NAME_SIZE];

	(void)state;
	temp_name_make(name, sizeof(name), "passwd", FOREIGN, 7);
	assert_string_equal(name, ".batch_scp.9de7bf25.00000001.4d2.9f3c.07");
}

static void
test_only_exact_names_are_read(void **state)
{
	static const struct {
		const char *name;
		bool is_read;
		const char *comment;
	} rows[] = {
	    {".batch_scp.0123abcd.00000001.4d2.9f3c.00", true, "plain"},
	    {".batch_scp.0123abcd.00000001.4d2.9f3c.100", true, "long number"},
	    {"", false, "empty"},
	    {".batch_scp.", false, "prefix only"},
	    {".batch_scp.0123abcd", false, "hash only"},
	    {".batch_scp.0123abcd.", false, "hash and point"},
	    {".batch_scp.0123abcd.00000001.4d2.9f3c", false, "no number"},
	    {".batch_scp.0123abcd.00000001.4d2.9f3c.", false, "number empty"},
	    {".batch_scp.0123abcd.00000001.4d2.9f3c.0", false, "one digit"},
	    {".batch_scp.0123abcd.00000001.4d2.9f3c.001", false, "zeros"},
	    {".batch_scp.0123abcd.00000001.4d2.9f3c.100000000", false,
		"number too big"},
	    {".batch_scp.0123abcd.00000001.4d2.9f3c.00 ", false, "blank"},
	    {".batch_scp.0123abcd.00000001.4d2.9f3c.00\n", false, "newline"},
	    {".batch_scp.0123abcd.00000001.4d2.9f3c.+1", false, "sign"},
	    {".batch_scp.0123ABCD.00000001.4d2.9f3c.00", false, "capitals"},
	    {".batch_scp.0x23abcd.00000001.4d2.9f3c.00", false, "0x"},
	    {".batch_scp.123abcd.00000001.4d2.9f3c.00", false, "short hash"},
	    {".batch_scp.0123abcde.00000001.4d2.9f3c.00", false, "long hash"},
	    {".batch_scp.0123abcd.1.4d2.9f3c.00", false, "short machine"},
	    {".batch_scp.0123abcd.00000001.0.9f3c.00", false, "pid 0"},
	    {".batch_scp.0123abcd.00000001.-1.9f3c.00", false, "pid -1"},
	    {".batch_scp.0123abcd.00000001.ffffffff.9f3c.00", false,
		"pid too big"},
	    {".batch_scp.0123abcd.00000001.4d2.10000000000000000.00", false,
		"start too big"},
	    {".batch_scp.0123abcd.00000001.4d2..00", false, "no start"},
	    {".batch_scp.0123abcd.00000001.4d2.9f3c.00.00", false,
		"a field too many"},
	    {"xbatch_scp.0123abcd.00000001.4d2.9f3c.00", false, "prefix"},
	    {"/.batch_scp.0123abcd.00000001.4d2.9f3c.00", false, "path"},
	};
	struct temp_name t;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		if (temp_name_parse(rows[i].name, &t) != rows[i].is_read)
			fail_msg("%s: %s", rows[i].comment, rows[i].name);
	}
}

static void
test_stale(void **state)
{
	static const struct {
		int64_t mtime_s;
		bool is_stale;
		const char *comment;
	} rows[] = {
	    {NOW - 24 * 3600 - 1, true, "older than a day"},
	    {NOW - 24 * 3600, false, "a day old"},
	    {1, true, "very old"},
	    {0, false, "not known"},
	    {-5, false, "before 1970"},
	    {INT64_MIN, false, "smallest"},
	    {NOW, false, "now"},
	    {NOW + 1, false, "in the future"},
	    {INT64_MAX, false, "greatest"},
	};
	struct temp_name foreign = {.token = FOREIGN}, own = {0}, dead = {0};
	char *token = run_token_make();
	size_t i;
	pid_t child;
	int in;

	(void)state;
	snprintf(own.token, sizeof(own.token), "%s", token);
	child_token(dead.token, &child, &in);
	assert_false(temp_name_is_stale(&dead, 1, NOW));
	close(in);
	assert_int_equal(waitpid(child, NULL, 0), child);
	for (i = 0; i < COUNT(rows); i++) {
		if (temp_name_is_stale(&foreign, rows[i].mtime_s, NOW) !=
		    rows[i].is_stale)
			fail_msg("%s", rows[i].comment);
		assert_false(temp_name_is_stale(&own, rows[i].mtime_s, NOW));
		assert_true(temp_name_is_stale(&dead, rows[i].mtime_s, NOW));
	}
	free(token);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_token_is_alive_as_long_as_its_process),
	    cmocka_unit_test(test_a_token_is_dead_when_its_pid_is_used_again),
	    cmocka_unit_test(test_a_token_of_another_machine_is_foreign),
	    cmocka_unit_test(test_a_run_has_one_token),
	    cmocka_unit_test(test_names_read_back),
	    cmocka_unit_test(test_names_do_not_change_between_versions),
	    cmocka_unit_test(test_only_exact_names_are_read),
	    cmocka_unit_test(test_stale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
