/* SPDX-License-Identifier: GPL-3.0-or-later */
/* digest: the SHA-256 of bytes that come piece by piece, or of a file. */
#ifndef UTIL_DIGEST_H
#define UTIL_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_BYTES 32

struct digest;

struct digest *digest_new(void);
/* NULL is fine. */
void digest_free(struct digest *d);

void digest_add(struct digest *d, const void *data, size_t len);
/* That of all bytes since the last end; then begin anew. */
void digest_end(struct digest *d, uint8_t out[static DIGEST_BYTES]);

/*
 * Read fd from where it stands to its end. Returns 0 with the digest in out
 * and the number of bytes in *size, or -1 with errno set.
 */
int digest_file(int fd, uint8_t out[static DIGEST_BYTES], uint64_t *size);

#endif
