/* SPDX-License-Identifier: GPL-3.0-or-later */
/* groups, fold, fold_diff: equal output once. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/fold.h"
#include "util/xalloc.h"

#define RULE  "---------------\n"
#define HOSTS 4

/* A host of a run: what it sends, and how it ends. */
struct host {
	const char *name, *out, *err;
	enum status status;
	const char *message;
};

struct world {
	struct store *store;
	struct contents *contents;
	struct capture *capture;
	struct fold *fold;
	struct sink out, err;
	struct buf shown; /* what a terminal with both would show */
};

static void
world_init(struct world *w, struct fold_options *options)
{
	memset(w, 0, sizeof(*w));
	w->store = store_new(1u << 20);
	w->contents = contents_new(w->store);
	w->capture = capture_new(HOSTS, UINT64_MAX, w->store, w->contents);
	w->out.fd = w->err.fd = -1;
	buf_init(&w->out.buf, 64u << 20);
	buf_init(&w->err.buf, 64u << 20);
	buf_init(&w->shown, 64u << 20);
	if (options->normalizer == NULL)
		options->normalizer = normalizer_new(NULL, 0, NULL);
	w->fold = fold_new(HOSTS, options, w->contents, &w->out, &w->err);
}

static void
world_clear(struct world *w, struct fold_options *options)
{
	fold_free(w->fold);
	capture_free(w->capture);
	contents_free(w->contents);
	store_free(w->store);
	normalizer_free(options->normalizer);
	options->normalizer = NULL;
	buf_clear(&w->out.buf);
	buf_clear(&w->err.buf);
	buf_clear(&w->shown);
}

static void
send(struct world *w, uint32_t seq, int stream, const char *text)
{
	if (text != NULL)
		capture_add(w->capture, seq, stream, (const uint8_t *)text,
		    strlen(text));
}

static void
world_host(struct world *w, uint32_t seq, const struct host *h)
{
	struct record r = {.seq = seq,
	    .host = h->name,
	    .status = h->status,
	    .message = h->message != NULL ? h->message : ""};
	struct outputs o;

	send(w, seq, 1, h->out);
	send(w, seq, 2, h->err);
	o = capture_end(w->capture, seq);
	fold_add(w->fold, &r, &o);
	outputs_drop(w->contents, &o);
}

static void
show(struct world *w, struct sink *sink)
{
	buf_append(&w->shown, buf_head(&sink->buf), buf_len(&sink->buf));
	buf_consume(&sink->buf, buf_len(&sink->buf));
}

/* All of the fold, as it comes. */
static const char *
world_show(struct world *w)
{
	while (!fold_is_done(w->fold)) {
		while (fold_step(w->fold))
			;
		/* stderr only after stdout is out. */
		assert_true(
		    buf_len(&w->out.buf) == 0 || buf_len(&w->err.buf) == 0);
		show(w, &w->out);
		show(w, &w->err);
	}
	buf_append(&w->shown, "", 1);
	return (const char *)buf_head(&w->shown);
}

static void
check(const struct host hosts[HOSTS], struct fold_options *options, bool is_tty,
    const char *expected)
{
	static const uint32_t orders[][HOSTS] = {
	    {0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}};
	struct world w;
	size_t i, k;

	/* Whatever the order in which they end. */
	for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		world_init(&w, options);
		w.out.is_tty = w.err.is_tty = is_tty;
		for (k = 0; k < HOSTS; k++)
			world_host(&w, orders[i][k], &hosts[orders[i][k]]);
		assert_string_equal(world_show(&w), expected);
		world_clear(&w, options);
	}
}

static void
test_equal_output_is_there_once_the_largest_group_first(void **state)
{
	static const struct host hosts[HOSTS] = {{.name = "a", .out = "x\n"},
	    {.name = "n1", .out = "y\nz\n"}, {.name = "b", .out = "x y\n"},
	    {.name = "n2", .out = "y\nz\n"}};
	struct fold_options options = {0};

	(void)state;
	check(hosts, &options, false,
	    RULE "n[1-2] (2)\n" RULE "y\nz\n" RULE "a\n" RULE "x\n" RULE
		 "b\n" RULE "x y\n");
	options.is_ordered = true;
	check(hosts, &options, false,
	    RULE "a\n" RULE "x\n" RULE "n[1-2] (2)\n" RULE "y\nz\n" RULE
		 "b\n" RULE "x y\n");
}

