/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * confirm: a question on the terminal that does not hold up the loop: signals
 * and workers are served while it waits for its answer.
 */
#ifndef CONTROL_CONFIRM_H
#define CONTROL_CONFIRM_H

#include <stdbool.h>
#include <stddef.h>

struct confirm {
	int fd; /* of the terminal while a question is open, or -1 */
	char *question;
	char line[64]; /* of the answer, so far */
	size_t len;
};

enum answer { ANSWER_NONE, ANSWER_YES, ANSWER_NO };

void confirm_init(struct confirm *c);
/* Also takes back a question that is open. */
void confirm_clear(struct confirm *c);

/* Ask: what was typed before does not count. No question may be open. */
void confirm_ask(struct confirm *c, const char *question);

/*
 * Read what has come to fd: "yes" or "no", which end the question; anything
 * else makes it be asked again. A terminal that is gone, or was none when it
 * was asked, says no.
 */
enum answer confirm_read(struct confirm *c);

#endif
