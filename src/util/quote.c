/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "util/quote.h"

#include <string.h>

#include "util/escape.h"

int
quote_shell(struct buf *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789%+,-./:=@_";
	const char *p;

	/* "=word" is a path to zsh. */
	if (word[0] != '\0' && word[0] != '=' &&
	    word[strspn(word, plain)] == '\0')
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

int
quote_shell_line(struct buf *out, const char *word)
{
	const char *p;
	int rc;

	if (escape_is_needless(word) && strchr(word, '\t') == NULL)
		return quote_shell(out, word);
	rc = buf_puts(out, "$'");
	for (p = word; *p != '\0' && rc == 0; p++) {
		if (*p == '\'' || *p == '\\')
			rc = buf_printf(out, "\\%c", *p);
		else if (*p >= ' ' && *p <= '~')
			rc = buf_append(out, p, 1);
		else
			rc = buf_printf(out, "\\%03o", (unsigned char)*p);
	}
	return rc == 0 ? buf_puts(out, "'") : -1;
}

int
quote_path_line(struct buf *out, const char *path)
{
	if (path[0] == '-' && buf_puts(out, "./") == -1)
		return -1;
	return quote_shell_line(out, path);
}
