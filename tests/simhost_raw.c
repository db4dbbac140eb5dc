/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "simhost_raw.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "util/fdio.h"
#include "util/prng.h"

#define GARBAGE_BYTES 256
/* Of endless bytes, so many a turn, for the others' sake. */
#define OUT_BYTES      (16u << 10)
#define DISCONNECT     1
#define BY_APPLICATION 11

void
raw_init(struct raw *r)
{
	memset(r, 0, sizeof(*r));
	buf_init(&r->out, 2 * OUT_BYTES);
}

void
raw_clear(struct raw *r)
{
	buf_clear(&r->out);
}

static void
put_garbage(struct buf *out)
{
	uint64_t state = GARBAGE_BYTES;
	uint8_t byte;
	int i;

	for (i = 0; i < GARBAGE_BYTES; i++) {
		byte = (uint8_t)prng_next(&state);
		buf_put_u8(out, byte == '\n' ? 0 : byte);
	}
}

bool
raw_put_banner(struct raw *r, enum banner_kind kind, const char *says)
{
	enum then { THEN_NOTHING, THEN_END, THEN_AGAIN, THEN_SSH };
	static const struct {
		const char *text;
		enum then then;
	} banners[] = {
	    [BANNER_GARBAGE] = {"", THEN_NOTHING},
	    [BANNER_HTTP] = {"HTTP/1.1 400 Bad Request\r\n"
			     "Content-Type: text/plain\r\n"
			     "Connection: close\r\n\r\n400 Bad Request",
		THEN_END},
	    [BANNER_SSH1] = {"SSH-1.5-old\r\n", THEN_NOTHING},
	    [BANNER_ENDLESS] = {"There is no end of it. ", THEN_AGAIN},
	    [BANNER_LINES] = {"This is no banner.\r\n", THEN_AGAIN},
	    [BANNER_PREAMBLE] = {"This is a host for tests.\r\n"
				 "Be patient.\r\n",
		THEN_SSH},
	    [BANNER_BLANK] = {"\r\n", THEN_SSH},
	    [BANNER_MAXSTARTUPS] = {"Exceeded MaxStartups\r\n", THEN_END},
	    [BANNER_PENALTY] = {"Not allowed at this time\r\n", THEN_END},
	    [BANNER_EMPTY] = {"\r\n", THEN_END},
	    [BANNER_SAYS] = {"\r\n", THEN_END},
	};
	enum then then = banners[kind].then;

	if (kind == BANNER_SAYS)
		buf_puts(&r->out, says);
	buf_puts(&r->out, banners[kind].text);
	if (kind == BANNER_GARBAGE)
		put_garbage(&r->out);
	r->endless = then == THEN_AGAIN ? banners[kind].text : NULL;
	r->ends = then == THEN_END;
	return then == THEN_SSH;
}

void
raw_put_disconnect(struct raw *r, const char *text)
{
	/* length, type, code, text, language; padding of at least 4 bytes */
	size_t len = 1 + 1 + 4 + 4 + strlen(text) + 4, padding = 4;

	padding += (8 - (4 + len + padding) % 8) % 8;
	buf_put_u32(&r->out, (uint32_t)(len + padding));
	buf_put_u8(&r->out, (uint8_t)padding);
	buf_put_u8(&r->out, DISCONNECT);
	buf_put_u32(&r->out, BY_APPLICATION);
	buf_put_string(&r->out, text, strlen(text));
	buf_put_string(&r->out, "", 0);
	while (padding-- > 0)
		buf_put_u8(&r->out, 0);
}

uint32_t
raw_step(struct raw *r, int fd)
{
	while (r->endless != NULL && buf_len(&r->out) < OUT_BYTES)
		buf_puts(&r->out, r->endless);
	if (fd_flush(fd, &r->out) == -1)
		return 0;
	if (buf_len(&r->out) == 0 && r->ends && !r->has_ended) {
		if (shutdown(fd, SHUT_WR) == -1)
			return 0;
		r->has_ended = true;
	}
	return EPOLLRDHUP |
	    (buf_len(&r->out) > 0 || r->endless != NULL ? (uint32_t)EPOLLOUT
							: 0);
}
