/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records as JSON: one line that reads back, with the bytes that the host has
 * sent, as text or in base64. The input is a byte with flags, one with how much
 * of a stream a record carries, and what the host sends, which is the message
 * of its result as well.
 */
#include "config.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "control/key_type.h"
#include "report/json.h"
#include "util/utf8.h"

#define FLAG_ASCII 1u
#define FLAG_CUT   2u

/* The line of a host that has sent the bytes of c on stderr. */
static void
write_line(struct buf *line, struct cursor c, size_t capture, bool is_ascii)
{
	struct store *s = store_new(1u << 20);
	struct contents *set = contents_new(s);
	struct capture *captured = capture_new(1, capture, s, set);
	struct json_outputs carried = {.contents = set, .capture = capture};
	struct record record = {.host = "web1",
	    .address = "",
	    .groups = "a,b",
	    .status = STATUS_FAILED,
	    .sha256 = ""};
	char *message;
	struct outputs outputs;

	if (c.left > 0)
		capture_add(captured, 0, 2, c.p, c.left);
	outputs = capture_end(captured, 0);
	carried.outputs = &outputs;
	message = fuzz_rest(&c);
	record.message = record.signal = message;
	json_record(&record, &carried, is_ascii, line);
	free(message);
	outputs_drop(set, &outputs);
	capture_free(captured);
	contents_free(set);
	store_free(s);
}

static void
check_line(const struct buf *line, bool is_ascii)
{
	const uint8_t *p = buf_head(line);
	size_t len = buf_len(line), i;

	FUZZ_CHECK(memchr(p, '\n', len) == p + len - 1);
	for (i = 0; i < len - 1; i++)
		FUZZ_CHECK(p[i] >= ' ' && (!is_ascii || p[i] <= '~'));
}

/* What it carries of stderr is what was sent first. */
static void
check_stream(json_t *record, const uint8_t *sent, size_t size, size_t capture)
{
	const json_t *text = json_object_get(record, "stderr");
	const char *base64 =
	    json_string_value(json_object_get(record, "stderr_b64"));
	uint8_t bytes[KEY_BLOB_MAX];
	size_t len;
	long n;

	FUZZ_CHECK(json_is_string(text));
	FUZZ_CHECK(json_is_true(json_object_get(record, "truncated")) ==
	    (size > capture));
	len = size > capture ? utf8_whole(sent, capture) : size;
	FUZZ_CHECK((base64 == NULL) == (utf8_valid(sent, len) == len));
	if (base64 == NULL) {
		FUZZ_CHECK(json_string_length(text) == len);
		FUZZ_CHECK(memcmp(json_string_value(text), sent, len) == 0);
		return;
	}
	n = base64_decode(base64, strlen(base64), bytes, sizeof(bytes));
	FUZZ_CHECK(n == (long)len && memcmp(bytes, sent, len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = {data, size};
	uint8_t flags = 0, cut = 0;
	size_t capture;
	bool is_ascii;
	json_t *record;
	struct buf line;

	cursor_get_u8(&c, &flags);
	cursor_get_u8(&c, &cut);
	/* What base64_decode() takes. */
	if (c.left > KEY_BLOB_MAX)
		return 0;
	is_ascii = (flags & FLAG_ASCII) != 0;
	capture = (flags & FLAG_CUT) != 0 ? cut : KEY_BLOB_MAX;
	buf_init(&line, 1u << 20);
	write_line(&line, c, capture, is_ascii);
	check_line(&line, is_ascii);
	record = json_loadb((const char *)buf_head(&line), buf_len(&line),
	    JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
	FUZZ_CHECK(record != NULL);
	check_stream(record, c.p, c.left, capture);
	json_decref(record);
	buf_clear(&line);
	return 0;
}
