/* SPDX-License-Identifier: GPL-3.0-or-later */
/* json: a record as one JSON object on one line. */
#ifndef REPORT_JSON_H
#define REPORT_JSON_H

#include "report/report.h"

/* The line without newline; the caller frees it. */
char *json_record(const struct record *record);

#endif
