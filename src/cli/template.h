/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * template: where each host's files go, by a path with %h, the host's name,
 * and %n, its place in the run from 1, with leading zeros; %% is a %.
 */
#ifndef CLI_TEMPLATE_H
#define CLI_TEMPLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "inventory/inventory.h"
#include "util/error.h"

/* Whether text is one: there is a % in it. */
bool template_is(const char *text);

/*
 * Whether every host's name can be that of a file: not empty, ".", "..", no
 * slash in it. Returns 0, or -1 with err that names the first that can't.
 */
int template_check_names(
    const struct host *hosts, uint32_t count, struct error *err);

/*
 * The part of text that is the user's own, up to the component with the first
 * %: "" is the current directory. The caller frees.
 */
char *template_base(const char *text);

/*
 * The paths of all hosts below that, in their order: components with one "/"
 * between, and a "/" at the end if text tells of a directory. Release with
 * template_free(). NULL with err if there is another % in text, if a ".." comes
 * after the part that tells hosts apart, or if two hosts would have the same
 * path.
 */
char **template_expand(const char *text, const struct host *hosts,
    uint32_t count, struct error *err);
void template_free(char **paths, uint32_t count);

#endif
