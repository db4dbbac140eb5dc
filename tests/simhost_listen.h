/* SPDX-License-Identifier: GPL-3.0-or-later */
/* listen: the addresses of all hosts, and who connects to them. */
#ifndef TESTS_SIMHOST_LISTEN_H
#define TESTS_SIMHOST_LISTEN_H

#include <stdint.h>

#include "simhost_conn.h"
#include "simhost_script.h"

struct listener;

/*
 * Listen at the addresses of all hosts (or refuse, or drop) and serve who
 * comes. *port 0 is any that is free at all of them; it then tells which. Ends
 * the program if there is none.
 */
struct listener *listeners_new(
    struct server *server, const struct script *script, uint16_t *port);
void listeners_free(struct listener *listeners, const struct script *script);

#endif
