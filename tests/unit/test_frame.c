/* SPDX-License-Identifier: GPL-3.0-or-later */
/* frame: every message survives, split anywhere; nothing else is taken. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/frame.h"

#define B(s)                                        \
	{                                           \
		(const uint8_t *)(s), sizeof(s) - 1 \
	}

static const struct msg_config config = {.task = TASK_EXEC,
    .slots = 7,
    .credit = 65536,
    .channel_window = 2097152,
    .idle_timeout_ms = 1500,
    .has_input = 1,
    .input_bytes = UINT64_MAX - 3,
    .command = "df -h",
    .env = B("A=1\0B=\0"),
    .has_sandbox = 1};
static const struct msg_config put = {.task = TASK_PUT,
    .transfer_flags = TRANSFER_PRESERVE | TRANSFER_NAMED,
    .files = 8,
    .file_mode = FILE_MODE_KEEP,
    .total_files = UINT64_MAX,
    .total_bytes = UINT64_MAX - 1,
    .left_out = 1,
    .left_out_why = "a: Permission denied",
    .destination = "/tmp/",
    .backup_suffix = "~",
    .token = "0badcafe.1.2",
    .local = B("site\0a b\0")};
static const struct msg_config get = {.task = TASK_GET,
    .file_mode = 0644,
    .max_bytes = UINT64_C(100) << 30,
    .max_files = 1000000,
    .sources = B("/var/log/*.log\0a\nb\0")};
static const struct msg_job job = {"10.0.0.1", 65535, "deploy",
    "ssh-ed25519,rsa-sha2-512", B("\0\0\0\1k"), 1, 10000, 0, "logs", "web01"};
static const struct msg_verdict verdict = {VERDICT_ACCEPTED, "s3cret"};
static const struct msg_signature signature = {B("\0\377sig")};
static const struct msg_credit credit = {UINT32_MAX};
static const struct msg_cancel cancel = {"interrupted"};
static const struct msg_rate rate = {UINT64_MAX};
static const struct msg_ready ready = {32, "Landlock", "CVE-2026-1"};
static const struct msg_hostkey hostkey = {B("key\0blob"), "::1"};
static const struct msg_sign sign = {3, B("to be signed"), B("\0\0\0\1s")};
static const struct msg_output output = {2, B("line\nwith \0 in it")};
static const struct msg_result result = {4, 5, 1, 255, "KILL", "words", "127.1",
    UINT64_MAX, 1, 2, 3, UINT64_MAX - 5, 6, 7, "e3b0c442", 1};
static const struct msg_authenticated authenticated = {"publickey"};
static const struct msg_auth_refused auth_refused = {
    "publickey", UINT32_MAX, 1};
static const struct msg_progress progress = {UINT64_MAX, 1};
static const struct msg_entry entry = {ENTRY_FILE, 04755, UINT64_MAX,
    (uint64_t)-1, 999999999, 1, 2, 3, 4, B("\0\377"), "tree/\377 \n", "/home/x",
    ""};
static const struct msg_entry entry_link = {
    .type = ENTRY_SYMLINK, .path = "tree/link", .link = "../outside"};

static const struct row {
	const char *comment;
	enum frame_type type;
	const void *msg;
} rows[] = {
    {"the run's configuration", FRAME_CONFIG, &config},
    {"of a put", FRAME_CONFIG, &put},
    {"of a get", FRAME_CONFIG, &get},
    {"a job", FRAME_JOB, &job},
    {"a verdict with a password", FRAME_VERDICT, &verdict},
    {"a signature with NUL in it", FRAME_SIGNATURE, &signature},
    {"credit", FRAME_CREDIT, &credit},
    {"cancel", FRAME_CANCEL, &cancel},
    {"a share of the rate", FRAME_RATE, &rate},
    {"free slots", FRAME_READY, &ready},
    {"a host key", FRAME_HOSTKEY, &hostkey},
    {"a request to sign", FRAME_SIGN, &sign},
    {"output with NUL in it", FRAME_OUTPUT, &output},
    {"a result", FRAME_RESULT, &result},
    {"progress", FRAME_PROGRESS, &progress},
    {"a file whose name is no text", FRAME_ENTRY, &entry},
    {"a symlink", FRAME_ENTRY, &entry_link},
    {"a ping", FRAME_PING, NULL},
    {"a pong", FRAME_PONG, NULL},
    {"a login", FRAME_AUTHENTICATED, &authenticated},
    {"a login that failed", FRAME_AUTH_REFUSED, &auth_refused},
    {"a command that was sent", FRAME_STARTED, NULL},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

union any {
	struct msg_config config;
	struct msg_job job;
	struct msg_verdict verdict;
	struct msg_signature signature;
	struct msg_credit credit;
	struct msg_cancel cancel;
	struct msg_ready ready;
	struct msg_hostkey hostkey;
	struct msg_sign sign;
	struct msg_output output;
	struct msg_result result;
	struct msg_rate rate;
	struct msg_authenticated authenticated;
	struct msg_auth_refused auth_refused;
	struct msg_progress progress;
	struct msg_entry entry;
};

/* Read the frame at the head of in and write what was read again. */
static void
assert_same(const struct row *row, const struct buf *in, uint32_t job_number)
{
	struct frame frame;
	struct buf again;
	union any msg;
	ssize_t size = frame_peek(in, &frame);

	buf_init(&again, FRAME_MAX);
	assert_true(size > 0);
	assert_int_equal(frame.type, row->type);
	assert_int_equal(frame.job, job_number);
	assert_int_equal(frame_read(&frame, &msg), 0);
	assert_int_equal(frame_write(&again, row->type, job_number, &msg), 0);
	assert_int_equal(buf_len(&again), size);
	assert_memory_equal(buf_head(&again), buf_head(in), (size_t)size);
	buf_clear(&again);
}

