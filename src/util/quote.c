/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "util/quote.h"

#include <string.h>

int
quote_shell(struct buf *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789%+,-./:=@_";
	const char *p;

	if (word[0] != '\0' && word[strspn(word, plain)] == '\0')
		return buf_puts(out, word);
	if (buf_puts(out, "'") == -1)
		return -1;
	for (p = word; *p != '\0'; p++) {
		if (*p == '\'' ? buf_puts(out, "'\\''") == -1
			       : buf_append(out, p, 1) == -1)
			return -1;
	}
	return buf_puts(out, "'");
}
