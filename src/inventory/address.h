/* SPDX-License-Identifier: GPL-3.0-or-later */
/* address: host names, IP addresses, and "[user@]host[:port]". */
#ifndef INVENTORY_ADDRESS_H
#define INVENTORY_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

/* True for an IPv6 address, with or without "%zone", without brackets. */
bool address_is_ipv6(const char *text);

/*
 * Returns 0 if text can be connected to: a host name, an IPv4 or an IPv6
 * address, the latter in brackets or not. Else -1 with err filled.
 */
int address_check(const char *text, struct error *err);

/* A copy without the brackets of an IPv6 address; the caller frees it. */
char *address_strip(const char *text);

/* "[user@]host[:port]", taken apart. Strings are owned. */
struct ad_hoc {
	char *user; /* NULL: not given */
	char *host; /* without brackets */
	char *port; /* NULL: not given */
};

/* Returns 0, or -1 with err filled; in both cases to be cleared. */
int ad_hoc_parse(struct ad_hoc *a, const char *name, struct error *err);
void ad_hoc_clear(struct ad_hoc *a);

#endif
