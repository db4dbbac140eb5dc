/* SPDX-License-Identifier: GPL-3.0-or-later */
/* json, utf8, report_file: records and the file of them. */
#include "config.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include <jansson.h>

#include "report/json.h"
#include "report/report_file.h"
#include "util/fdio.h"
#include "util/utf8.h"
#include "util/xalloc.h"

static struct record
record_of(enum status status)
{
	struct record r = {.host = "web01",
	    .address = "127.0.0.1",
	    .groups = "",
	    .status = status,
	    .signal = "",
	    .message = "",
	    .sha256 = ""};

	return r;
}

/* The line of a host that has sent so much of out. The caller frees it. */
static char *
line_of(const struct record *r, const char *out, size_t len, size_t capture,
    bool is_ascii)
{
	struct store *s = store_new(1u << 20);
	struct contents *set = contents_new(s);
	struct capture *c = capture_new(1, capture, s, set);
	struct json_outputs carried = {.contents = set, .capture = capture};
	struct outputs o;
	struct buf b;
	char *line;

	capture_add(c, 0, 1, (const uint8_t *)out, len);
	o = capture_end(c, 0);
	carried.outputs = &o;
	buf_init(&b, 1u << 20);
	json_record(r, &carried, is_ascii, &b);
	line = xstrndup((const char *)buf_head(&b), buf_len(&b));
	buf_clear(&b);
	outputs_drop(set, &o);
	capture_free(c);
	contents_free(set);
	store_free(s);
	return line;
}

static void
check_has(const struct record *r, const char *part, bool has)
{
	char *line = line_of(r, "", 0, 100, false);

	if ((strstr(line, part) != NULL) != has)
		fail_msg("%s: %s", part, line);
	free(line);
}

static void
test_a_record_tells_of_how_many_it_is_one(void **state)
{
	struct record r = record_of(STATUS_OK);

	(void)state;
	r.seq = 3;
	r.hosts = 17;
	check_has(&r, "{\"seq\":3,\"hosts\":17,\"host\":", true);
}

static void
test_records_of_transfers_say_what_moved(void **state)
{
	struct record r = record_of(STATUS_OK);

	(void)state;
	r.is_transfer = true;
	r.bytes = 12;
	r.files = 3;
	r.unchanged = 1;
	check_has(&r,
	    ",\"bytes\":12,\"files\":3,\"unchanged\":1,\"sha256\":null}", true);
	r.sha256 = "e3b0";
	check_has(&r, ",\"sha256\":\"e3b0\"}", true);
	r.is_transfer = false;
	check_has(&r, "\"sha256\"", false);
	check_has(&r, "\"files\"", false);
}

static void
test_a_group_may_have_any_name(void **state)
{
	struct record r = record_of(STATUS_OK);

	(void)state;
	r.groups = "web,d\377b,c\303\244";
	check_has(&r, "\"groups\":[\"web\",\"d\\\\xffb\",\"c\303\244\"]", true);
}

/* What of a record depends on the output: out of a capture of that size. */
static const struct row {
	const char *comment;
	const char *out;
	size_t capture;
	const char *text;   /* stdout */
	const char *base64; /* NULL: there is none */
	bool is_cut;
} rows[] = {
    {"text", "one\ntwo\n", 100, "one\ntwo\n", NULL, false},
    {"nothing", "", 100, "", NULL, false},
    {"control characters", "\033[2J\001\177", 100, "\033[2J\001\177", NULL,
	false},
    {"letters", "\303\244\342\202\254\360\237\230\200", 100,
	"\303\244\342\202\254\360\237\230\200", NULL, false},
    {"no UTF-8", "a\377b", 100, "a\357\277\275b", "Yf9i", false},
    {"a surrogate", "\355\240\200", 100, "\357\277\275\357\277\275\357\277\275",
	"7aCA", false},
    {"a character cut by the host", "a\342\202", 100,
	"a\357\277\275\357\277\275", "YeKC", false},
    {"as much as fits", "abcd", 4, "abcd", NULL, false},
    {"more than that", "abcde", 4, "abcd", NULL, true},
    {"cut in a character", "abc\303\244", 4, "abc", NULL, true},
    {"cut in a longer one", "a\342\202\254", 3, "a", NULL, true},
    {"cut in the longest", "\360\237\230\200", 3, "", NULL, true},
    {"cut after a character", "\303\244a", 2, "\303\244", NULL, true},
    {"no UTF-8 and cut", "\377abc", 3, "\357\277\275ab", "/2Fi", true},
    {"nothing is carried", "abc", 0, "", NULL, true},
};