static void
test_split_at_every_byte(void **state)
{
	struct buf whole, part;
	struct frame frame;
	size_t i, cut;

	(void)state;
	for (i = 0; i < ROWS; i++) {
		buf_init(&whole, FRAME_MAX);
		frame_write(&whole, rows[i].type, 42, rows[i].msg);
		for (cut = 0; cut < buf_len(&whole); cut++) {
			buf_init(&part, FRAME_MAX);
			buf_append(&part, buf_head(&whole), cut);
			assert_int_equal(frame_peek(&part, &frame), 0);
			buf_append(&part, buf_head(&whole) + cut,
			    buf_len(&whole) - cut);
			assert_same(&rows[i], &part, 42);
			buf_clear(&part);
		}
		buf_clear(&whole);
	}
}

static void
test_stream_of_all_frames(void **state)
{
	struct buf stream;
	struct frame frame;
	uint32_t i;

	(void)state;
	buf_init(&stream, FRAME_MAX);
	for (i = 0; i < ROWS; i++)
		frame_write(&stream, rows[i].type, i, rows[i].msg);
	for (i = 0; i < ROWS; i++) {
		assert_same(&rows[i], &stream, i);
		buf_consume(&stream, (size_t)frame_peek(&stream, &frame));
	}
	assert_int_equal(buf_len(&stream), 0);
	buf_clear(&stream);
}

/* A frame whose payload is cut or grows is refused, not read past its end. */
static void
test_wrong_payload_length(void **state)
{
	struct buf b;
	struct frame frame;
	union any msg;
	size_t i, len;

	(void)state;
	for (i = 0; i < ROWS; i++) {
		buf_init(&b, FRAME_MAX);
		frame_write(&b, rows[i].type, 1, rows[i].msg);
		assert_true(frame_peek(&b, &frame) > 0);
		len = frame.payload.left;
		while (frame.payload.left > 0) {
			frame.payload.left--;
			assert_int_equal(frame_read(&frame, &msg), -1);
		}
		buf_append(&b, "", 1);
		frame.payload.left = len + 1;
		assert_int_equal(frame_read(&frame, &msg), -1);
		buf_clear(&b);
	}
}

static void
test_bad_headers(void **state)
{
	static const struct {
		const char *comment;
		const char bytes[10];
	} bad[] = {
	    {"length less than a header's rest", "\0\0\0\4\1\0\0\0\0"},
	    {"length 0", "\0\0\0\0\1\0\0\0\0"},
	    {"length over the maximum", "\0\100\0\0\1\0\0\0\0"},
	    {"length all ones", "\377\377\377\377\1\0\0\0\0"},
	    {"type 0", "\0\0\0\5\0\0\0\0\0"},
	    {"type unknown", "\0\0\0\5\24\0\0\0\0"},
	};
	struct frame frame;
	struct buf b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		buf_init(&b, 64);
		buf_append(&b, bad[i].bytes, 9);
		if (frame_peek(&b, &frame) != -1)
			fail_msg("taken: %s", bad[i].comment);
		buf_clear(&b);
	}
}

/* A string that is not set is an empty one at the other side. */
static void
test_null_string_is_empty(void **state)
{
	struct buf b;
	struct frame frame;
	struct msg_config msg;

	(void)state;
	buf_init(&b, FRAME_MAX);
	assert_int_equal(frame_write(&b, FRAME_CONFIG, 1, &put), 0);
	assert_true(frame_peek(&b, &frame) > 0);
	assert_int_equal(frame_read(&frame, &msg), 0);
	assert_string_equal(msg.command, "");
	assert_string_equal(msg.destination, "/tmp/");
	assert_int_equal(msg.sources.len, 0);
	assert_int_equal(msg.file_mode, FILE_MODE_KEEP);
	buf_clear(&b);
}

static void
test_too_large_is_refused_whole(void **state)
{
	struct msg_output msg = {1, {NULL, FRAME_MAX}};
	struct buf b;

	(void)state;
	buf_init(&b, 4 * FRAME_MAX);
	assert_int_equal(frame_write(&b, FRAME_OUTPUT, 1, &msg), -1);
	assert_int_equal(buf_len(&b), 0);
	buf_clear(&b);
	buf_init(&b, 20);
	assert_int_equal(frame_write(&b, FRAME_OUTPUT, 1, &output), -1);
	assert_int_equal(buf_len(&b), 0);
	buf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_split_at_every_byte),
	    cmocka_unit_test(test_stream_of_all_frames),
	    cmocka_unit_test(test_wrong_payload_length),
	    cmocka_unit_test(test_bad_headers),
	    cmocka_unit_test(test_null_string_is_empty),
	    cmocka_unit_test(test_too_large_is_refused_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
