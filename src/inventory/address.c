/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a ":" means: in brackets, or if there are two or more, it is part of
 * an IPv6 address; a single one outside of brackets precedes a port. A user
 * ends at the last "@", as with ssh(1).
 */
#include "config.h"

#include "inventory/address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "inventory/settings.h"
#include "util/xalloc.h"

bool
address_is_ipv6(const char *text)
{
	char plain[INET6_ADDRSTRLEN];
	struct in6_addr in6;
	size_t len = strcspn(text, "%");

	if (len >= sizeof(plain) || strcmp(text + len, "%") == 0)
		return false;
	memcpy(plain, text, len);
	plain[len] = '\0';
	return inet_pton(AF_INET6, plain, &in6) == 1;
}

/* A host name or an address without brackets. */
static int
check_plain(const char *text, struct error *err)
{
	const char *s;

	for (s = text; *s != '\0'; s++) {
		if (!isascii((unsigned char)*s) ||
		    (!isalnum((unsigned char)*s) &&
			strchr("._-+~%:", *s) == NULL))
			return error_set(err, "bad character in an address");
	}
	if (text[0] == '\0' || text[0] == '-' || text[0] == '.')
		return error_set(
		    err, "\"%.60s\" is no host name or address", text);
	if (strchr(text, ':') != NULL && !address_is_ipv6(text))
		return error_set(err,
		    "\"%.60s\" is no IPv6 address (a port is a setting of "
		    "its own)",
		    text);
	return 0;
}

static void
strip_brackets(char *text)
{
	size_t len = strlen(text);

	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		memmove(text, text + 1, len - 2);
		text[len - 2] = '\0';
	}
}

char *
address_strip(const char *text)
{
	char *plain = xstrdup(text);

	strip_brackets(plain);
	return plain;
}

int
address_check(const char *text, struct error *err)
{
	char *plain;
	int rc;

	if (text[0] != '[')
		return check_plain(text, err);
	plain = address_strip(text);
	if (!address_is_ipv6(plain))
		rc = error_set(err, "\"%.60s\" is no IPv6 address", text);
	else
		rc = check_plain(plain, err);
	free(plain);
	return rc;
}

int
ad_hoc_parse(struct ad_hoc *a, const char *name, struct error *err)
{
	const char *at = strrchr(name, '@'), *host, *end, *colon;
	struct error why;
	uint16_t port;

	memset(a, 0, sizeof(*a));
	host = at != NULL ? at + 1 : name;
	if (at != NULL)
		a->user = xstrndup(name, (size_t)(at - name));
	if (host[0] == '[') {
		end = strchr(host, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return error_set(
			    err, "%.100s: expected [IPv6 address]:port", name);
		colon = end[1] == ':' ? end + 1 : NULL;
		end++;
	} else {
		colon = strchr(host, ':');
		if (colon != NULL && strchr(colon + 1, ':') != NULL)
			colon = NULL; /* a bare IPv6 address */
		end = colon != NULL ? colon : host + strlen(host);
	}
	a->host = xstrndup(host, (size_t)(end - host));
	if (address_check(a->host, &why) == -1)
		return error_set(err, "%.100s: %s", name, why.text);
	strip_brackets(a->host);
	if (a->user != NULL && a->user[0] == '\0')
		return error_set(err, "%.100s: no user before \"@\"", name);
	if (colon == NULL)
		return 0;
	a->port = xstrdup(colon + 1);
	if (port_parse(a->port, &port, &why) == -1)
		return error_set(err, "%.100s: %s", name, why.text);
	return 0;
}

void
ad_hoc_clear(struct ad_hoc *a)
{
	free(a->user);
	free(a->host);
	free(a->port);
	memset(a, 0, sizeof(*a));
}
