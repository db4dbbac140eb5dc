/* SPDX-License-Identifier: GPL-3.0-or-later */
/* json: a record as one JSON object on one line. */
#ifndef REPORT_JSON_H
#define REPORT_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "report/capture.h"
#include "report/report.h"
#include "util/buf.h"

/* The most that a record may carry of a stream. */
#define JSON_CAPTURE_MOST (64u << 20)

/* What goes into a record besides what struct record has. */
struct json_outputs {
	const struct outputs *outputs;
	struct contents *contents; /* where they are */
	size_t capture;		   /* bytes of a stream that it carries */
};

/*
 * Append the line with its newline; o is NULL if it is to be without outputs.
 * is_ascii: all characters beyond ASCII are written as \uNNNN, and DEL, as is
 * fit for a terminal.
 *
 * stdout and stderr are text. If a stream is not valid UTF-8, U+FFFD stands
 * for each byte that is not, and stdout_b64 or stderr_b64 has the bytes in
 * base64 (RFC 4648). A stream that is longer than capture is cut to its first
 * bytes, between characters, and truncated is true.
 */
void json_record(const struct record *record, const struct json_outputs *o,
    bool is_ascii, struct buf *out);

#endif
