/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Host sets: expansion, algebra, folding, and that folding reads back. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "inventory/hostset.h"
#include "util/buf.h"
#include "util/glob.h"
#include "util/suggest.h"

/* --- a small inventory -------------------------------------------------- */

static int
source_group(
    const void *ctx, const char *group, struct hostset *set, struct error *err)
{
	(void)ctx;
	if (strcmp(group, "web1") == 0)
		return hostset_expand(set, "web01,web02", NULL, err);
	if (strcmp(group, "web2") == 0)
		return hostset_expand(set, "web02,web03", NULL, err);
	return error_set(err, "undefined group \"%s\"", group);
}

static int
source_all(const void *ctx, struct hostset *set, struct error *err)
{
	(void)ctx;
	return hostset_expand(set, "web[01-03],db1,db2", NULL, err);
}

static const struct hostset_source source = {
    .group = source_group, .all = source_all};
static const struct hostset_source groups = {
    .group = source_group, .all = source_all, .is_all_groups = true};

/* The names with a blank between; the caller frees it. */
static char *
join(const struct hostset *set)
{
	struct buf b;
	char *text;
	size_t i;

	buf_init(&b, 1 << 20);
	for (i = 0; i < hostset_count(set); i++)
		assert_int_equal(buf_printf(&b, "%s%s", i > 0 ? " " : "",
				     hostset_name(set, i)),
		    0);
	assert_int_equal(buf_append(&b, "", 1), 0);
	text = strdup((const char *)buf_head(&b));
	buf_clear(&b);
	assert_non_null(text);
	return text;
}

/* --- expansion ---------------------------------------------------------- */

struct row {
	const char *what;
	const char *expr;
	const char *expected; /* names, or a part of the error */
};

static const struct row good[] = {
    {"one host", "web1", "web1"},
    {"nothing is the empty set", "", ""},
    {"blanks are the empty set", " \t\r\n", ""},
    {"a range", "web[1-3]", "web1 web2 web3"},
    {"padding is kept", "web[08-11]", "web08 web09 web10 web11"},
    {"wide padding", "n[098-101]", "n098 n099 n100 n101"},
    {"no padding", "n[9-10]", "n9 n10"},
    {"padded and not are two hosts", "n[1,01]", "n1 n01"},
    {"a step", "n[0-10/2]", "n0 n2 n4 n6 n8 n10"},
    {"a step that misses the end", "n[0-5/3]", "n0 n3"},
    {"a step with padding", "n[00-10/5]", "n00 n05 n10"},
    {"a list", "n[1-3,7,9-11]", "n1 n2 n3 n7 n9 n10 n11"},
    {"the order is the one given", "n[3,1],b,a", "n3 n1 b a"},
    {"blanks inside brackets", "n[1 - 2, 4]", "n1 n2 n4"},
    {"a suffix", "web[1-2].example.com", "web1.example.com web2.example.com"},
    {"a digit after brackets", "n[1-2]4", "n14 n24"},
    {"two dimensions, the last is the fastest", "r[1-2]-n[01-02]",
	"r1-n01 r1-n02 r2-n01 r2-n02"},
    {"three dimensions", "a[1-2]b[3]c[4-5]", "a1b3c4 a1b3c5 a2b3c4 a2b3c5"},
    {"brackets that touch", "r[1-2][3-4]", "r13 r14 r23 r24"},
    {"only numbers", "[1-3]", "1 2 3"},
    {"lower case", "WEB[1-2].Example", "web1.example web2.example"},
    {"duplicates once, the first counts", "b,a,b,[1-2],1", "b a 1 2"},
    {"union", "a1,a2", "a1 a2"},
    {"blanks separate", " a1  a2\ta3\r\n", "a1 a2 a3"},
    {"a comma with blanks is one comma", "a1 , a2", "a1 a2"},
    {"difference", "a[1-4]!a[2-3]", "a1 a4"},
    {"difference with blanks", "a[1-4] ! a2", "a1 a3 a4"},
    {"difference with what is not there", "a1!b", "a1"},
    {"intersection", "a[1-4]&a[3-9]", "a3 a4"},
    {"symmetric difference", "a[1-3]^a[3-5]", "a1 a2 a4 a5"},
    {"from left to right", "a,b&b,c", "b c"},
    {"from left to right, all operators", "a[1-5]!a2&a[1-3]^a[3-4],x",
	"a1 a4 x"},
    {"operators in brackets don't count", "a[1,2]!a[1,3]", "a2"},
    {"an IPv4 range", "10.0.0.[1-3]", "10.0.0.1 10.0.0.2 10.0.0.3"},
    {"user and port", "Bob@Web[1-2]:2222", "Bob@web1:2222 Bob@web2:2222"},
    {"bare IPv6", "::1,fe80::A", "::1 fe80::a"},
    {"bracketed IPv6", "[::1]:2222,[fe80::1%eth0]",
	"[::1]:2222 [fe80::1%eth0]"},
    {"user and bracketed IPv6", "admin@[fe80::1]:22", "admin@[fe80::1]:22"},
    {"a range beside IPv6", "[::1],a[1-2]", "[::1] a1 a2"},
    {"a group", "@web1", "web01 web02"},
    {"groups in a range", "@web[1-2]", "web01 web02 web03"},
    {"groups and hosts", "@web2!web02,x", "web03 x"},
    {"difference of groups", "@web1!@web2", "web01"},
    {"a glob", "web*", "web01 web02 web03"},
    {"a glob with ?", "db?", "db1 db2"},
    {"a glob for all", "*", "web01 web02 web03 db1 db2"},
    {"a glob that matches nothing", "x*", ""},
    {"a glob with a range", "*[2-3]", "web02 db2 web03"},
    {"all but a glob", "*!db*", "web01 web02 web03"},
    {"underscores and the rest", "a_b-c.d+e~f", "a_b-c.d+e~f"},
    {"18 digits", "a[999999999999999998-999999999999999999]",
	"a999999999999999998 a999999999999999999"},
};