static void
test_harmless_differences_make_no_group(void **state)
{
	static const struct host hosts[HOSTS] = {
	    {.name = "n1", .out = "N1 is up since 13:45"},
	    {.name = "n2", .out = "n2 is up since 13:46\n"},
	    {.name = "n3", .out = "n3 is up since 2026-11-21\n"},
	    {.name = "n4", .out = "n3 is up since 13:45\n"}};
	struct fold_options options = {0};
	static const char *const none[] = {""};

	(void)state;
	/* The first one's text is shown; another host's name is a difference.*/
	check(hosts, &options, false,
	    RULE "n[1-3] (3)\n" RULE "N1 is up since 13:45\n" RULE "n4\n" RULE
		 "n3 is up since 13:45\n");
	options.normalizer = normalizer_new(none, 1, NULL);
	options.is_ordered = true;
	{
		struct world w;
		uint32_t i;

		world_init(&w, &options);
		for (i = 0; i < HOSTS; i++)
			world_host(&w, i, &hosts[i]);
		assert_non_null(strstr(world_show(&w), "n1\n" RULE "N1"));
		assert_non_null(strstr(world_show(&w), "n4\n" RULE "n3"));
		world_clear(&w, &options);
	}
}

static void
test_equal_bytes_are_one_group_whatever_they_name(void **state)
{
	static const struct host hosts[HOSTS] = {
	    {.name = "db", .out = "db app\n"},
	    {.name = "app", .out = "db app\n"},
	    {.name = "web", .out = "db app\n"},
	    {.name = "x", .out = "db app\n"}};
	struct fold_options options = {0};

	(void)state;
	check(
	    hosts, &options, false, RULE "app,db,web,x (4)\n" RULE "db app\n");
}

static void
test_streams_are_apart_and_failed_hosts_are_marked(void **state)
{
	static const struct host hosts[HOSTS] = {
	    {.name = "n1", .out = "same\n", .err = "warning\n"},
	    {.name = "n2",
		.out = "same\n",
		.status = STATUS_FAILED,
		.message = "exit 3"},
	    {.name = "n3", .err = "warning\n"},
	    {.name = "n4",
		.err = "what\n",
		.status = STATUS_FAILED,
		.message = "exit 1"}};
	struct fold_options options = {0};

	(void)state;
	check(hosts, &options, false,
	    RULE "n1\n" RULE "same\n" RULE "n2: failed, exit 3\n" RULE
		 "same\n" RULE "n[1,3] (2) stderr\n" RULE "warning\n" RULE
		 "n4 stderr: failed, exit 1\n" RULE "what\n");
}

static void
test_hosts_that_sent_nothing_are_named_if_they_failed(void **state)
{
	static const struct host hosts[HOSTS] = {{.name = "n1"},
	    {.name = "n2", .status = STATUS_UNREACHABLE, .message = "refused"},
	    {.name = "n3", .status = STATUS_UNREACHABLE, .message = "refused"},
	    {.name = "n4", .status = STATUS_UNREACHABLE, .message = "\033[2J"}};
	struct fold_options options = {0};

	(void)state;
	check(hosts, &options, false,
	    RULE "n[2-3] (2): unreachable, refused\n"
		 "n4: unreachable, \\x1b[2J\nn1: ok, no output\n");
}

static void
test_hosts_that_are_ok_and_silent_come_last_if_there_are_others(void **state)
{
	static const struct host mixed[HOSTS] = {{.name = "n1"}, {.name = "n2"},
	    {.name = "n3", .status = STATUS_UNREACHABLE, .message = "refused"},
	    {.name = "n4", .out = "x\n"}};
	static const struct host told[HOSTS] = {{.name = "n1"},
	    {.name = "n2", .err = "x\n"}, {.name = "n3"}, {.name = "n4"}};
	static const struct host silent[HOSTS] = {
	    {.name = "n1"}, {.name = "n2"}, {.name = "n3"}, {.name = "n4"}};
	struct fold_options options = {0};

	(void)state;
	check(mixed, &options, false,
	    RULE "n4\n" RULE "x\n" RULE "n3: unreachable, refused\n"
		 "n[1-2] (2): ok, no output\n");
	options.is_ordered = true;
	check(mixed, &options, false,
	    RULE "n4\n" RULE "x\n" RULE "n3: unreachable, refused\n"
		 "n[1-2] (2): ok, no output\n");
	check(told, &options, false,
	    RULE "n[1,3-4] (3): ok, no output\n" RULE "n2 stderr\n" RULE "x\n");
	check(silent, &options, false, "");
	options.has_diff = true;
	check(silent, &options, false, "");
	check(told, &options, false,
	    RULE "n[1,3-4] (3): ok, no output\n" RULE "n2 stderr\n" RULE "x\n");
}

