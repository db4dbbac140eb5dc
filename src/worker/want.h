/* SPDX-License-Identifier: GPL-3.0-or-later */
/* want: what a step of a session waits for before it can go on. */
#ifndef WORKER_WANT_H
#define WORKER_WANT_H

enum want {
	WANT_STEP,    /* nothing: step again at once */
	WANT_TURN,    /* nothing, but let other sessions have theirs first */
	WANT_NETWORK, /* the socket */
	WANT_CONTROL, /* a frame: verdict or signature */
	WANT_CREDIT,  /* a credit frame: output is held up */
	WANT_RATE,    /* time: the rate limit holds up the transfer */
	WANT_END,     /* it is over */
};

#endif
