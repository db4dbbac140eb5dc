/* SPDX-License-Identifier: GPL-3.0-or-later */
/* digest: the SHA-256 of bytes that come piece by piece. */
#ifndef REPORT_DIGEST_H
#define REPORT_DIGEST_H

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

#endif
