/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "util/clock.h"
#include "util/escape.h"
#include "util/log.h"
#include "util/utf8.h"
#include "util/xalloc.h"

#define REPLACEMENT "\357\277\275" /* U+FFFD */

static json_t *
json_time(uint64_t wall_ms)
{
	char text[CLOCK_TEXT_SIZE];

	if (wall_ms == 0)
		return json_null();
	clock_text(text, wall_ms);
	return json_string(text);
}

static json_t *
json_groups(const char *groups)
{
	char *escaped = escape_string(groups), *name = escaped;
	json_t *list = json_array();
	size_t len;

	while (*name != '\0') {
		len = strcspn(name, ",");
		json_array_append_new(list, json_stringn(name, len));
		name += len + (name[len] == ',');
	}
	free(escaped);
	return list;
}

/* What only transfers have. */
static void
json_transfer(json_t *object, const struct record *r)
{
	json_object_set_new(
	    object, "bytes", json_integer((json_int_t)r->bytes));
	json_object_set_new(
	    object, "files", json_integer((json_int_t)r->files));
	json_object_set_new(
	    object, "unchanged", json_integer((json_int_t)r->unchanged));
	json_object_set_new(object, "sha256",
	    r->sha256[0] != '\0' ? json_string(r->sha256) : json_null());
}

/* Text of bytes that are not all valid UTF-8. */
static json_t *
json_replaced(const uint8_t *data, size_t len)
{
	struct buf text;
	json_t *string;
	size_t n;

	buf_init(&text, sizeof(REPLACEMENT) * len);
	while (len > 0) {
		n = utf8_valid(data, len);
		buf_append(&text, data, n);
		if (n < len) {
			buf_puts(&text, REPLACEMENT);
			n++;
		}
		data += n;
		len -= n;
	}
	string = json_stringn((const char *)buf_head(&text), buf_len(&text));
	buf_clear(&text);
	return string;
}

static json_t *
json_base64(const uint8_t *data, size_t len)
{
	char *text = xmalloc(4 * (len / 3 + 1) + 1);
	json_t *string;
	int n;

	n = EVP_EncodeBlock((unsigned char *)text, data, (int)len);
	string = json_stringn(text, (size_t)n);
	free(text);
	return string;
}

/* What the host has sent on a stream. Returns whether it is cut. */
static bool
json_stream(json_t *object, const struct json_outputs *o, unsigned stream)
{
	static const char *const names[2][2] = {
	    {"stdout", "stdout_b64"}, {"stderr", "stderr_b64"}};
	const struct content *c = o->outputs->contents[stream];
	size_t len =
	    content_size(c) < o->capture ? (size_t)content_size(c) : o->capture;
	uint8_t *data = xmalloc(len);
	bool is_cut;

	len = content_read(o->contents, c, 0, data, len);
	is_cut = len < o->outputs->sent[stream];
	if (is_cut)
		len = utf8_whole(data, len);
	if (utf8_valid(data, len) == len) {
		json_object_set_new(object, names[stream][0],
		    json_stringn((const char *)data, len));
	} else {
		json_object_set_new(
		    object, names[stream][0], json_replaced(data, len));
		json_object_set_new(
		    object, names[stream][1], json_base64(data, len));
	}
	free(data);
	return is_cut;
}

/* What the host has sent. */
static void
json_streams(json_t *object, const struct json_outputs *o)
{
	bool is_cut;

	is_cut = json_stream(object, o, 0);
	is_cut = json_stream(object, o, 1) || is_cut;
	json_object_set_new(object, "truncated", json_boolean(is_cut));
}

/* How much that was a worker that died can't tell. */
static void
json_sizes(json_t *object, const struct record *r, const uint64_t *sent)
{
	uint64_t out = r->stdout_bytes, err = r->stderr_bytes;

	if (sent != NULL && sent[0] > out)
		out = sent[0];
	if (sent != NULL && sent[1] > err)
		err = sent[1];
	json_object_set_new(
	    object, "stdout_bytes", json_integer((json_int_t)out));
	json_object_set_new(
	    object, "stderr_bytes", json_integer((json_int_t)err));
}

static int
json_append(const char *data, size_t len, void *out)
{
	return buf_append(out, data, len);
}

/* The same for ASCII, without DEL, which stands in strings only. */
static int
json_append_ascii(const char *data, size_t len, void *out)
{
	const char *del;
	size_t n;

	while (len > 0) {
		del = memchr(data, 0x7f, len);
		n = del != NULL ? (size_t)(del - data) : len;
		if (buf_append(out, data, n) == -1 ||
		    (del != NULL && buf_puts(out, "\\u007f") == -1))
			return -1;
		n += del != NULL;
		data += n;
		len -= n;
	}
	return 0;
}

void
json_record(const struct record *r, const struct json_outputs *o, bool is_ascii,
    struct buf *out)
{
	char *message = escape_string(r->message);
	char *signal = escape_string(r->signal);
	json_t *object;

	object = json_pack(
	    "{s:I s:I s:s s:s s:o s:s s:b s:s s:o s:o s:s s:i s:o s:I s:I s:I "
	    "s:I}",
	    "seq", (json_int_t)r->seq, "hosts", (json_int_t)r->hosts, "host",
	    r->host, "address", r->address, "groups", json_groups(r->groups),
	    "status", status_name(r->status), "ok", r->status == STATUS_OK,
	    "stage", stage_name(r->stage), "exit_code",
	    r->has_exit_code ? json_integer(r->exit_code) : json_null(),
	    "signal", signal[0] != '\0' ? json_string(signal) : json_null(),
	    "message", message, "attempts", (int)r->attempts, "started_at",
	    json_time(r->started_at_ms), "cost_ms", (json_int_t)r->cost_ms,
	    "retry_ms", (json_int_t)r->retry_ms, "connect_ms",
	    (json_int_t)r->connect_ms, "auth_ms", (json_int_t)r->auth_ms);
	free(message);
	free(signal);
	if (object == NULL)
		fatal("a record can't be written as JSON");
	json_sizes(object, r, o != NULL ? o->outputs->sent : NULL);
	if (o != NULL)
		json_streams(object, o);
	if (r->is_transfer)
		json_transfer(object, r);
	if (json_dump_callback(object,
		is_ascii ? json_append_ascii : json_append, out,
		JSON_COMPACT | (is_ascii ? JSON_ENSURE_ASCII : 0)) == -1 ||
	    buf_puts(out, "\n") == -1)
		fatal("out of memory (JSON)");
	json_decref(object);
}
