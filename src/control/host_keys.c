/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The verdict over a host key. The work is shared by
 *
 *	host_keys.c          loading, the verdict, accept-new
 *	host_keys_reason.c   the words for the user
 *	known_hosts_store.c  all lines, indexed by name and by key
 *	known_hosts_line.c   one line: parse it, match its names
 *	known_hosts_file.c   the bytes of a file, locking and appending
 *	key_type.c           key types, blobs, fingerprints
 *
 * The order of the questions is OpenSSH's (check_host_key()), but a marker
 * that refuses counts for both names, [host]:port and host:
 *
 *	1. is this key revoked for either name?            revoked
 *	2. is either name under a marker not understood?   revoked
 *	3. is this key known for [host]:port?              ok
 *	4. is any other key known for [host]:port?         mismatch
 *	5. is this key known for host?                     ok
 *	6.                                                 unknown
 *
 * Question 4 is the only one that has to look at every hashed line (a name
 * can't be looked up among salted hashes), so a verdict by 1, 2 or 3 never
 * pays for it. Questions 3 and 5 look at the hashed lines that hold this key,
 * which are many where hosts share one, so 5 is not asked after an ok by 3.
 */
#include "config.h"

#include "control/host_keys.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/host_keys_reason.h"
#include "control/known_hosts_file.h"
#include "control/known_hosts_store.h"
#include "util/buf.h"
#include "util/fdio.h"
#include "util/log.h"
#include "util/xalloc.h"

#define SSH_PORT       22
#define WARNINGS_MAX   10u /* malformed lines named, a file */
#define ALGORITHMS_MAX 1024u

struct source {
	struct known_file file;
	size_t line_count;
	size_t malformed_count;
	bool is_hashed; /* the last entry without a marker has a hashed name */
};

struct host_keys {
	struct source *sources;
	size_t count;
	struct known_store *store;
};

static const char *const default_paths[] = {
    "~/.ssh/known_hosts",
    "~/.ssh/known_hosts2",
    "/etc/ssh/ssh_known_hosts",
    "/etc/ssh/ssh_known_hosts2",
};

/* --- reading ------------------------------------------------------------ */

static void
add_line(struct host_keys *hk, struct source *source, const char *text,
    size_t len, bool is_quiet)
{
	struct known_line line;
	const char *why = NULL;

	source->line_count++;
	switch (known_line_parse(&line, text, len, &why)) {
	case LINE_ENTRY:
		line.path = source->file.path;
		line.number = source->line_count;
		if (line.marker == MARKER_NONE)
			source->is_hashed = line.kind == NAMES_HASHED;
		known_store_add(hk->store, &line);
		break;
	case LINE_EMPTY:
		break;
	case LINE_MALFORMED:
		if (source->malformed_count++ < WARNINGS_MAX && !is_quiet)
			log_warn("%s:%zu: line skipped: %s", source->file.path,
			    source->line_count, why);
		break;
	}
}

/* Add the lines of the file's chunks from the given one on. */
static void
add_chunks(
    struct host_keys *hk, struct source *source, size_t from, bool is_quiet)
{
	const struct file_chunk *chunk;
	const char *p, *end, *newline;
	size_t i;

	for (i = from; i < source->file.chunk_count; i++) {
		chunk = &source->file.chunks[i];
		p = chunk->text;
		end = p + chunk->len;
		/* The newline that the chunk before it lacked. */
		if (i > 0 && p[0] == '\n' &&
		    chunk[-1].text[chunk[-1].len - 1] != '\n')
			p++;
		for (; p < end; p = newline + 1) {
			newline = memchr(p, '\n', (size_t)(end - p));
			if (newline == NULL)
				newline = end;
			add_line(
			    hk, source, p, (size_t)(newline - p), is_quiet);
		}
	}
	if (source->malformed_count > WARNINGS_MAX && !is_quiet)
		log_warn("%s: %zu malformed lines skipped in all",
		    source->file.path, source->malformed_count);
}

struct host_keys *
host_keys_load(const char *const *paths, size_t count, struct error *err)
{
	struct host_keys *hk = xcalloc(1, sizeof(*hk));
	struct source *source;
	size_t i;

	if (paths == NULL || count == 0) {
		paths = default_paths;
		count = sizeof(default_paths) / sizeof(default_paths[0]);
	}
	hk->store = known_store_new();
	hk->sources = xcalloc(count, sizeof(*hk->sources));
	for (i = 0; i < count; i++) {
		source = &hk->sources[hk->count++];
		known_file_init(&source->file, paths[i]);
		if (known_file_load(&source->file, err) == -1) {
			host_keys_free(hk);
			return NULL;
		}
		add_chunks(hk, source, 0, false);
	}
	return hk;
}

void
host_keys_free(struct host_keys *hk)
{
	size_t i;

	if (hk == NULL)
		return;
	known_store_free(hk->store);
	for (i = 0; i < hk->count; i++)
		known_file_clear(&hk->sources[i].file);
	free(hk->sources);
	free(hk);
}

/* Take what the file holds now; a replaced file means a new store. */
static void
refresh(struct host_keys *hk, struct source *changed, enum file_change change)
{
	struct source *source;
	size_t i;

	if (change == FILE_GREW)
		add_chunks(hk, changed, changed->file.chunk_count - 1, false);
	if (change != FILE_REPLACED)
		return;
	known_store_free(hk->store);
	hk->store = known_store_new();
	for (i = 0; i < hk->count; i++) {
		source = &hk->sources[i];
		source->line_count = 0;
		source->malformed_count = 0;
		source->is_hashed = false;
		add_chunks(hk, source, 0, source != changed);
	}
}

/* --- the verdict -------------------------------------------------------- */

static void
presented_init(struct presented *p, const char *host, uint16_t port,
    const uint8_t *blob, size_t blob_len)
{
	char *c;

	memset(p, 0, sizeof(*p));
	p->host = xstrdup(host);
	for (c = p->host; *c != '\0'; c++) {
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	}
	p->port = port;
	p->has_port = port != SSH_PORT && port != 0;
	p->name = p->has_port ? xasprintf("[%s]:%u", p->host, port)
			      : xstrdup(p->host);
	p->blob = blob;
	p->blob_len = blob_len;
	p->type = key_type_of_blob(blob, blob_len);
	p->key = base64_encode(blob, blob_len);
}

static void
presented_clear(struct presented *p)
{
	free(p->host);
	free(p->name);
	free(p->key);
}

/* What is known by [host]:port (or host on port 22), and by host alone. */
struct findings {
	struct known_match full;
	struct known_match bare;
};

static enum host_key_verdict
judge(struct host_keys *hk, const struct presented *p, struct findings *f)
{
	struct known_store *store = hk->store;

	memset(f, 0, sizeof(*f));
	known_store_find(store, p->name, p->key, p->type, &f->full);
	if (p->has_port)
		known_store_find(store, p->host, p->key, p->type, &f->bare);
	if (f->full.revoked != NULL || f->bare.revoked != NULL ||
	    f->full.refused != NULL || f->bare.refused != NULL)
		return HOST_KEY_REVOKED;
	known_store_find_equal(store, p->name, p->key, p->type, &f->full);
	if (f->full.equal != NULL)
		return HOST_KEY_OK;
	known_store_find_hashed(store, p->name, p->key, p->type, &f->full);
	if (f->full.other != NULL)
		return HOST_KEY_MISMATCH;
	if (!p->has_port)
		return HOST_KEY_UNKNOWN;
	known_store_find_equal(store, p->host, p->key, p->type, &f->bare);
	if (f->bare.equal != NULL)
		return HOST_KEY_OK;
	known_store_find_hashed(store, p->host, p->key, p->type, &f->bare);
	return HOST_KEY_UNKNOWN;
}

static char *
explain(const struct host_keys *hk, const struct presented *p,
    const struct findings *f, enum host_key_verdict verdict)
{
	switch (verdict) {
	case HOST_KEY_OK:
		return NULL;
	case HOST_KEY_UNKNOWN:
		return reason_unknown(p, hk->sources[0].file.path, hk->count,
		    hk->sources[0].is_hashed);
	case HOST_KEY_MISMATCH:
		return reason_mismatch(p, f->full.other);
	case HOST_KEY_REVOKED:
		break;
	}
	if (f->full.revoked != NULL)
		return reason_revoked(p, f->full.revoked, p->name);
	if (f->bare.revoked != NULL)
		return reason_revoked(p, f->bare.revoked, p->host);
	if (f->full.refused != NULL)
		return reason_refused(f->full.refused, p->name);
	return reason_refused(f->bare.refused, p->host);
}

/* Append the algorithms of the types in set; the buffer has room for all. */
static void
put_algorithms(struct buf *list, uint32_t set)
{
	const struct key_type *type;
	size_t i;

	for (i = 0; (type = key_type_at(i)) != NULL; i++) {
		if ((set & key_type_bit(type)) == 0 || type->algorithms == NULL)
			continue;
		if (buf_len(list) > 0)
			buf_puts(list, ",");
		buf_puts(list, type->algorithms);
	}
}

/* The list to ask again with, or NULL if that can't change the verdict. */
static char *
retry_list(const struct presented *p, const struct findings *f,
    enum host_key_verdict verdict)
{
	uint32_t types = f->full.types != 0 ? f->full.types : f->bare.types;
	struct buf list;

	if ((verdict != HOST_KEY_UNKNOWN && verdict != HOST_KEY_MISMATCH) ||
	    (types & key_type_bit(p->type)) != 0)
		return NULL;
	buf_init(&list, ALGORITHMS_MAX);
	put_algorithms(&list, types);
	if (buf_len(&list) == 0)
		return NULL;
	put_algorithms(&list, ~types);
	return buf_take_string(&list);
}

enum host_key_verdict
host_keys_check(struct host_keys *hk, const char *name, uint16_t port,
    const uint8_t *key, size_t key_len, char **reason, char **retry_algorithms)
{
	enum host_key_verdict verdict;
	struct presented p;
	struct findings f;

	presented_init(&p, name, port, key, key_len);
	verdict = judge(hk, &p, &f);
	*reason = explain(hk, &p, &f, verdict);
	*retry_algorithms = retry_list(&p, &f, verdict);
	presented_clear(&p);
	return verdict;
}

struct advice *
host_keys_advice(struct host_keys *hk, const char *name, uint16_t port,
    const uint8_t *key, size_t key_len)
{
	const struct source *first = &hk->sources[0];
	struct presented p;
	struct advice *a;

	presented_init(&p, name, port, key, key_len);
	a = advice_unknown(&p, first->file.path, hk->count, first->is_hashed);
	presented_clear(&p);
	return a;
}

char *
host_keys_algorithms(struct host_keys *hk, const char *name, uint16_t port)
{
	uint32_t first, second;
	struct presented p;
	struct buf list;

	presented_init(&p, name, port, NULL, 0);
	first = known_store_plain_types(hk->store, p.name);
	if (first == 0 && p.has_port)
		first = known_store_plain_types(hk->store, p.host);
	second = known_store_types(hk->store) & ~first;
	buf_init(&list, ALGORITHMS_MAX);
	put_algorithms(&list, first);
	put_algorithms(&list, second);
	put_algorithms(&list, ~(first | second));
	presented_clear(&p);
	return buf_take_string(&list);
}

/* --- accept-new --------------------------------------------------------- */

/* A name that means nothing else in a known_hosts file. */
static bool
is_plain_name(const char *name)
{
	return name[0] != '\0' &&
	    strpbrk(name, "@?*#[]|'\"\\!, \t\r\n") == NULL;
}

/* Append the key to the locked file, and know it. */
static int
record(
    struct host_keys *hk, const struct presented *p, int fd, struct error *err)
{
	struct source *source = &hk->sources[0];
	struct findings f;
	char *hashed = NULL, *line;
	int result;

	if (source->is_hashed)
		hashed = known_store_hash_name(hk->store, p->name);
	line = xasprintf("%s %s %s", hashed != NULL ? hashed : p->name,
	    p->type->name, p->key);
	result = known_file_append(&source->file, fd, line, err);
	free(hashed);
	free(line);
	if (result == -1)
		return -1;
	add_chunks(hk, source, source->file.chunk_count - 1, false);
	if (judge(hk, p, &f) != HOST_KEY_OK)
		return error_set(err,
		    "%s: the new entry for %s was not found "
		    "again",
		    source->file.path, p->name);
	return 0;
}

static int
accept_locked(
    struct host_keys *hk, const struct presented *p, int fd, struct error *err)
{
	enum host_key_verdict verdict;
	enum file_change change;
	struct findings f;
	char *reason;

	if (known_file_catch_up(&hk->sources[0].file, fd, &change, err) == -1)
		return -1;
	refresh(hk, &hk->sources[0], change);
	verdict = judge(hk, p, &f);
	if (verdict == HOST_KEY_OK)
		return 0;
	if (verdict == HOST_KEY_UNKNOWN)
		return record(hk, p, fd, err);
	reason = explain(hk, p, &f, verdict);
	error_set(err, "%s", reason);
	free(reason);
	return -1;
}

int
host_keys_accept(struct host_keys *hk, const char *name, uint16_t port,
    const uint8_t *key, size_t key_len, struct error *err)
{
	struct presented p;
	int fd = -1, result = -1;

	presented_init(&p, name, port, key, key_len);
	if (p.type == NULL || p.type->algorithms == NULL)
		error_set(err,
		    "host key of %s not recorded: not a plain key "
		    "of a known type",
		    p.name);
	else if (!is_plain_name(p.host))
		error_set(err,
		    "host key not recorded: the name \"%s\" does "
		    "not fit into known_hosts",
		    p.host);
	else
		fd = known_file_open(&hk->sources[0].file, err);
	if (fd != -1) {
		result = accept_locked(hk, &p, fd, err);
		fd_close(&fd);
	}
	presented_clear(&p);
	return result;
}