static void
test_a_terminal_is_shown_no_control_characters(void **state)
{
	static const struct host hosts[HOSTS] = {
	    {.name = "n1", .out = "10%\r20%\ra\033[2Jb\n\303\244\377"},
	    {.name = "n2", .out = "10%\r20%\ra\033[2Jb\n\303\244\377"},
	    {.name = "n3"}, {.name = "n4"}};
	struct fold_options options = {0};

	(void)state;
	check(hosts, &options, true,
	    RULE "n[1-2] (2)\n" RULE
		 "10%\n20%\na\\x1b[2Jb\n\303\244\\xff\n" RULE
		 "n[3-4] (2): ok, no output\n");
	check(hosts, &options, false,
	    RULE "n[1-2] (2)\n" RULE "10%\n20%\na\033[2Jb\n\303\244\377\n" RULE
		 "n[3-4] (2): ok, no output\n");
}

static const struct host diff_hosts[HOSTS] = {
    {.name = "n1", .out = "n1\none\ntwo\n"},
    {.name = "n2", .out = "n2\none\nthree\n"},
    {.name = "n3", .out = "n3\none\ntwo\n"},
    {.name = "n4",
	.status = STATUS_FAILED,
	.message = "exit 1",
	.out = "n4\none\ntwo\n"}};

static void
test_the_diff_is_from_the_largest_group(void **state)
{
	struct fold_options options = {.has_diff = true};

	(void)state;
	check(diff_hosts, &options, false,
	    RULE "n[1,3] (2), reference\n" RULE "n1\none\ntwo\n" RULE
		 "n2\n" RULE
		 "--- n[1,3]\n+++ n2\n@@ -1,3 +1,3 @@\n n1\n one\n-two\n"
		 "+three\n" RULE "n4: failed, exit 1\n" RULE "no difference\n");
}

static void
test_the_diff_is_from_the_host_that_was_named(void **state)
{
	struct fold_options options = {.has_diff = true, .diff_host = "n2"};

	(void)state;
	check(diff_hosts, &options, false,
	    RULE "n2, reference\n" RULE "n2\none\nthree\n" RULE
		 "n[1,3] (2)\n" RULE
		 "--- n2\n+++ n[1,3]\n@@ -1,3 +1,3 @@\n n2\n one\n-three\n"
		 "+two\n" RULE "n4: failed, exit 1\n" RULE
		 "--- n2\n+++ n4\n@@ -1,3 +1,3 @@\n n2\n one\n-three\n+two\n");
}

static void
test_a_host_that_sent_nothing_can_be_compared_with(void **state)
{
	static const struct host hosts[HOSTS] = {{.name = "n1", .out = "a\n"},
	    {.name = "n2"}, {.name = "n3"}, {.name = "n4"}};
	struct fold_options options = {.has_diff = true, .diff_host = "n2"};

	(void)state;
	check(hosts, &options, false,
	    RULE "n[2-4] (3), reference\n" RULE "(no output)\n" RULE "n1\n" RULE
		 "--- n[2-4]\n+++ n1\n@@ -0,0 +1 @@\n+a\n");
}

static void
test_the_diff_shows_who_is_ok_and_sent_nothing(void **state)
{
	static const struct host empty[HOSTS] = {{.name = "n1", .out = "a\n"},
	    {.name = "n2", .err = "e\n"}, {.name = "n3", .out = "a\n"},
	    {.name = "n4", .status = STATUS_UNREACHABLE, .message = "refused"}};
	static const struct host full[HOSTS] = {{.name = "n1"}, {.name = "n2"},
	    {.name = "n3", .out = "a\n"}, {.name = "n4"}};
	struct fold_options options = {.has_diff = true};

	(void)state;
	check(empty, &options, false,
	    RULE "n[1,3] (2), reference\n" RULE "a\n" RULE "n2\n" RULE
		 "--- n[1,3]\n+++ n2\n@@ -1 +0,0 @@\n-a\n" RULE
		 "n4: unreachable, refused\n" RULE "n2 stderr\n" RULE "e\n");
	check(full, &options, false,
	    RULE "n[1-2,4] (3), reference\n" RULE "(no output)\n" RULE
		 "n3\n" RULE "--- n[1-2,4]\n+++ n3\n@@ -0,0 +1 @@\n+a\n");
	/* Who was not reached has nothing to compare with, but may be asked. */
	options.diff_host = "n4";
	options.is_ordered = true;
	check(empty, &options, false,
	    RULE "n[1,3] (2)\n" RULE
		 "--- n4\n+++ n[1,3]\n@@ -0,0 +1 @@\n+a\n" RULE "n2\n" RULE
		 "no difference\n" RULE
		 "n4, reference: unreachable, refused\n" RULE "n2 stderr\n" RULE
		 "--- n4\n+++ n2\n@@ -0,0 +1 @@\n+e\n");
}

