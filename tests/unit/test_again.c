/* SPDX-License-Identifier: GPL-3.0-or-later */
/* again: the command for the hosts that failed is what a shell reads back. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cli/again.h"

#define WORDS_MAX 16

struct options {
	struct run_options run;
	struct option_list more;
};

static const struct option_row more_rows[] = {
    {"local", "FILE...", OPTION_LIST, offsetof(struct options, more), "",
	.takes_more = true},
    {NULL},
};

static const struct name_row {
	const char *path, *next;
} names[] = {
    {"run.jsonl", "run.2.jsonl"},
    {"run.2.jsonl", "run.3.jsonl"},
    {"run.99.jsonl", "run.100.jsonl"},
    {"run", "run.2"},
    {"run.2", "run.3"},
    {"a.d/run", "a.d/run.2"},
    {"a.d/.run", "a.d/.run.2"},
    {"2026.jsonl", "2026.2.jsonl"},
    {"run.2026-11-21.jsonl", "run.2026-11-21.2.jsonl"},
    {"run.12345678901.jsonl", "run.12345678901.2.jsonl"},
};

static void
test_the_next_name(void **state)
{
	char *next;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		next = again_name(names[i].path);
		assert_string_equal(next, names[i].next);
		free(next);
	}
}

static const struct command_row {
	const char *comment;
	const char *words[WORDS_MAX];
	const char *again; /* NULL: there is none */
} commands[] = {
    {"no report, no command", {"batch", "-h", "a"}, NULL},
    {"the choice of hosts is left out",
	{"batch", "-h", "a", "--g=web", "-x", "b", "-hostfile", "-", "-report",
	    "/no/r", "-f", "4"},
	"batch -f 4 -rerun /no/r -report /no/r.2"},
    {"an earlier rerun, too",
	{"batch", "-rerun", "failed,lost", "/no/r", "-report", "/no/r.2", "-q"},
	"batch -q -rerun /no/r.2 -report /no/r.3"},
    {"a page gets another name as well",
	{"batch", "-h", "a", "-report-html", "/no/p.html", "-report", "/no/r"},
	"batch -rerun /no/r -report /no/r.2 -report-html /no/p.2.html"},
    {"the host of -diff may not be there any more",
	{"batch", "-h", "a", "-diff", "a", "-report", "/no/r", "-q", "--", "x"},
	"batch -q -rerun /no/r -report /no/r.2 -diff -- x"},
    {"words are quoted",
	{"./a b", "-h", "a", "-u", "it's", "-report", "/no/$r.x"},
	"'./a b' -u 'it'\\''s' -rerun '/no/$r.x' -report '/no/$r.2.x'"},
    {"options stay before the operands, values with theirs",
	{"batch", "-local", "f1", "f2", "-h", "a", "-report", "/no/r", "--",
	    "-h", "a b"},
	"batch -local f1 f2 -rerun /no/r -report /no/r.2 -- -h 'a b'"},
    {"one line, and nothing that a terminal acts on",
	{"batch", "-h", "a", "-report", "/no/r", "--", "it's\n\\n", "\x1b[31m",
	    "\xff", "\xe2\x80\xae", "\t", "m\xc3\xbcll", "=ls"},
	"batch -rerun /no/r -report /no/r.2 -- $'it\\'s\\012\\\\n' "
	"$'\\033[31m' $'\\377' $'\\342\\200\\256' $'\\011' 'm\xc3\xbcll' "
	"'=ls'"},
    {"abbreviated", {"batch", "-hostf", "a", "-report=/no/r", "-fan", "3"},
	"batch -fan 3 -rerun /no/r -report /no/r.2"},
};

static char *
command_again(const struct command_row *row, int *parsed)
{
	struct options o = {.more = {NULL, 0}};
	const struct option_table tables[] = {{more_rows, &o},
	    {run_option_rows, &o.run}, {run_output_rows, &o.run},
	    {run_general_rows, &o.run}, {NULL, NULL}};
	char *words[WORDS_MAX], *again = NULL;
	struct option_origins origins = {NULL, 0};
	struct error err;
	int count, operand;

	for (count = 0; row->words[count] != NULL; count++)
		words[count] = (char *)(uintptr_t)row->words[count];
	words[count] = NULL;
	run_options_init(&o.run);
	*parsed = options_parse(tables, count, words, &origins, &operand, &err);
	if (*parsed == 0)
		again = again_command(tables, &o.run, count, words);
	options_clear(tables);
	free(origins.list);
	return again;
}

static void
test_the_command(void **state)
{
	char *again;
	size_t i;
	int parsed;

	(void)state;
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		again = command_again(&commands[i], &parsed);
		assert_int_equal(parsed, 0);
		if (commands[i].again == NULL)
			assert_null(again);
		else
			assert_string_equal(again, commands[i].again);
		free(again);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_the_next_name),
	    cmocka_unit_test(test_the_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
