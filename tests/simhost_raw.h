/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * raw: a connection on which no SSH is spoken, or no more. It may have
 * something to say, once or for ever, and may then close its side. What the
 * peer sends is not read, only acknowledged by the kernel.
 */
#ifndef TESTS_SIMHOST_RAW_H
#define TESTS_SIMHOST_RAW_H

#include <stdbool.h>
#include <stdint.h>

#include "simhost_script.h"
#include "util/buf.h"

struct raw {
	struct buf out;
	const char *endless; /* sent again and again after out, or NULL */
	bool ends;	     /* with a FIN, when all is sent */
	bool has_ended;
};

void raw_init(struct raw *r);
void raw_clear(struct raw *r);

/*
 * A banner of this kind; says is the line of BANNER_SAYS. Returns whether an
 * honest one comes after out.
 */
bool raw_put_banner(struct raw *r, enum banner_kind kind, const char *says);

/* SSH_MSG_DISCONNECT (RFC 4253, 11.1) before keys are agreed. */
void raw_put_disconnect(struct raw *r, const char *text);

/*
 * Send what fd takes. Returns the events of epoll to wait for, or 0 if the
 * connection failed.
 */
uint32_t raw_step(struct raw *r, int fd);

#endif
