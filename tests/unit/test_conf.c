/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * batch.conf: values of every kind, what is refused and how it is said, what
 * wins over what, and that what is printed reads back as the same.
 */
#include "config.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/conf.h"
#include "cli/option_value.h"
#include "inventory/inventory.h"

struct values {
	bool flag;
	const char *string, *path, *port, *checked;
	uint32_t number, duration_ms, count;
	uint64_t size;
	unsigned word;
	struct option_list list, paths, hosts, checks;
};

#define AT(member) offsetof(struct values, member)

static int
check_checked(const char *text, struct error *err)
{
	return strcmp(text, "good") == 0 ? 0 : error_set(err, "not good");
}

static const struct option_row rows[] = {
    {"F,flag", NULL, OPTION_FLAG, AT(flag), "", "First"},
    {"string", "TEXT", OPTION_STRING, AT(string), ""},
    {"path", "FILE", OPTION_STRING, AT(path), ""},
    {"checked", "TEXT", OPTION_STRING, AT(checked), "", .check = check_checked},
    {"checks", "TEXT", OPTION_LIST, AT(checks), "", .check = check_checked},
    {"p,port", "PORT", OPTION_SETTING, AT(port), "", .tag = SETTING_PORT},
    {"number", "N", OPTION_NUMBER, AT(number), "", NULL, 1, 9},
    {"duration", "TIME", OPTION_DURATION, AT(duration_ms), ""},
    {"size", "SIZE", OPTION_SIZE, AT(size), "", .least = 10, .most = 10 << 20},
    {"word", "WORD", OPTION_WORD, AT(word), "", .words = "one|two"},
    {"list", "TEXT", OPTION_LIST, AT(list), "", "Second"},
    {"paths", "FILE", OPTION_LIST, AT(paths), ""},
    {"c,count", NULL, OPTION_COUNT, AT(count), "", .most = 3, .tag = 1},
    {"cc", NULL, OPTION_COUNT, AT(count), "", .most = 3, .tag = 2,
	.is_call_only = true},
    {"hosts", "HOSTS", OPTION_LIST, AT(hosts), "", .is_call_only = true},
    {NULL},
};

/* One program with its values. */
struct world {
	struct values values;
	struct option_table tables[2];
	struct conf conf;
	char dir[32], file[64];
};

