/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ctr_stream: AES-CTR at its own speed for libssh2. */
#ifndef WORKER_CTR_STREAM_H
#define WORKER_CTR_STREAM_H

/*
 * Find the functions of libcrypto that this module stands before. To be called
 * before the first session; fatal() if they are not there.
 */
void ctr_stream_init(void);

#endif
