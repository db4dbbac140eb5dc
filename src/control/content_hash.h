/* SPDX-License-Identifier: GPL-3.0-or-later */
/* content_hash: the SHA-256 of files, one after the other. */
#ifndef CONTROL_CONTENT_HASH_H
#define CONTROL_CONTENT_HASH_H

#include <stdint.h>

#define CONTENT_HASH_BYTES 32

struct content_hash;

struct content_hash *content_hash_new(void);
void content_hash_free(struct content_hash *h);

/*
 * Read fd from where it stands to its end. Returns 0 with the digest in out
 * and the number of bytes in *size, or -1 with errno set.
 */
int content_hash_read(struct content_hash *h, int fd,
    uint8_t out[static CONTENT_HASH_BYTES], uint64_t *size);

#endif