static const struct row bad[] = {
    {"reversed", "web[3-1]", "range \"3-1\" is reversed"},
    {"reversed in a list", "web[1,9-7]", "range \"9-7\" is reversed"},
    {"empty brackets", "web[]", "\"web[]\": empty brackets"},
    {"blank brackets", "web[ ]", "empty brackets"},
    {"empty range at the end", "web[1,]", "empty range"},
    {"empty range at the start", "web[,1]", "empty range"},
    {"no end", "web[1-]", "bad range \"1-\""},
    {"negative", "web[-1]", "bad range \"-1\""},
    {"letters", "web[a-c]", "bad range \"a-c\""},
    {"hexadecimal", "web[0x1]", "bad range \"0x1\""},
    {"two dashes", "web[1-2-3]", "bad range \"1-2-3\""},
    {"step 0", "web[1-9/0]", "range \"1-9/0\" has a step of 0"},
    {"step without a range", "web[5/2]", "bad range \"5/2\""},
    {"no step", "web[1-5/]", "bad range \"1-5/\""},
    {"padding differs", "web[01-100]", "padded to 2 and 3 digits"},
    {"padding differs at the end", "web[9-010]", "padded to 1 and 3 digits"},
    {"not opened", "web1]", "\"]\" without \"[\""},
    {"not closed", "web[1-3", "\"[\" without \"]\""},
    {"second not closed", "web[1-3]-[2", "\"[\" without \"]\""},
    {"IPv6 not closed", "[::1", "\"[\" without \"]\""},
    {"nested", "web[[1-2]]", "bad range \"[1-2\""},
    {"64 bits overflow", "n[1-99999999999999999999]",
	"a number of more than 18 digits"},
    {"too many", "[1-1000001]", "more than 1000000 hosts"},
    {"very many", "n[0-999999999999999999]", "more than 1000000 hosts"},
    {"too many in a list", "[1-600000,1-600000]", "more than 1000000"},
    {"too many as a product", "[1-1000]-[1-1001]", "more than 1000000"},
    {"a product that overflows",
	"[1-1000000]a[1-1000000]a[1-1000000]a[1-1000000]", "more than"},
    {"too many as a union", "a[1-999999],b[1-2]", "more than 1000000 hosts"},
    {"comma first", ",a", "missing before \",\""},
    {"comma last", "a,", "missing after \",\""},
    {"two commas", "a,,b", "missing before \",\""},
    {"nothing to subtract", "a!", "missing after \"!\""},
    {"nothing to subtract from", "!a", "missing before \"!\""},
    {"two operators", "a,!b", "missing before \"!\""},
    {"and nothing", "a & ", "missing after \"&\""},
    {"a slash", "../../etc", "bad character \"/\""},
    {"a slash in brackets", "[::/../x]", "bad character \"/\""},
    {"a comma in an IPv6 address", "a[1:2,3]", "bad character \",\""},
    {"a blank in an IPv6 address", "[:: 1]", "bad character 0x20"},
    {"a semicolon", "a;b", "bad character \";\""},
    {"a quote", "a'b", "bad character \"'\""},
    {"an escape sequence", "a\033[31m", "bad character 0x1b"},
    {"not ASCII", "caf\xc3\xa9", "bad character 0xc3"},
    {"an option", "-v", "\"-v\" is no host name"},
    {"dots", "..", "\"..\" is no host name"},
    {"no group", "@", "\"@\" without a group"},
    {"undefined group", "@db", "undefined group \"db\""},
};

