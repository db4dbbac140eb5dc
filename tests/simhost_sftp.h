/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sftp: a server of SFTP version 3 (draft-ietf-secsh-filexfer-02, with
 * OpenSSH's extensions as its file PROTOCOL tells), honest or not, as its host
 * behaves. It knows no channel: requests are in one buffer, replies go to
 * another.
 */
#ifndef TESTS_SIMHOST_SFTP_H
#define TESTS_SIMHOST_SFTP_H

#include <stdbool.h>
#include <stdint.h>

#include "simhost_script.h"
#include "util/buf.h"

/* Replies not sent yet, held ones too; above it no request is served. */
#define SFTP_OUT_HIGH (4u << 20)
/* No reply is larger than a READ's. */
#define SFTP_OUT_MAX (SFTP_OUT_HIGH + (1u << 20))
/* The largest request, as in OpenSSH. */
#define SFTP_PACKET_MAX (256u << 10)

struct sftp;

enum sftp_verdict {
	SFTP_GO_ON,
	SFTP_CLOSE, /* no SFTP packet: close the channel */
	SFTP_DROP   /* close the connection, at once */
};

/*
 * stored counts the bytes that WRITEs of the whole connection stored; host and
 * stored must outlive it. What is to be sent first goes to out.
 */
struct sftp *sftp_new(struct host *host, uint64_t *stored, struct buf *out);
void sftp_free(struct sftp *s);

/* Serve complete requests in in, and move replies that are due to out. */
enum sftp_verdict sftp_serve(struct sftp *s, struct buf *in, struct buf *out);

/* stall=: it has fallen silent for good. */
bool sftp_is_stalled(const struct sftp *s);

/* When the next held reply is due (clock_now_ms()), or 0. */
uint64_t sftp_due_ms(const struct sftp *s);

#endif
