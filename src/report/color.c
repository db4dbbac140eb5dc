/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/color.h"

#include <stdlib.h>

bool
color_is_unwanted(void)
{
	const char *value = getenv(COLOR_VARIABLE);

	return value != NULL && value[0] != '\0';
}

void
color_failed(struct buf *out, bool is_colored, const char *text)
{
	buf_printf(out, "%s%s%s", is_colored ? COLOR_FAILED : "", text,
	    is_colored ? COLOR_END : "");
}

const char *
color_of_host(size_t place)
{
	/*
	 * Green, magenta, cyan, bright magenta, bright blue. Yellow and white
	 * are lost on light backgrounds, blue on dark ones, the other bright
	 * ones on either; in six common palettes these have a contrast of
	 * about 2 or more on both.
	 */
	static const char *const colors[] = {
	    "\033[32m", "\033[35m", "\033[36m", "\033[95m", "\033[94m"};

	return colors[place % (sizeof(colors) / sizeof(colors[0]))];
}