static void
world_begin(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->values.word = 2; /* none of them */
	w->tables[0] = (struct option_table){rows, &w->values};
	strcpy(w->dir, "/tmp/test_conf.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->file, sizeof(w->file), "%s/f", w->dir);
}

static void
world_write(const struct world *w, const char *text)
{
	FILE *f = fopen(w->file, "w");

	assert_non_null(f);
	fputs(text, f);
	fchmod(fileno(f), 0644);
	assert_int_equal(fclose(f), 0);
}

/* Forget the values, as another call of the program would. */
static void
world_reset(struct world *w)
{
	options_clear(w->tables);
	conf_clear(&w->conf);
	memset(&w->values, 0, sizeof(w->values));
	w->values.word = 2;
}

static void
world_end(struct world *w)
{
	world_reset(w);
	unlink(w->file);
	rmdir(w->dir);
}

static int
world_read(struct world *w, struct error *err)
{
	return conf_read(&w->conf, w->tables, "batch_run", w->file, err);
}

/* All values, one after the other, as texts. */
static char *
world_text(struct world *w)
{
	struct option_walk walk = {w->tables};
	char *all = strdup(""), *text, *longer;
	size_t i;

	while (option_walk_next(&walk)) {
		for (i = 0; !walk.row->is_call_only; i++) {
			text = option_text(walk.row, walk.place, i);
			if (text == NULL)
				break;
			assert_true(asprintf(&longer, "%s%s=%s|", all,
					option_name(walk.row), text) > 0);
			free(all);
			free(text);
			all = longer;
		}
	}
	return all;
}

/* --- values -------------------------------------------------------------- */

static const struct {
	const char *comment;
	const char *text;
	const char *values;
} good[] = {
    {"nothing", "", "flag=false|duration=0s|count=0|"},
    {"every kind",
	"[batch]\nflag = true\nstring = a b ; comment\nport = 2222\n"
	"number = 9\nduration = 1.5\nsize = 10K\nword = two\ncount = 3\n",
	"flag=true|string=a b|port=2222|number=9|duration=1500ms|size=10K|"
	"word=two|count=3|"},
    {"a flag that is off", "[batch]\nflag = false\n",
	"flag=false|duration=0s|count=0|"},
    {"the case of a key does not matter", "[Batch]\nNumber = 3\n",
	"flag=false|number=3|duration=0s|count=0|"},
    {"the program's section wins, though it comes first",
	"[batch_run]\nnumber = 3\n[batch]\nnumber = 4\nword = one\n",
	"flag=false|number=3|duration=0s|word=one|count=0|"},
    {"the other program's section is not looked at",
	"[batch_scp]\nnumber = 99\nnonsense = 1\n",
	"flag=false|duration=0s|count=0|"},
    {"a list", "[batch]\nlist = a, b c ,d\n",
	"flag=false|duration=0s|list=a|list=b c|list=d|count=0|"},
    {"commas, blanks and nothing in quotes",
	"[batch]\nlist = A='x,y', \" z \", ''\n",
	"flag=false|duration=0s|list=A=x,y|list= z |list=|count=0|"},
    {"a home only where a path is meant",
	"[batch]\nstring = ~/x\npath = ~/x\npaths = ~/a, /b\n",
	"flag=false|string=~/x|path=/home/me/x|duration=0s|"
	"paths=/home/me/a|paths=/b|count=0|"},
};

static void
test_good(void **state)
{
	struct error err;
	struct world w;
	char *text;
	size_t i;

	(void)state;
	setenv("HOME", "/home/me", 1);
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		world_begin(&w);
		world_write(&w, good[i].text);
		err.text[0] = '\0';
		if (world_read(&w, &err) == -1)
			fail_msg("%s: %s", good[i].comment, err.text);
		text = world_text(&w);
		if (strcmp(text, good[i].values) != 0)
			fail_msg("%s: %s", good[i].comment, text);
		free(text);
		world_end(&w);
	}
}

/* --- errors -------------------------------------------------------------- */

static const struct {
	const char *comment;
	const char *text;
	const char *error; /* behind the file's name */
} bad[] = {
    {"out of range", "[batch]\n\nnumber = 10\n",
	":3: [batch] number: \"10\" is not a number from 1 to 9"},
    {"more than the most", "[batch]\nsize = 11M\n",
	":2: [batch] size: \"11M\" is more than 10M"},
    {"what has a form of its own", "[batch]\n\nchecked = bad\n",
	":3: [batch] checked: not good"},
    {"in a list", "[batch]\nchecks = good, bad\n",
	":2: [batch] checks: not good"},
    {"an empty path", "[batch]\npath =\n",
	":2: [batch] path: the path is empty"},
    {"an empty path in a list", "[batch]\npaths = a, ''\n",
	":2: [batch] paths: the path is empty"},
    {"a setting of hosts", "[batch]\nport = many\n",
	":2: [batch] port: bad port \"many\" (1 to 65535)"},
    {"no flag", "[batch_run]\nflag = yes\n",
	":2: [batch_run] flag: \"yes\" is neither true nor false"},
    {"no word of them", "[batch]\nword = three\n",
	":2: [batch] word: \"three\" is none of one|two"},
    {"a mistyped key", "[batch]\nnumbre = 3\n",
	":2: [batch] numbre: unknown option; did you mean \"number\"?"},
    {"a short name", "[batch]\nc = 3\n",
	":2: [batch] c: unknown option; did you mean \"count\"?"},
    {"the beginning of a key", "[batch]\ndur = 3\n",
	":2: [batch] dur: unknown option; did you mean \"duration\"?"},
    {"nothing like it, for both", "[batch]\nzzzzzz = 3\n",
	":2: [batch] zzzzzz: unknown option; \"batch_run -print-config\" has all"},
    {"of the other program, for both", "[batch]\nlimit = 3\n",
	":2: [batch] limit: this is batch_scp's: put it under [batch_scp]"},
    {"of the other program, for this one", "[batch_run]\nlimit = 3\n",
	":2: [batch_run] limit: this is batch_scp's: put it under [batch_scp]"},
    {"of this program, for both", "[batch]\nenv = A=1\n",
	":2: [batch] env: this is batch_run's: put it under [batch_run]"},
    {"nothing like it, for one", "[batch_run]\nzzzzzz = 3\n",
	":2: [batch_run] zzzzzz: unknown option; \"batch_run -print-config\" "
	"has all"},
    {"of one call", "[batch]\nhosts = a\n",
	":2: [batch] hosts: -hosts is for the command line only"},
    {"what does not count is checked",
	"[batch_run]\nnumber = 1\n[batch]\nnumber = x\n",
	":4: [batch] number: \"x\" is not a number from 1 to 9"},
    {"a mistyped section", "[batch_rum]\nnumber = 1\n",
	":1: unknown section [batch_rum]; did you mean [batch_run]?"},
    {"another section", "[batch]\n\n[defaults]\nuser = me\n",
	":3: unknown section [defaults]; there are [batch], [batch_run] and "
	"[batch_scp]"},
    {"an open quote", "[batch]\nlist = o'clock\n",
	":2: [batch] list: a quote is not closed"},
    {"a syntax error", "[batch]\nnumber\n",
	":2: no \"=\"; a name without a value is written \"number =\""},
};

