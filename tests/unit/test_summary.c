/* SPDX-License-Identifier: GPL-3.0-or-later */
/* summary, wrap: who failed, folded, in lines that fit a terminal. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/color.h"
#include "report/summary.h"
#include "report/wrap.h"

/* --- wrap ---------------------------------------------------------------- */

static void
assert_wrapped(const char *line, size_t columns, const char *expected)
{
	struct buf out;

	buf_init(&out, 4096);
	wrap_line(&out, line, columns);
	buf_append(&out, "", 1);
	assert_string_equal((const char *)buf_head(&out), expected);
	buf_clear(&out);
}

static void
test_lines_break_at_blanks_and_commas(void **state)
{
	static const struct {
		const char *line, *expected;
	} rows[] = {
	    {"", "\n"},
	    {"one two", "one two\n"},
	    {"one two 89", "one two 89\n"},
	    {"one two 890", "one two\n    890\n"},
	    {"one two three four", "one two\n    three\n    four\n"},
	    {"  one two three", "  one two\n      three\n"},
	    {"one,two,three,four", "one,two,\n    three,\n    four\n"},
	    /* A host set is pasted as a whole. */
	    {"db-01,web[1,3,5-9],x", "db-01,\n    web[1,3,5-9],\n    x\n"},
	    {"a [b, c d", "a [b, c d\n"},
	    {"a-word-that-is-too-long x", "a-word-that-is-too-long\n    x\n"},
	    /* 10 characters */
	    {"\303\244\303\244\303\244 \303\266\303\266\303\266 x",
		"\303\244\303\244\303\244 \303\266\303\266\303\266 x\n"},
	    {COLOR_FAILED "failed" COLOR_END ", x y",
		COLOR_FAILED "failed" COLOR_END ", x\n    y\n"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_wrapped(rows[i].line, 10, rows[i].expected);
}

static void
test_what_is_no_terminal_gets_lines_as_they_are(void **state)
{
	(void)state;
	assert_wrapped("  one,two  three", 0, "  one,two  three\n");
}

/* --- summary ------------------------------------------------------------- */

struct world {
	struct summary *summary;
	struct tally tally;
	uint32_t hosts;
};

static void
add(struct world *w, const char *host, enum status status, enum stage stage,
    const char *message, const struct advice *advice)
{
	const struct record r = {.seq = w->hosts++,
	    .host = host,
	    .address = "",
	    .groups = "",
	    .status = status,
	    .stage = stage,
	    .signal = "",
	    .message = message,
	    .advice = advice,
	    .sha256 = ""};

	tally_add(&w->tally, &r);
	summary_add(w->summary, &r);
}

static void
assert_summary(struct world *w, size_t columns, const char *expected)
{
	const struct summary_options options = {
	    .elapsed_ms = 100, .columns = columns};
	struct buf out;

	buf_init(&out, 65536);
	summary_print(w->summary, &w->tally, &options, &out);
	buf_append(&out, "", 1);
	assert_string_equal((const char *)buf_head(&out), expected);
	buf_clear(&out);
}

static void
test_exit_codes_are_in_the_order_of_numbers(void **state)
{
	struct world w = {.summary = summary_new()};

	(void)state;
	add(&w, "n1", STATUS_FAILED, STAGE_COMMAND, "exit 17", NULL);
	add(&w, "n2", STATUS_FAILED, STAGE_COMMAND, "exit 7", NULL);
	add(&w, "n3", STATUS_FAILED, STAGE_COMMAND, "exit 127", NULL);
	assert_summary(&w, 0,
	    "3 hosts: 3 failed (0.1 s)\n"
	    "failed, exit 7 (1): n2\n"
	    "failed, exit 17 (1): n1\n"
	    "failed, exit 127 (1): n3\n");
	summary_free(w.summary);
}

static char reason[] = "host key unknown: no ED25519 key in /k";
static char text[] = "if you trust them, do this:";
static char command[] = "ssh-keyscan -f - > new_keys";
static const char message[] =
    "host key unknown: no ED25519 key for it in /k (presented: "
    "SHA256:0123456789012345678901234567890123456789012); if you trust it, "
    "add it with ssh-keyscan it >> /k";

static void
add_unknown(struct world *w, const char *host, const char *address)
{
	char copy[32];
	const struct advice advice = {reason, text, command, copy};

	snprintf(copy, sizeof(copy), "%s", address);
	add(w, host, STATUS_DENIED, STAGE_HOSTKEY, message, &advice);
}

static void
test_hosts_of_one_advice_are_told_it_once(void **state)
{
	struct world w = {.summary = summary_new()};

	(void)state;
	add_unknown(&w, "web01", "10.0.0.1");
	assert_summary(&w, 0,
	    "1 host: 1 denied (0.1 s)\n"
	    "denied hostkey (1): web01\n"
	    "    web01: host key unknown: no ED25519 key for it in /k "
	    "(presented: SHA256:0123456789012345678901234567890123456789012); "
	    "if you trust it, add it with ssh-keyscan it >> /k\n");
	add_unknown(&w, "web02", "10.0.0.2");
	add_unknown(&w, "web03", "10.0.0.3");
	add(&w, "web04", STATUS_DENIED, STAGE_HOSTKEY, message, NULL);
	assert_summary(&w, 0,
	    "4 hosts: 4 denied (0.1 s)\n"
	    "denied hostkey (3): web[01-03]\n"
	    "    host key unknown: no ED25519 key in /k; if you trust them, do "
	    "this:\n"
	    "    batch_run -h '10.0.0.[1-3]' -list | ssh-keyscan -f - > "
	    "new_keys\n"
	    "denied hostkey (1): web04\n"
	    "    web04: host key unknown: no ED25519 key for it in /k "
	    "(presented: SHA256:0123456789012345678901234567890123456789012); "
	    "if you trust it, add it with ssh-keyscan it >> /k\n");
	summary_free(w.summary);
}

static void
test_on_a_terminal_all_lines_but_commands_are_broken(void **state)
{
	struct world w = {.summary = summary_new()};

	(void)state;
	add_unknown(&w, "web01", "10.0.0.1");
	add_unknown(&w, "web02", "10.0.0.2");
	add(&w, "db-primary", STATUS_UNREACHABLE, STAGE_CONNECT,
	    "Connection refused", NULL);
	add(&w, "db[1-2]", STATUS_UNREACHABLE, STAGE_CONNECT,
	    "Connection refused", NULL);
	assert_summary(&w, 40,
	    "4 hosts: 2 unreachable, 2 denied (0.1 s)\n"
	    "unreachable connect, Connection refused\n"
	    "    (2): db-primary,db[1-2]\n"
	    "denied hostkey (2): web[01-02]\n"
	    "    host key unknown: no ED25519 key in\n"
	    "        /k; if you trust them, do this:\n"
	    "    batch_run -h '10.0.0.[1-2]' -list | ssh-keyscan -f - > "
	    "new_keys\n");
	summary_free(w.summary);
	/* In what is told of a host there may be a command anywhere. */
	w = (struct world){.summary = summary_new()};
	add(&w, "web04", STATUS_DENIED, STAGE_HOSTKEY, message, NULL);
	assert_summary(&w, 40,
	    "1 host: 1 denied (0.1 s)\n"
	    "denied hostkey (1): web04\n"
	    "    web04: host key unknown: no ED25519 key for it in /k "
	    "(presented: SHA256:0123456789012345678901234567890123456789012); "
	    "if you trust it, add it with ssh-keyscan it >> /k\n");
	summary_free(w.summary);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lines_break_at_blanks_and_commas),
	    cmocka_unit_test(test_what_is_no_terminal_gets_lines_as_they_are),
	    cmocka_unit_test(test_exit_codes_are_in_the_order_of_numbers),
	    cmocka_unit_test(test_hosts_of_one_advice_are_told_it_once),
	    cmocka_unit_test(
		test_on_a_terminal_all_lines_but_commands_are_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
