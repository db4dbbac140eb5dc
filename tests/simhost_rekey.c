/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rekey: hosts that exchange keys anew, and then offer what they should not.
 * libssh leaves out of its lists what it does not know; but it copies the list
 * with strdup(), and that is ours here.
 */
#include "config.h"

#include <libssh/libssh.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simhost_conn_impl.h"
#include "util/log.h"

/* What the list of methods begins with, and whom it is for. */
static const char first_method[] = "curve25519-sha256,";
static const struct conn *served;

static void
option_set(struct conn *conn, enum ssh_options_e option, const void *value)
{
	if (ssh_options_set(conn->session, option, value) != 0)
		fatal("rekey: %s", ssh_get_error(conn->session));
}

static void
methods_set(struct conn *conn, enum behaviour ciphers, enum behaviour macs)
{
	const struct value *values = conn->host->values;

	if (host_has(conn->host, ciphers)) {
		option_set(conn, SSH_OPTIONS_CIPHERS_C_S, values[ciphers].text);
		option_set(conn, SSH_OPTIONS_CIPHERS_S_C, values[ciphers].text);
	}
	if (host_has(conn->host, macs)) {
		option_set(conn, SSH_OPTIONS_HMAC_C_S, values[macs].text);
		option_set(conn, SSH_OPTIONS_HMAC_S_C, values[macs].text);
	}
}

void
rekey_init(struct conn *conn)
{
	uint64_t bytes = host_number(conn->host, B_REKEY);

	if (host_has(conn->host, B_REKEY))
		option_set(conn, SSH_OPTIONS_REKEY_DATA, &bytes);
	methods_set(conn, B_CIPHERS, B_MACS);
}

void
rekey_let_in(struct conn *conn)
{
	methods_set(conn, B_REKEY_CIPHERS, B_REKEY_MACS);
}

void
rekey_serve(const struct conn *conn)
{
	served = conn != NULL && conn->is_let_in ? conn : NULL;
}

char *
strdup(const char *text)
{
	bool is_list = served != NULL &&
	    strncmp(text, first_method, strlen(first_method)) == 0;
	const char *offers = NULL;
	size_t size;
	char *copy;

	if (is_list) {
		served->host->counts[C_REKEYS]++;
		offers = served->host->values[B_REKEY_OFFERS].text;
	}
	if (offers == NULL)
		offers = "";
	size = strlen(offers) + strlen(text) + 1;
	copy = malloc(size);
	if (copy != NULL)
		snprintf(copy, size, "%s%s", offers, text);
	return copy;
}