static void
expands_as_the_table_says(void **state)
{
	struct hostset *set;
	struct error err;
	char *names;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		set = hostset_new();
		err.text[0] = '\0';
		if (hostset_expand(set, good[i].expr, &source, &err) == -1)
			fail_msg("%s: %s", good[i].what, err.text);
		names = join(set);
		if (strcmp(names, good[i].expected) != 0)
			fail_msg("%s: %s gives \"%s\", not \"%s\"",
			    good[i].what, good[i].expr, names,
			    good[i].expected);
		free(names);
		hostset_free(set);
	}
}

static void
refuses_as_the_table_says(void **state)
{
	struct hostset *set;
	struct error err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		set = hostset_new();
		err.text[0] = '\0';
		if (hostset_expand(set, bad[i].expr, &source, &err) != -1)
			fail_msg("%s: %s is taken", bad[i].what, bad[i].expr);
		if (strstr(err.text, bad[i].expected) == NULL)
			fail_msg("%s: \"%s\" lacks \"%s\"", bad[i].what,
			    err.text, bad[i].expected);
		hostset_free(set);
	}
}

static void
without_an_inventory_groups_and_globs_are_errors(void **state)
{
	static const char *const exprs[] = {"@web", "web*", "a,b?"};
	struct hostset *set;
	struct error err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(exprs) / sizeof(exprs[0]); i++) {
		set = hostset_new();
		assert_int_equal(hostset_expand(set, exprs[i], NULL, &err), -1);
		assert_non_null(strstr(err.text, "there is no inventory"));
		hostset_free(set);
	}
}

static void
group_lists_need_no_at_sign(void **state)
{
	struct hostset *set = hostset_new();
	struct error err;
	char *names;

	(void)state;
	assert_int_equal(hostset_expand(set, "web1,@web2", &groups, &err), 0);
	names = join(set);
	assert_string_equal(names, "web01 web02 web03");
	free(names);
	hostset_free(set);
}

/* Algebra is over this expression only, not over what the set held before. */
static void
expansion_adds_to_the_set(void **state)
{
	struct hostset *set = hostset_new();
	struct error err;
	char *names;

	(void)state;
	assert_int_equal(hostset_expand(set, "x,a1", NULL, &err), 0);
	assert_int_equal(hostset_expand(set, "a[1-3]!a[1-2]", NULL, &err), 0);
	names = join(set);
	assert_string_equal(names, "x a1 a3");
	free(names);
	hostset_free(set);
}

static void
a_name_has_a_greatest_length(void **state)
{
	char expr[HOSTSET_NAME_MAX + 8];
	struct hostset *set = hostset_new();
	struct error err;

	(void)state;
	memset(expr, 'a', sizeof(expr));
	strcpy(expr + HOSTSET_NAME_MAX - 1, "[1]");
	assert_int_equal(hostset_expand(set, expr, NULL, &err), 0);
	assert_int_equal(strlen(hostset_name(set, 0)), HOSTSET_NAME_MAX);
	strcpy(expr + HOSTSET_NAME_MAX - 1, "[10]");
	assert_int_equal(hostset_expand(set, expr, NULL, &err), -1);
	assert_non_null(strstr(err.text, "longer than"));
	hostset_free(set);
}

static void
a_million_hosts_is_the_limit(void **state)
{
	struct hostset *set = hostset_new();
	struct error err;

	(void)state;
	assert_int_equal(hostset_expand(set, "n[1-1000000]", NULL, &err), 0);
	assert_int_equal(hostset_count(set), HOSTSET_MAX);
	assert_string_equal(hostset_name(set, 999999), "n1000000");
	assert_int_equal(hostset_find(set, "n500000"), 499999);
	assert_int_equal(hostset_find(set, "n0"), SIZE_MAX);
	assert_int_equal(hostset_add(set, "n7", &err), 0);
	assert_int_equal(hostset_add(set, "x", &err), -1);
	hostset_free(set);
}

static void
names_stay_where_they_are(void **state)
{
	struct hostset *set = hostset_new();
	const char *first;
	struct error err;

	(void)state;
	assert_int_equal(hostset_add(set, "first", &err), 1);
	first = hostset_name(set, 0);
	assert_int_equal(hostset_expand(set, "n[1-100000]", NULL, &err), 0);
	assert_ptr_equal(hostset_name(set, 0), first);
	assert_string_equal(first, "first");
	assert_string_equal(hostset_name(set, 100000), "n100000");
	hostset_free(set);
}

