/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cage_files: which files a worker can open, by Landlock. */
#ifndef WORKER_CAGE_FILES_H
#define WORKER_CAGE_FILES_H

#include "wire/frame.h"

/*
 * From now on this process can open no file but what the resolver of names
 * reads, and what config->local names: for a put, to read; for a get, to write
 * below it. It cannot look into, nor signal, processes outside, nor bind a TCP
 * port; as far as the kernel's Landlock can do that. What is open stays open.
 *
 * Returns NULL, or why that can't be had here, and then all is as before. The
 * text is valid until strerror(3) is called again.
 */
const char *cage_files_limit(const struct msg_config *config);

#endif
