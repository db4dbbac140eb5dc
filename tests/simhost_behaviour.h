/* SPDX-License-Identifier: GPL-3.0-or-later */
/* behaviour: the table of all behaviours, and the words that turn them on. */
#ifndef TESTS_SIMHOST_BEHAVIOUR_H
#define TESTS_SIMHOST_BEHAVIOUR_H

#include <stdbool.h>

#include "simhost_script.h"
#include "util/error.h"

/*
 * Turn on what word ("name" or "name=value", changed by this) says in
 * values[B_COUNT]. Returns -1 with err if it says nothing, or something twice.
 */
int behaviour_parse(struct value *values, char *word, struct error *err);

/* Whether it is how an honest host is set up, not a fault. */
bool behaviour_is_setting(unsigned int b);

#endif
