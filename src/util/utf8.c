/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "util/utf8.h"

size_t
utf8_decode(const uint8_t *p, size_t len, uint32_t *c)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n, i;

	if (p[0] < 0x80) {
		*c = p[0];
		return 1;
	}
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		n = 2;
	else if ((p[0] & 0xf0) == 0xe0)
		n = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (len < n)
		return 0;
	*c = p[0] & (0xffu >> (n + 1));
	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (p[i] & 0x3fu);
	}
	if (*c < least[n] || *c > 0x10ffff || (*c >= 0xd800 && *c <= 0xdfff))
		return 0;
	return n;
}

size_t
utf8_valid(const uint8_t *p, size_t len)
{
	size_t at = 0, n;
	uint32_t c;

	while (at < len) {
		n = utf8_decode(p + at, len - at, &c);
		if (n == 0)
			break;
		at += n;
	}
	return at;
}

size_t
utf8_whole(const uint8_t *p, size_t len)
{
	/* From these on a first byte has 1, 2, 3 more after it. */
	static const uint8_t starts[] = {0xc2, 0xe0, 0xf0};
	size_t back, i;

	for (back = 1; back <= 3 && back <= len; back++) {
		if ((p[len - back] & 0xc0) == 0x80)
			continue;
		for (i = 0; i < 3 && p[len - back] >= starts[i]; i++)
			;
		/* i bytes are to follow it, back - 1 do. */
		return p[len - back] < 0xf5 && i > back - 1 ? len - back : len;
	}
	return len;
}
