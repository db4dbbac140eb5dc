/* SPDX-License-Identifier: GPL-3.0-or-later */
/* html_parts: the files of src/report/html, as the build puts them here. */
#ifndef REPORT_HTML_PARTS_H
#define REPORT_HTML_PARTS_H

#include <stddef.h>

struct html_part {
	const char *text; /* ASCII, ended by NUL */
	size_t len;
};

extern const struct html_part html_page;   /* with its {{places}} */
extern const struct html_part html_style;  /* CSS */
extern const struct html_part html_script; /* JavaScript */

#endif