static void
test_the_diff_is_coloured_and_escaped_on_a_terminal(void **state)
{
	static const struct host hosts[HOSTS] = {{.name = "n1", .out = "a\n"},
	    {.name = "n2", .out = "\033[2J\n"}, {.name = "n3", .out = "a\n"},
	    {.name = "n4", .out = "a\n"}};
	struct fold_options options = {.has_diff = true};
	struct world w;
	uint32_t i;

	(void)state;
	world_init(&w, &options);
	w.out.is_tty = w.out.is_colored = true;
	for (i = 0; i < HOSTS; i++)
		world_host(&w, i, &hosts[i]);
	assert_non_null(strstr(
	    world_show(&w), "\033[31m-a\033[0m\n\033[32m+\\x1b[2J\033[0m\n"));
	world_clear(&w, &options);
}

/* n lines of that letter. */
static char *
many_lines(char letter, size_t n)
{
	char *text = xmalloc(2 * n + 1);
	size_t i;

	for (i = 0; i < n; i++) {
		text[2 * i] = letter;
		text[2 * i + 1] = '\n';
	}
	text[2 * n] = '\0';
	return text;
}

static void
test_texts_that_are_too_large_only_differ(void **state)
{
	static const char head[] = RULE "n1, reference\n" RULE;
	char *a = many_lines('a', 30000), *b = many_lines('b', 25000);
	const struct host hosts[HOSTS] = {{.name = "n1", .out = a},
	    {.name = "n2", .out = b},
	    {.name = "n3",
		.status = STATUS_FAILED,
		.message = "exit 1",
		.out = a},
	    {.name = "n4", .status = STATUS_SKIPPED}};
	struct fold_options options = {.has_diff = true};
	struct world w;
	const char *shown;
	uint32_t i;

	(void)state;
	world_init(&w, &options);
	for (i = 0; i < HOSTS; i++)
		world_host(&w, i, &hosts[i]);
	shown = world_show(&w);
	/* A large text itself is whole. */
	assert_memory_equal(shown, head, strlen(head));
	assert_memory_equal(shown + strlen(head), a, strlen(a));
	assert_string_equal(shown + strlen(head) + strlen(a),
	    RULE "n2\n" RULE "differs: 25000 lines\n" RULE
		 "n3: failed, exit 1\n" RULE "no difference\n" RULE
		 "n4: skipped\n");
	world_clear(&w, &options);
	free(a);
	free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_equal_output_is_there_once_the_largest_group_first),
	    cmocka_unit_test(test_harmless_differences_make_no_group),
	    cmocka_unit_test(test_equal_bytes_are_one_group_whatever_they_name),
	    cmocka_unit_test(
		test_streams_are_apart_and_failed_hosts_are_marked),
	    cmocka_unit_test(
		test_hosts_that_sent_nothing_are_named_if_they_failed),
	    cmocka_unit_test(
		test_hosts_that_are_ok_and_silent_come_last_if_there_are_others),
	    cmocka_unit_test(test_a_terminal_is_shown_no_control_characters),
	    cmocka_unit_test(test_the_diff_is_from_the_largest_group),
	    cmocka_unit_test(test_the_diff_is_from_the_host_that_was_named),
	    cmocka_unit_test(
		test_a_host_that_sent_nothing_can_be_compared_with),
	    cmocka_unit_test(test_the_diff_shows_who_is_ok_and_sent_nothing),
	    cmocka_unit_test(
		test_the_diff_is_coloured_and_escaped_on_a_terminal),
	    cmocka_unit_test(test_texts_that_are_too_large_only_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
