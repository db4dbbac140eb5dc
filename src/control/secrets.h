/* SPDX-License-Identifier: GPL-3.0-or-later */
/* secrets: where the hosts' passwords come from. */
#ifndef CONTROL_SECRETS_H
#define CONTROL_SECRETS_H

#include <stddef.h>

#include "inventory/inventory.h"
#include "util/error.h"

/*
 * Fill in host->password of all hosts: asked, if not NULL (-ask-pass), for
 * every host; else what the host has of password, password_file (its first
 * line; each file is read once, and refused by private_file_check()), or
 * password_env. Variables that hosts name are gone from our environment then.
 * Returns 0, or -1 with err naming host and source, never the password.
 */
int secrets_load(
    struct host *hosts, size_t count, const char *asked, struct error *err);

#endif
