/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames, both ways: what is read is written again as the same bytes, and a
 * frame is found in the same place however the bytes come. The input is what
 * is read from a pipe.
 */
#include "config.h"

#include "fuzz.h"

#include <string.h>

#include "wire/frame.h"

/* READY, PING and the like have fewer fields, or none. */
union message {
	struct msg_config config;
	struct msg_job job;
	struct msg_verdict verdict;
	struct msg_signature signature;
	struct msg_credit credit;
	struct msg_cancel cancel;
	struct msg_rate rate;
	struct msg_ready ready;
	struct msg_hostkey hostkey;
	struct msg_sign sign;
	struct msg_authenticated authenticated;
	struct msg_auth_refused auth_refused;
	struct msg_output output;
	struct msg_result result;
	struct msg_progress progress;
	struct msg_entry entry;
};

/* The frame of size bytes at the head of in. */
static void
check_frame(const struct buf *in, const struct frame *frame, size_t size)
{
	union message message;
	struct buf out;

	FUZZ_CHECK(size <= buf_len(in) && size <= FRAME_MAX);
	FUZZ_CHECK(strcmp(frame_name(frame->type), "?") != 0);
	memset(&message, 0, sizeof(message));
	if (frame_read(frame, &message) == -1)
		return;
	buf_init(&out, FRAME_MAX);
	FUZZ_CHECK(frame_write(&out, frame->type, frame->job, &message) == 0);
	FUZZ_CHECK(buf_len(&out) == size);
	FUZZ_CHECK(memcmp(buf_head(&out), buf_head(in), size) == 0);
	buf_clear(&out);
}

/* What frame_peek() says once in has grown to len bytes, a byte at a time. */
static ssize_t
peek_slowly(const uint8_t *data, size_t len, struct frame *frame)
{
	ssize_t size = 0;
	struct buf in;
	size_t i;

	buf_init(&in, len);
	for (i = 0; i < len; i++) {
		FUZZ_CHECK(size == 0);
		FUZZ_CHECK(buf_append(&in, &data[i], 1) == 0);
		size = frame_peek(&in, frame);
	}
	buf_clear(&in);
	return size;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame frame, same;
	ssize_t n = 0;
	struct buf in;

	buf_init(&in, size);
	buf_append(&in, data, size);
	while (buf_len(&in) > 0 && (n = frame_peek(&in, &frame)) > 0) {
		FUZZ_CHECK(peek_slowly(buf_head(&in), (size_t)n, &same) == n);
		FUZZ_CHECK(same.type == frame.type && same.job == frame.job);
		FUZZ_CHECK(same.payload.left == frame.payload.left);
		check_frame(&in, &frame, (size_t)n);
		buf_consume(&in, (size_t)n);
	}
	FUZZ_CHECK(n >= -1);
	buf_clear(&in);
	return 0;
}
