/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/log.h"
#include "util/xalloc.h"

_Noreturn void
fuzz_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

/* --- messages ------------------------------------------------------------ */

static void
take_line(void *ctx, const char *line, size_t len, bool is_event)
{
	(void)ctx;
	(void)is_event;
	FUZZ_CHECK(len > 0 && memchr(line, '\n', len) == line + len - 1);
	FUZZ_CHECK(fuzz_is_shown(line, len));
}

/* No input may lead to fatal(), which would end the program quietly. */
static const char *
take_fatal(void *ctx)
{
	(void)ctx;
	fuzz_failed("fatal() is not called", __FILE__, __LINE__);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const struct log_taker taker = {take_line, take_fatal, NULL};
	static const char *const variables[] = {
	    "BATCH_CONFIG", "BATCH_INVENTORY", "NO_COLOR", "SSH_AUTH_SOCK"};
	size_t i;

	(void)argc;
	(void)argv;
	log_init("fuzz");
	log_set_taker(&taker);
	for (i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		unsetenv(variables[i]);
	/* Nothing of the one who runs this is looked at. */
	setenv("HOME", "/nonexistent", 1);
	return 0;
}

/* --- checks -------------------------------------------------------------- */

void
fuzz_check_result(int rc, const struct error *err)
{
	FUZZ_CHECK(rc == 0 || rc == -1);
	FUZZ_CHECK(rc == 0 || err->text[0] != '\0');
}

bool
fuzz_equal(const struct buf *a, const struct buf *b)
{
	size_t len = buf_len(a);

	return len == buf_len(b) &&
	    (len == 0 || memcmp(buf_head(a), buf_head(b), len) == 0);
}

/* A character of two or more bytes at p; 0 if it is none. */
static size_t
take_character(const uint8_t *p, size_t len, uint32_t *c)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2, i;

	if (p[0] < 0xc0 || p[0] > 0xf7 || n > len)
		return 0;
	*c = p[0] & (0x7fu >> n);
	for (i = 1; i < n; i++) {
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
		*c = *c * 64 + (p[i] - 0x80u);
	}
	return *c >= least[n] && *c <= 0x10ffff ? n : 0;
}

/* C1 controls, surrogates, marks of direction, joiners, tags. */
static bool
is_hidden(uint32_t c)
{
	return c <= 0x9f || (c >= 0xd800 && c <= 0xdfff) || c == 0x61c ||
	    (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069) || c == 0xfeff ||
	    (c >= 0xe0000 && c <= 0xe007f);
}

bool
fuzz_is_shown(const void *data, size_t len)
{
	const uint8_t *p = data, *end = len > 0 ? p + len : p;
	uint32_t c;
	size_t n;

	while (p < end) {
		if (*p == '\n' || *p == '\t' || (*p >= ' ' && *p <= '~')) {
			p++;
			continue;
		}
		n = *p >= 0x80 ? take_character(p, (size_t)(end - p), &c) : 0;
		if (n == 0 || is_hidden(c))
			return false;
		p += n;
	}
	return true;
}

/* --- inputs -------------------------------------------------------------- */

/* The next count bytes. */
static char *
take(struct cursor *c, size_t count)
{
	const uint8_t *p = NULL;

	FUZZ_CHECK(cursor_get_bytes(c, &p, count) == 0);
	return count > 0 ? xstrndup((const char *)p, count) : xstrdup("");
}

char *
fuzz_line(struct cursor *c)
{
	const uint8_t *nl = c->left > 0 ? memchr(c->p, '\n', c->left) : NULL;
	size_t len = nl != NULL ? (size_t)(nl - c->p) : c->left;
	char *line = take(c, len);
	uint8_t newline;

	cursor_get_u8(c, &newline);
	return line;
}

char *
fuzz_rest(struct cursor *c)
{
	return take(c, c->left);
}

static int
lowest_fd(void)
{
	int fd = dup(STDERR_FILENO);

	FUZZ_CHECK(fd != -1);
	close(fd);
	return fd;
}

void
fuzz_file_open(struct fuzz_file *f, const void *data, size_t size)
{
	f->fd = memfd_create("fuzz", MFD_CLOEXEC);
	FUZZ_CHECK(f->fd != -1 && fchmod(f->fd, 0600) == 0);
	FUZZ_CHECK(size == 0 || write(f->fd, data, size) == (ssize_t)size);
	snprintf(f->path, sizeof(f->path), "/proc/self/fd/%d", f->fd);
	f->lowest_fd = lowest_fd();
}

void
fuzz_file_close(struct fuzz_file *f)
{
	FUZZ_CHECK(lowest_fd() == f->lowest_fd);
	close(f->fd);
}
