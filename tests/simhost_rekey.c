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

void
rekey_init(struct conn *conn)
{
	uint64_t bytes = host_number(conn->host, B_REKEY);

	if (host_has(conn->host, B_REKEY) &&
	    ssh_options_set(conn->session, SSH_OPTIONS_REKEY_DATA, &bytes) != 0)
		fatal("rekey: %s", ssh_get_error(conn->session));
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
