/* SPDX-License-Identifier: GPL-3.0-or-later */
/* host_class: numbers for what hosts have in common. */
#ifndef CONTROL_HOST_CLASS_H
#define CONTROL_HOST_CLASS_H

#include <stdint.h>

#include "inventory/inventory.h"

/*
 * One number a host, the same for hosts that compare equal, from 0; the
 * caller frees them. *classes: how many numbers there are.
 */
uint32_t *host_classes(const struct host *hosts, uint32_t count,
    int (*compare)(const struct host *a, const struct host *b),
    uint32_t *classes);

/* strcmp(3), where NULL comes first. */
int host_compare_text(const char *a, const char *b);

#endif
