/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cage_names: what resolving names takes here. */
#ifndef WORKER_CAGE_NAMES_H
#define WORKER_CAGE_NAMES_H

#include <stdbool.h>

#define CAGE_NAMES_FILE "/etc/nsswitch.conf"

/*
 * Whether host names are asked of a service of this machine, by a socket in the
 * file system: file, of nsswitch.conf(5), names another module for them than
 * those that do without. A file that is not there names none.
 */
bool cage_names_need_socket(const char *file);

#endif
