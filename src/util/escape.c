/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "util/escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/utf8.h"
#include "util/xalloc.h"

/* Characters that a terminal acts on or that reorder or hide text. */
static bool
is_unsafe(uint32_t c)
{
	return (c < 0x20 && c != '\t') || (c >= 0x7f && c <= 0x9f) ||
	    c == 0x00ad || c == 0x061c || c == 0x180e ||
	    (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	    (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

void
escape_append(struct buf *out, const void *data, size_t len)
{
	const uint8_t *p = data, *end = len > 0 ? p + len : p, *clean = p;
	uint32_t c = 0;
	size_t n;

	while (p < end) {
		n = utf8_decode(p, (size_t)(end - p), &c);
		if (n > 0 && !is_unsafe(c)) {
			p += n;
			continue;
		}
		buf_append(out, clean, (size_t)(p - clean));
		if (n > 1)
			buf_printf(out, "\\u{%x}", c);
		else
			buf_printf(out, "\\x%02x", *p);
		p += n > 0 ? n : 1;
		clean = p;
	}
	if (p > clean)
		buf_append(out, clean, (size_t)(p - clean));
}

char *
escape_string(const char *s)
{
	struct buf b;

	buf_init(&b, 16 * strlen(s) + 16);
	escape_append(&b, s, strlen(s));
	return buf_take_string(&b);
}

bool
escape_is_needless(const char *s)
{
	char *escaped = escape_string(s);
	bool is_same = strcmp(escaped, s) == 0;

	free(escaped);
	return is_same;
}