static void
test_bad(void **state)
{
	struct error err;
	struct world w;
	char *expected;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		world_begin(&w);
		world_write(&w, bad[i].text);
		if (world_read(&w, &err) == 0)
			fail_msg("%s: taken", bad[i].comment);
		assert_true(asprintf(&expected, "option -config: %s%s", w.file,
				bad[i].error) > 0);
		if (strcmp(err.text, expected) != 0)
			fail_msg("%s: %s", bad[i].comment, err.text);
		free(expected);
		world_end(&w);
	}
}

static void
test_others_can_write(void **state)
{
	static const mode_t modes[] = {0664, 0646, 0660, 0777};
	struct error err;
	struct world w;
	size_t i;

	(void)state;
	world_begin(&w);
	world_write(&w, "[batch]\nnumber = 3\n");
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_int_equal(chmod(w.file, modes[i]), 0);
		assert_int_equal(world_read(&w, &err), -1);
		assert_non_null(strstr(err.text, "chmod go-w"));
		assert_int_equal(w.values.number, 0);
	}
	assert_int_equal(chmod(w.file, 0644), 0);
	assert_int_equal(world_read(&w, &err), 0);
	assert_int_equal(w.values.number, 3);
	world_end(&w);
}

static void
test_owned_by_another(void **state)
{
	struct error err;
	struct world w;

	(void)state;
	if (geteuid() != 0)
		skip();
	world_begin(&w);
	world_write(&w, "[batch]\nnumber = 3\n");
	assert_int_equal(chown(w.file, 12345, (gid_t)-1), 0);
	assert_int_equal(world_read(&w, &err), -1);
	assert_non_null(strstr(err.text, "others than you and root"));
	world_end(&w);
}

/* --- precedence ---------------------------------------------------------- */

static void
test_command_line_wins(void **state)
{
	char *argv[] = {(char[]){"batch_run"}, (char[]){"-flag=false"},
	    (char[]){"-list"}, (char[]){"x"}, (char[]){"-cc"}, NULL};
	struct error err;
	struct world w;
	int operand;

	(void)state;
	world_begin(&w);
	world_write(
	    &w, "[batch]\nflag = true\nlist = a,b\nnumber = 4\ncount = 1\n");
	assert_int_equal(
	    options_parse(w.tables, 5, argv, &w.conf.origins, &operand, &err),
	    0);
	assert_int_equal(world_read(&w, &err), 0);
	assert_false(w.values.flag);
	assert_int_equal(w.values.list.count, 1);
	assert_string_equal(w.values.list.values[0].text, "x");
	assert_int_equal(w.values.number, 4);
	assert_int_equal(w.values.count, 2);
	world_end(&w);
}

