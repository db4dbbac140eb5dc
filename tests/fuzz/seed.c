/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "seed.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "util/fdio.h"
#include "util/xalloc.h"

#define SEED_MAX ((size_t)1 << 20)

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = strchr(digits, tolower((unsigned char)c));

	return c != '\0' && at != NULL ? (int)(at - digits) : -1;
}

/* Bytes from text, which is replaced by them. Returns -1 if it is malformed. */
static int
decode(char *text, size_t len, size_t *size)
{
	size_t at, digits = 0;
	int digit, high = 0;

	for (at = 0; at < len; at++) {
		if (text[at] == '#')
			at += strcspn(text + at, "\n");
		if (at == len || isspace((unsigned char)text[at]))
			continue;
		digit = hex_digit(text[at]);
		if (digit == -1)
			return -1;
		if (digits++ % 2 == 0)
			high = digit;
		else
			text[digits / 2 - 1] = (char)(high * 16 + digit);
	}
	*size = digits / 2;
	return digits % 2 == 0 ? 0 : -1;
}

uint8_t *
seed_read(const char *path, size_t *size, struct error *err)
{
	const char *dot = strrchr(path, '.');
	char *text = file_read(path, SEED_MAX, size, err);
	uint8_t *bytes = NULL;

	if (text == NULL)
		return NULL;
	if (dot != NULL && strcmp(dot, ".hex") == 0 &&
	    decode(text, *size, size) == -1)
		error_set(err, "%s: malformed hexadecimal bytes", path);
	else
		/* Of this very size, so that a read behind it is noticed. */
		bytes = xmemdup(text, *size);
	free(text);
	return bytes;
}
