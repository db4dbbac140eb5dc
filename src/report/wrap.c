/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/wrap.h"

#include <string.h>

#define INDENT_MORE 4

/* Where the escape sequence at p, as color.h has them, ends. */
static const char *
escape_end(const char *p)
{
	while (*p != '\0' && *p != 'm')
		p++;
	return *p != '\0' ? p + 1 : p;
}

/* What is not to be broken from p on, and how many columns it takes. */
static const char *
word_end(const char *p, size_t *columns)
{
	const char *close = p;

	*columns = 0;
	while (*p != '\0' && *p != ' ') {
		if (*p == '\033') {
			p = escape_end(p);
			continue;
		}
		if (*p == '[' && close <= p)
			close = p + strcspn(p, "] ");
		/* Bytes that go on with a character of UTF-8 take none. */
		*columns += ((unsigned char)*p & 0xc0) != 0x80;
		if (*p++ == ',' && p > close)
			break;
	}
	return p;
}

void
wrap_line(struct buf *out, const char *line, size_t columns)
{
	size_t blanks = strspn(line, " "), indent = blanks + INDENT_MORE;
	size_t at = 0, width;
	const char *end;

	while (*line != '\0') {
		end = word_end(line + blanks, &width);
		if (columns > 0 && at > indent &&
		    at + blanks + width > columns) {
			buf_printf(out, "\n%*s", (int)indent, "");
			at = indent;
		} else {
			buf_printf(out, "%*s", (int)blanks, "");
			at += blanks;
		}
		line += blanks;
		buf_append(out, line, (size_t)(end - line));
		at += width;
		line = end;
		blanks = strspn(line, " ");
	}
	buf_puts(out, "\n");
}