static void
check_row(const struct row *row, bool is_ascii)
{
	struct record r = record_of(STATUS_OK);
	char *line =
	    line_of(&r, row->out, strlen(row->out), row->capture, is_ascii);
	json_t *o = json_loads(line, JSON_ALLOW_NUL, NULL);
	const char *base64;
	size_t i;

	if (o == NULL || line[strlen(line) - 1] != '\n' ||
	    strchr(line, '\n') != line + strlen(line) - 1)
		fail_msg("%s: no line of JSON: %s", row->comment, line);
	base64 = json_string_value(json_object_get(o, "stdout_b64"));
	assert_string_equal(
	    json_string_value(json_object_get(o, "stdout")), row->text);
	assert_true((base64 == NULL) == (row->base64 == NULL));
	if (base64 != NULL)
		assert_string_equal(base64, row->base64);
	assert_true(
	    json_is_true(json_object_get(o, "truncated")) == row->is_cut);
	assert_int_equal(json_integer_value(json_object_get(o, "stdout_bytes")),
	    strlen(row->out));
	assert_string_equal(
	    json_string_value(json_object_get(o, "stderr")), "");
	for (i = 0; is_ascii && line[i] != '\0'; i++)
		assert_true(
		    line[i] == '\n' || (line[i] >= 32 && line[i] < 127));
	json_decref(o);
	free(line);
}

static void
test_output_in_records(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check_row(&rows[i], false);
		check_row(&rows[i], true);
	}
}

static void
test_nul_bytes_are_text(void **state)
{
	struct record r = record_of(STATUS_OK);
	char *line = line_of(&r, "a\0b", 3, 100, false);

	(void)state;
	assert_non_null(strstr(line, "\"stdout\":\"a\\u0000b\""));
	free(line);
}

static void
test_a_worker_that_died_did_not_count(void **state)
{
	struct record r = record_of(STATUS_LOST);
	char *line;

	(void)state;
	line = line_of(&r, "abc", 3, 100, false);
	assert_non_null(strstr(line, "\"stdout_bytes\":3,"));
	free(line);
	/* One that lived knows of more than it sent. */
	r.stdout_bytes = 5;
	line = line_of(&r, "abc", 3, 100, false);
	assert_non_null(strstr(line, "\"stdout_bytes\":5,"));
	free(line);
}

static void
test_whole_characters(void **state)
{
	static const struct {
		const char *bytes;
		size_t whole;
	} rows_whole[] = {
	    {"", 0},
	    {"a", 1},
	    {"\303", 0},
	    {"\303\244", 2},
	    {"\342\202", 0},
	    {"\342\202\254", 3},
	    {"a\360\237\230", 1},
	    /* not valid anyway */
	    {"\200\200\200\200", 4},
	    {"a\377", 2},
	    {"\303\244\200", 3},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows_whole) / sizeof(rows_whole[0]); i++)
		assert_int_equal(
		    utf8_whole((const uint8_t *)rows_whole[i].bytes,
			strlen(rows_whole[i].bytes)),
		    rows_whole[i].whole);
}

/* --- the file ------------------------------------------------------------ */

static void
write_line(struct report_file *f, char letter, size_t len)
{
	char *text = xmalloc(len);
	struct buf b;

	memset(text, letter, len);
	text[len - 1] = '\n';
	buf_init(&b, len);
	buf_append(&b, text, len);
	report_file_write(f, &b);
	buf_clear(&b);
	free(text);
}

static void
test_a_line_that_finds_no_room_leaves_nothing(void **state)
{
	char path[] = "/tmp/test_json.XXXXXX";
	int fd = mkstemp(path);
	struct report_file *f;
	struct rlimit old, limit;
	size_t len;
	char *text;

	(void)state;
	assert_int_not_equal(fd, -1);
	close(fd);
	f = report_file_new(path, NULL);
	assert_non_null(f);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = 10000;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	write_line(f, 'a', 6000);
	assert_false(report_file_lacks(f));
	write_line(f, 'b', 6000);
	assert_true(report_file_lacks(f));
	write_line(f, 'c', 10);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	report_file_free(f);
	text = file_read(path, 20000, &len, NULL);
	unlink(path);
	assert_int_equal(len, 6010);
	assert_memory_equal(text + 5998, "a\nccccccccc\n", 12);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_record_tells_of_how_many_it_is_one),
	    cmocka_unit_test(test_records_of_transfers_say_what_moved),
	    cmocka_unit_test(test_a_group_may_have_any_name),
	    cmocka_unit_test(test_output_in_records),
	    cmocka_unit_test(test_nul_bytes_are_text),
	    cmocka_unit_test(test_a_worker_that_died_did_not_count),
	    cmocka_unit_test(test_whole_characters),
	    cmocka_unit_test(test_a_line_that_finds_no_room_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
