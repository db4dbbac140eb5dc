/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * advice: what to do about a host, in words that go for all hosts that ended
 * as it did: their messages differ in names and fingerprints only.
 */
#ifndef REPORT_ADVICE_H
#define REPORT_ADVICE_H

struct advice {
	char *reason;  /* why they ended so */
	char *text;    /* what to do, before the command */
	char *command; /* for a shell; it reads their addresses, one a line */
	char *address; /* of this host */
};

/* On the heap, with its strings. NULL is fine. */
void advice_free(struct advice *a);

#endif
