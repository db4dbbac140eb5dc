/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bytes of a host in messages, and words in command lines that are shown:
 * nothing drives a terminal, and a shell reads the word that was meant. The
 * input is the bytes.
 */
#include "config.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "util/escape.h"
#include "util/quote.h"
#include "util/utf8.h"
#include "util/xalloc.h"

/* --- escape -------------------------------------------------------------- */

static void
check_escaped(const uint8_t *data, size_t size)
{
	struct buf whole, parts;
	size_t cut;

	buf_init(&whole, 4 * size + 1);
	buf_init(&parts, 4 * size + 1);
	escape_append(&whole, data, size);
	FUZZ_CHECK(size == 0 || buf_len(&whole) >= size);
	FUZZ_CHECK(
	    size == 0 || fuzz_is_shown(buf_head(&whole), buf_len(&whole)));
	FUZZ_CHECK(size == 0 ||
	    memchr(buf_head(&whole), '\n', buf_len(&whole)) == NULL);
	/* A cut between characters makes no difference. */
	cut = utf8_whole(data, size / 2);
	FUZZ_CHECK(cut <= size / 2 && size / 2 - cut <= 3);
	escape_append(&parts, data, cut);
	escape_append(&parts, data + cut, size - cut);
	FUZZ_CHECK(fuzz_equal(&whole, &parts));
	FUZZ_CHECK(utf8_valid(data, size) <= size);
	buf_clear(&whole);
	buf_clear(&parts);
}

static void
check_string(const char *text)
{
	char *once = escape_string(text), *twice = escape_string(once);

	FUZZ_CHECK(strcmp(once, twice) == 0);
	FUZZ_CHECK(escape_is_needless(text) == (strcmp(text, once) == 0));
	free(once);
	free(twice);
}

/* --- quotes -------------------------------------------------------------- */

/* The byte after a backslash within $'...'; *s is moved behind it. */
static char
take_escaped(const char **s)
{
	unsigned value = 0;
	int digits;

	if (**s < '0' || **s > '7')
		return *(*s)++;
	for (digits = 0; digits < 3; digits++)
		value = value * 8 + (unsigned)(*(*s)++ - '0');
	FUZZ_CHECK(value > 0 && value <= 0xff);
	return (char)value;
}

/*
 * The word that a shell makes of text: plain, in '...' with \' between them,
 * or in $'...'. The caller frees it.
 */
static char *
unquote(const char *text)
{
	char *word = xmalloc(strlen(text) + 1), *end = word;
	bool is_quoted = false, has_escapes = false;
	const char *s = text;

	while (*s != '\0') {
		if (!is_quoted && s[0] == '$' && s[1] == '\'') {
			is_quoted = has_escapes = true;
			s += 2;
		} else if (*s == '\'') {
			is_quoted = !is_quoted;
			has_escapes = has_escapes && is_quoted;
			s++;
		} else if (*s == '\\' && (!is_quoted || has_escapes)) {
			s++;
			*end++ = take_escaped(&s);
		} else {
			FUZZ_CHECK(is_quoted ||
			    strchr(" \t\n|&;<>()$`\"*?[#~", *s) == NULL);
			*end++ = *s++;
		}
	}
	FUZZ_CHECK(!is_quoted);
	*end = '\0';
	return word;
}

static void
check_quoted(int (*quote)(struct buf *out, const char *word), const char *text)
{
	struct buf out;
	char *quoted, *word;

	buf_init(&out, 4 * strlen(text) + 8);
	FUZZ_CHECK(quote(&out, text) == 0);
	quoted = buf_take_string(&out);
	FUZZ_CHECK(
	    quote == quote_shell || fuzz_is_shown(quoted, strlen(quoted)));
	word = unquote(quoted);
	FUZZ_CHECK(strcmp(word, text) == 0);
	free(quoted);
	free(word);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = {data, size};
	char *text;

	check_escaped(data, size);
	text = fuzz_rest(&c);
	check_string(text);
	check_quoted(quote_shell, text);
	check_quoted(quote_shell_line, text);
	free(text);
	return 0;
}