static void
test_a_count(void **state)
{
	static struct {
		char words[3][12];
		uint32_t count;
	} table[] = {
	    {{"-c", "-c", "-c=false"}, 0},
	    {{"-cc", "-cc", "-c"}, 3},
	    {{"-cc=false", "-c=true", "-c"}, 2},
	    {{"-c=3", "-c=1", "-cc"}, 3},
	};
	struct error err;
	struct world w;
	int operand;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char *argv[] = {(char[]){"batch_run"}, table[i].words[0],
		    table[i].words[1], table[i].words[2], NULL};

		world_begin(&w);
		assert_int_equal(options_parse(w.tables, 4, argv,
				     &w.conf.origins, &operand, &err),
		    0);
		assert_int_equal(w.values.count, table[i].count);
		world_end(&w);
	}
}

static void
test_no_file(void **state)
{
	struct error err;
	struct world w;

	(void)state;
	world_begin(&w);
	world_write(&w, "[batch]\nnumber = 3\n");
	setenv("BATCH_CONFIG", w.file, 1);
	assert_int_equal(
	    conf_read(&w.conf, w.tables, "batch_run", "none", &err), 0);
	assert_int_equal(w.values.number, 0);
	assert_int_equal(
	    conf_read(&w.conf, w.tables, "batch_run", NULL, &err), 0);
	assert_int_equal(w.values.number, 3);
	unsetenv("BATCH_CONFIG");
	world_end(&w);
}

/* --- printing ------------------------------------------------------------ */

static void
test_printed_reads_back(void **state)
{
	static const char *const texts[] = {"[batch]\n",
	    "[batch]\nflag = true\nstring = \"a;b#c\"\nnumber = 2\n"
	    "duration = 250ms\nsize = 1M\nword = one\ncount = 2\nport = 22\n"
	    "list = A='x,y', it\"'\"s, \" z \", ''\npaths = /a b, /c\n",
	    "[batch]\nstring = '\"quoted\"'\nlist = \"'a;b',c\"\n"
	    "path = \" blanks \"\n"};
	struct error err;
	struct world w;
	char *before, *after;
	size_t i;
	FILE *f;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		world_begin(&w);
		world_write(&w, texts[i]);
		if (world_read(&w, &err) == -1)
			fail_msg("%zu: %s", i, err.text);
		before = world_text(&w);
		f = fopen(w.file, "w");
		assert_non_null(f);
		conf_print(&w.conf, w.tables, "batch_run", f);
		assert_int_equal(fclose(f), 0);
		world_reset(&w);
		if (world_read(&w, &err) == -1)
			fail_msg("%zu: %s", i, err.text);
		after = world_text(&w);
		assert_string_equal(before, after);
		free(before);
		free(after);
		world_end(&w);
	}
}

/* What no line of a file can say is no value there, but a comment. */
static void
test_not_to_be_written(void **state)
{
	static const char *const texts[] = {
	    "both \" and ' in it; and a comment", "two\nlines", "back\\slash;"};
	char *argv[] = {(char[]){"batch_run"}, (char[]){"-string"}, NULL, NULL};
	struct error err;
	struct world w;
	char *line = NULL;
	size_t i, size = 0;
	bool is_said;
	int operand;
	FILE *f;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		world_begin(&w);
		argv[2] = strdup(texts[i]);
		assert_int_equal(options_parse(w.tables, 3, argv,
				     &w.conf.origins, &operand, &err),
		    0);
		f = fopen(w.file, "w+");
		assert_non_null(f);
		conf_print(&w.conf, w.tables, "batch_run", f);
		rewind(f);
		is_said = false;
		while (getline(&line, &size, f) != -1) {
			assert_null(strstr(line, "both"));
			assert_true(strncmp(line, "string", 6) != 0);
			is_said |= strncmp(line, ";string", 7) == 0 &&
			    strstr(line, "not to be written") != NULL;
		}
		assert_true(is_said);
		assert_int_equal(fclose(f), 0);
		free(argv[2]);
		world_end(&w);
	}
	free(line);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_others_can_write),
	    cmocka_unit_test(test_owned_by_another),
	    cmocka_unit_test(test_command_line_wins),
	    cmocka_unit_test(test_a_count),
	    cmocka_unit_test(test_no_file),
	    cmocka_unit_test(test_printed_reads_back),
	    cmocka_unit_test(test_not_to_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
