/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One region is mapped, and given out from its beginning. Blocks have sizes of
 * powers of two; each begins with a header that tells which. One that is freed
 * goes to the list of its size, and serves that size only.
 *
 * All that libcrypto allocates is here too (util/crypto_alloc.h): of a private
 * key it has parts in many places, not only in its own "secure heap", which
 * also knows nothing but failure when it is full.
 */
#include "config.h"

#include "util/secret.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "util/sanitizer.h"
#include "util/xalloc.h"

/* The passwords of a million hosts; only what is used takes memory. */
#define REGION_BYTES ((size_t)64 << 20)
/* Half of what Linux lets every user lock, and enough for most runs: libcrypto
 * takes 300 kB of it. */
#define ENOUGH_BYTES ((size_t)4 << 20)
#define SMALLEST     ((size_t)32)
#define SIZES	     12 /* up to 64 kB */

struct block {
	_Alignas(max_align_t) struct block *next; /* if it is free */
	unsigned size;				  /* SMALLEST << size */
};

/* libcrypto's callbacks have no context, hence this one variable. */
static struct {
	uint8_t *base; /* NULL: none */
	size_t used, locked;
	struct block *free[SIZES];
	bool was_full;
} region;

void
secret_hide_process(void)
{
	const struct rlimit no_core = {0, 0};

	setrlimit(RLIMIT_CORE, &no_core);
	prctl(PR_SET_DUMPABLE, 0);
}

void
secret_init(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size;
	void *base;

	if (HAS_SANITIZER)
		return;
	base = mmap(NULL, REGION_BYTES, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		return;
	madvise(base, REGION_BYTES, MADV_DONTDUMP);
	madvise(base, REGION_BYTES, MADV_WIPEONFORK);
	for (size = REGION_BYTES; size >= page; size /= 2) {
		if (mlock2(base, size, MLOCK_ONFAULT) == 0) {
			region.locked = size;
			break;
		}
	}
	region.base = base;
}

size_t
secret_locked_bytes(bool *is_all)
{
	*is_all = region.locked >= ENOUGH_BYTES &&
	    region.used <= region.locked && !region.was_full;
	return region.locked;
}

static bool
is_inside(const void *p)
{
	return region.base != NULL &&
	    (uintptr_t)p - (uintptr_t)region.base < REGION_BYTES;
}

/* What a block has room for. */
static size_t
block_room(const struct block *b)
{
	return (SMALLEST << b->size) - sizeof(*b);
}

/* A block of that size, or NULL if there is none. */
static struct block *
block_take(unsigned size)
{
	struct block *b = region.free[size];

	if (b != NULL) {
		region.free[size] = b->next;
		return b;
	}
	if (REGION_BYTES - region.used < SMALLEST << size) {
		region.was_full = true;
		return NULL;
	}
	b = (struct block *)(void *)(region.base + region.used);
	region.used += SMALLEST << size;
	b->size = size;
	return b;
}

void *
secret_alloc(size_t size)
{
	struct block *b = NULL;
	unsigned i = 0;

	if (region.base == NULL)
		return xmalloc(size);
	while (i < SIZES && (SMALLEST << i) - sizeof(*b) < size)
		i++;
	if (i < SIZES)
		b = block_take(i);
	return b != NULL ? b + 1 : xmalloc(size);
}

void *
secret_realloc(void *p, size_t size)
{
	const struct block *old;
	void *new;

	if (p == NULL)
		return secret_alloc(size);
	if (!is_inside(p))
		return xreallocarray(p, 1, size);
	old = (const struct block *)p - 1;
	if (size <= block_room(old))
		return p;
	new = secret_alloc(size);
	memcpy(new, p, block_room(old));
	secret_release(p);
	return new;
}

void
secret_release(void *p)
{
	struct block *b;

	if (p == NULL || !is_inside(p)) {
		free(p);
		return;
	}
	b = (struct block *)p - 1;
	explicit_bzero(p, block_room(b));
	b->next = region.free[b->size];
	region.free[b->size] = b;
}

char *
secret_strdup(const char *s)
{
	size_t size = strlen(s) + 1;

	return memcpy(secret_alloc(size), s, size);
}

void
secret_free(char *s)
{
	if (s == NULL)
		return;
	explicit_bzero(s, strlen(s));
	secret_release(s);
}