static void
an_emptied_set_is_as_a_new_one(void **state)
{
	struct hostset *set = hostset_new();
	struct error err;
	char *names;
	int i;

	(void)state;
	hostset_empty(set);
	for (i = 0; i < 3; i++) {
		assert_int_equal(
		    hostset_expand(set, "x,n[1-5000],y", NULL, &err), 0);
		assert_int_equal(hostset_count(set), 5002);
		assert_int_equal(hostset_find(set, "n5000"), 5000);
		hostset_empty(set);
		assert_int_equal(hostset_count(set), 0);
		assert_int_equal(hostset_find(set, "n5000"), SIZE_MAX);
		assert_int_equal(
		    hostset_expand(set, "n[4999-5001],x", NULL, &err), 0);
		names = join(set);
		assert_string_equal(names, "n4999 n5000 n5001 x");
		free(names);
		assert_int_equal(hostset_find(set, "n2"), SIZE_MAX);
		hostset_empty(set);
	}
	hostset_free(set);
}

/* --- folding ------------------------------------------------------------ */

static const struct row folds[] = {
    {"the empty set", "", ""},
    {"one", "web1", "web1"},
    {"a run", "web1,web2,web3", "web[1-3]"},
    {"two are a run too", "web1,web2", "web[1-2]"},
    {"gaps", "web[1-3,5,7-9]", "web[1-3,5,7-9]"},
    {"padding", "web[08-11]", "web[08-11]"},
    {"9 and 10 without padding", "web[9-10]", "web[9-10]"},
    {"padded and not", "a[1-2,10,01-02]", "a[1-2,01-02,10]"},
    {"padded goes on in width", "a[098-101]", "a[098-101]"},
    {"padded and longer", "a99,a100,a09", "a[09,99-100]"},
    {"sorted", "b2,b1,a3,b,10", "10,a3,b,b[1-2]"},
    {"a suffix", "web[1-3].example.com", "web[1-3].example.com"},
    {"numbers only", "1,2,3", "[1-3]"},
    {"addresses", "10.0.0.[1-20]", "10.0.0.[1-20]"},
    {"two nets", "10.0.0.[1-2],10.0.1.3", "10.0.0.[1-2],10.0.1.3"},
    {"a product", "rack[1-2]-node[01-04]", "rack[1-2]-node[01-04]"},
    {"three dimensions", "a[1-2]b[1-3]c[5-6]", "a[1-2]b[1-3]c[5-6]"},
    {"an incomplete product", "r[1-2]n[1-2],r3n1", "r[1-2]n[1-2],r3n1"},
    {"the larger first", "r1n1,r2n[5-6]", "r2n[5-6],r1n1"},
    {"one dimension of two", "web10.x2,web9.x2", "web[9-10].x2"},
    {"user and port", "bob@web[1-3]:2222", "bob@web[1-3]:2222"},
    {"bracketed IPv6 stays", "[::1]:22,[::2]:22", "[::1]:22,[::2]:22"},
    {"bare IPv6 stays", "fe80::1,fe80::2", "fe80::1,fe80::2"},
    {"numbers too long stay",
	"a1234567890123456789012345678901,a1234567890123456789012345678902",
	"a1234567890123456789012345678901,"
	"a1234567890123456789012345678902"},
};

static void
folds_as_the_table_says(void **state)
{
	struct hostset *set;
	struct error err;
	char *text;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(folds) / sizeof(folds[0]); i++) {
		set = hostset_new();
		assert_int_equal(
		    hostset_expand(set, folds[i].expr, NULL, &err), 0);
		text = hostset_fold(set);
		if (strcmp(text, folds[i].expected) != 0)
			fail_msg("%s: \"%s\", not \"%s\"", folds[i].what, text,
			    folds[i].expected);
		free(text);
		hostset_free(set);
	}
}

static unsigned int
pick(uint64_t *seed, unsigned int below)
{
	*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned int)(*seed >> 33) % below;
}

/* A name such as "n07-3.x": one to three numbers, some of them padded. */
static void
random_name(uint64_t *seed, char *name, size_t size)
{
	static const char *const heads[] = {"n", "web", "", "Bob@r"};
	static const char *const tails[] = {"", "", ".x", ":22"};
	unsigned int dims = 1 + pick(seed, 3), i, width;
	size_t len;

	snprintf(name, size, "%s", heads[pick(seed, 4)]);
	for (i = 0; i < dims; i++) {
		len = strlen(name);
		width = pick(seed, 3);
		snprintf(name + len, size - len, "%s%0*u", i > 0 ? "-" : "",
		    (int)width, pick(seed, 13));
	}
	len = strlen(name);
	snprintf(name + len, size - len, "%s", tails[pick(seed, 4)]);
}

