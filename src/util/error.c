/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "util/error.h"

#include <stdarg.h>
#include <stdio.h>

int
error_set(struct error *err, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL)
		return -1;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return -1;
}

int
error_option(struct error *err, const char *name, const char *why)
{
	return error_set(err, "option -%s: %s", name, why);
}
