/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * exchange: what the id of a session is the hash of. It begins with strings:
 * the banners of client and server, their KEXINIT packets, the host's key (RFC
 * 4253 section 8); so who has it, and the id, knows whose session it is. It
 * holds the shared secret, too.
 *
 * libssh2 keeps the hash alone. So its calls of EVP_DigestUpdate() are listened
 * to (see interpose.c).
 */
#ifndef WORKER_EXCHANGE_H
#define WORKER_EXCHANGE_H

#include <stdbool.h>

#include "util/buf.h"

struct exchange {
	struct buf text;
	const void *hash; /* the libcrypto context that text goes into */
	bool is_whole;	  /* all of it is in text, or was dropped */
};

void exchange_init(struct exchange *x);
/* Before another connection: wipe it and begin anew. */
void exchange_clear(struct exchange *x);
/* It is not needed any more: wipe it; what follows is no first exchange. */
void exchange_drop(struct exchange *x);

/*
 * What this thread hashes from now on may be x's; NULL: nobody's. Returns what
 * it was before.
 */
struct exchange *exchange_listen(struct exchange *x);

#endif