static void
folded_sets_read_back(void **state)
{
	uint64_t seed = 42;
	struct hostset *set, *back;
	struct error err;
	char name[128], *text;
	unsigned int round, i;

	(void)state;
	for (round = 0; round < 2000; round++) {
		set = hostset_new();
		back = hostset_new();
		for (i = pick(&seed, 60); i > 0; i--) {
			random_name(&seed, name, sizeof(name));
			assert_int_not_equal(hostset_add(set, name, &err), -1);
		}
		text = hostset_fold(set);
		if (hostset_expand(back, text, NULL, &err) == -1)
			fail_msg("%s: %s", text, err.text);
		if (hostset_count(back) != hostset_count(set))
			fail_msg("%s has %zu hosts, not %zu", text,
			    hostset_count(back), hostset_count(set));
		hostset_subtract(back, set);
		if (hostset_count(back) != 0)
			fail_msg(
			    "%s has %s too many", text, hostset_name(back, 0));
		free(text);
		hostset_free(set);
		hostset_free(back);
	}
}

/* --- the helpers in util ------------------------------------------------ */

static void
globs_match_whole_names(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool expected;
	} rows[] = {
	    {"*", "", true},
	    {"*", "abc", true},
	    {"?", "", false},
	    {"a*c", "abc", true},
	    {"a*c", "ac", true},
	    {"a*c", "ab", false},
	    {"a?c", "abc", true},
	    {"a?c", "ac", false},
	    {"abc", "abc", true},
	    {"abc", "abcd", false},
	    {"*b*", "abc", true},
	    {"a*b*c", "axbxbxc", true},
	    {"a*b*c", "axbxbx", false},
	    {"**", "x", true},
	    {"", "", true},
	    {"", "a", false},
	    {"*.com", "a.b.com", true},
	    {"[a]", "a", false},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (glob_match(rows[i].pattern, rows[i].name) !=
		    rows[i].expected)
			fail_msg("%s on %s", rows[i].pattern, rows[i].name);
	}
}

static const char *
candidate(const void *ctx, size_t index)
{
	static const char *const names[] = {
	    "port", "user", "password", "password_file", "web_clusters", NULL};

	(void)ctx;
	return names[index];
}

static void
suggests_what_was_meant(void **state)
{
	static const struct {
		const char *what, *word, *expected;
	} rows[] = {
	    {"swapped letters", "prot", "port"},
	    {"a letter too few", "pot", "port"},
	    {"a letter too many", "userr", "user"},
	    {"a wrong letter", "psssword", "password"},
	    {"upper case", "PASWORD", "password"},
	    {"two errors in a long word", "web_cluster1s", "web_clusters"},
	    {"the nearest of two", "password_fil", "password_file"},
	    {"nothing near", "colour", NULL},
	    {"nothing in common", "x", NULL},
	    {"empty", "", NULL},
	    {"too long to be meant",
		"passwordpasswordpasswordpasswordpasswordpasswordpassword"
		"passwordpassword",
		NULL},
	};
	const char *found;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		found = suggest(rows[i].word, candidate, NULL);
		if (found == NULL || rows[i].expected == NULL) {
			if (found != rows[i].expected)
				fail_msg("%s: %s", rows[i].what,
				    found != NULL ? found : "nothing");
		} else if (strcmp(found, rows[i].expected) != 0) {
			fail_msg("%s: %s", rows[i].what, found);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(expands_as_the_table_says),
	    cmocka_unit_test(refuses_as_the_table_says),
	    cmocka_unit_test(without_an_inventory_groups_and_globs_are_errors),
	    cmocka_unit_test(group_lists_need_no_at_sign),
	    cmocka_unit_test(expansion_adds_to_the_set),
	    cmocka_unit_test(a_name_has_a_greatest_length),
	    cmocka_unit_test(a_million_hosts_is_the_limit),
	    cmocka_unit_test(names_stay_where_they_are),
	    cmocka_unit_test(an_emptied_set_is_as_a_new_one),
	    cmocka_unit_test(folds_as_the_table_says),
	    cmocka_unit_test(folded_sets_read_back),
	    cmocka_unit_test(globs_match_whole_names),
	    cmocka_unit_test(suggests_what_was_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
