/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *   BEGIN    waits for its turn on the host   ─▶ ON_HOST; READ if it is short
 *   ON_HOST  the host computes its hash       ─▶ HASHED; READ if it does not
 *   HASHED   waits for the local hash         ─▶ DECIDED; READ if they differ
 *   READ     is read back                     ─▶ DECIDED
 *   DECIDED  waits for a hash that is wanted  ─▶ OVER, and done is called
 *
 * A failure goes to DECIDED from anywhere. The local hash is computed beside
 * all this, by a thread.
 *
 * The callbacks of thread and timer only note what happened and let the
 * session have a step, since that may free it, and all this with it. Requests
 * cannot be withdrawn: a compare that was freed lives, detached, until the
 * last reply.
 *
 * Only who runs on the host calls libssh2 from here, in compare_step(): any
 * call takes packets of all channels off the socket, which must not happen
 * behind the back of who has just found that there is nothing to read.
 */
#include "config.h"

#include "worker/compare.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/xalloc.h"
#include "worker/disk.h"
#include "worker/session.h"
#include "worker/sftp.h"
#include "worker/transfer.h"
#include "worker/worker.h"

/* Up to here reading back is quicker than a command. */
#define SHORT_BYTES (256u * 1024)
/* For how long the host may hash in silence. */
#define HOST_HASH_MS	   60000u
#define HOST_HASH_BYTES_MS 20000u /* 20 MB/s */
#define TICK_MS		   1000u
#define PIECES		   64u
#define CHUNK_BYTES	   32768u

enum compare_state {
	COMPARE_BEGIN,
	COMPARE_ON_HOST,
	COMPARE_HASHED,
	COMPARE_READ,
	COMPARE_DECIDED,
	COMPARE_OVER,
};

/* A read on its way. */
struct piece {
	struct compare *compare; /* NULL: none */
	uint64_t offset;
	size_t left;
};

struct compare {
	struct comparer *comparer;
	struct compare *next, **link;
	enum compare_state state;
	bool is_detached; /* compare_free() was called */
	char *path;
	int fd;
	uint64_t length;
	compare_done done;
	void *ctx;
	enum compare_result result;
	char why[256];

	struct disk_job *job; /* the local hash, in work */
	int job_error;
	bool wants_sha256, has_sha256;
	uint8_t sha256[DIGEST_BYTES];
	uint8_t host_sha256[DIGEST_BYTES];
	bool has_differed;    /* host_sha256 did */
	uint64_t deadline_ms; /* of the host's hash, in uv_now() time */

	unsigned replies; /* to come */
	bool is_opening;
	struct sftp_handle handle;
	uint64_t next_offset; /* to be read from */
	uint64_t same_bytes;
	struct piece pieces[PIECES];
};

static uv_loop_t *
comparer_loop(const struct comparer *k)
{
	return worker_loop(k->transfer->session->worker);
}

/* --- the timer ----------------------------------------------------------- */

static void
tick(uv_timer_t *timer)
{
	struct comparer *k = timer->data;
	const struct compare *c = k->running;

	if (k->jobs == 0 && c == NULL && !k->is_waking) {
		uv_timer_stop(timer);
		return;
	}
	k->is_waking = false;
	/* The host is silent because of us, or because it computes. */
	if (k->jobs > 0 || (c != NULL && uv_now(timer->loop) < c->deadline_ms))
		session_active(k->transfer->session);
	transfer_wake(k->transfer); /* may free k */
}

static void
start_ticking(struct comparer *k, uint64_t first_ms)
{
	if (k->timer == NULL) {
		k->timer = xcalloc(1, sizeof(*k->timer));
		uv_timer_init(comparer_loop(k), k->timer);
		k->timer->data = k;
	}
	if (first_ms == 0 || !uv_is_active((uv_handle_t *)k->timer))
		uv_timer_start(k->timer, tick, first_ms, TICK_MS);
}

/* exec has become free: let those have a step that wait for it. */
static void
wake_waiting(struct comparer *k)
{
	const struct compare *c = k->compares;

	while (c != NULL && (c->is_detached || c->state != COMPARE_BEGIN))
		c = c->next;
	if (c == NULL)
		return;
	k->is_waking = true;
	start_ticking(k, 0);
}

/* --- life ---------------------------------------------------------------- */

static void
compare_release(struct compare *c)
{
	*c->link = c->next;
	if (c->next != NULL)
		c->next->link = c->link;
	free(c->path);
	free(c);
}

/* A reply came. Returns false if there is nobody to tell: c may be gone. */
static bool
reply_received(struct compare *c)
{
	c->replies--;
	if (!c->is_detached)
		return true;
	if (c->replies == 0)
		compare_release(c);
	return false;
}

/* --- decisions ----------------------------------------------------------- */

static void
ignore_reply(void *ctx, struct sftp_reply *reply)
{
	(void)ctx;
	(void)reply;
}

static void
close_handle(struct compare *c, const struct sftp_handle *handle)
{
	if (handle->len > 0)
		sftp_close(
		    &c->comparer->transfer->sftp, handle, ignore_reply, NULL);
	c->handle.len = 0;
}

static void
stop_job(struct compare *c)
{
	if (c->job == NULL)
		return;
	disk_abandon(c->job);
	c->job = NULL;
	c->comparer->jobs--;
}

/* exec is free for the next one. */
static void
leave_host(struct compare *c)
{
	c->comparer->running = NULL;
	wake_waiting(c->comparer);
}

static void
stop_all(struct compare *c)
{
	stop_job(c);
	if (c->comparer->running == c) {
		compare_exec_stop(&c->comparer->exec);
		leave_host(c);
	}
	close_handle(c, &c->handle);
}

static void
decide(struct compare *c, enum compare_result result)
{
	close_handle(c, &c->handle);
	c->result = result;
	c->state = COMPARE_DECIDED;
}

static void fail(struct compare *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
fail(struct compare *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->why, sizeof(c->why), fmt, ap);
	va_end(ap);
	stop_all(c);
	decide(c, COMPARE_FAILED);
}

static void
fail_local(struct compare *c, int error)
{
	if (error == ENODATA)
		fail(c, "the local file became shorter");
	else
		fail(c, "reading the local file: %s", strerror(error));
}

static void
fail_refused(
    struct compare *c, const char *what, const struct sftp_reply *reply)
{
	struct bytes words = sftp_words(reply);

	fail(c, "%s: %.*s", what, (int)(words.len % INT32_MAX),
	    (const char *)words.data);
}

/* Call done if all is there. The last thing to be done with c. */
static void
settle(struct compare *c)
{
	if (c->state != COMPARE_DECIDED ||
	    (c->result != COMPARE_FAILED && c->wants_sha256 && !c->has_sha256))
		return;
	stop_job(c);
	c->state = COMPARE_OVER;
	c->replies++; /* not to be gone before it returns */
	c->done(c->ctx, c->result, c->why, c->has_sha256 ? c->sha256 : NULL);
	reply_received(c);
}

/* --- reading back -------------------------------------------------------- */

static void
opened(void *ctx, struct sftp_reply *reply)
{
	struct compare *c = ctx;

	if (c->is_detached || c->state != COMPARE_READ)
		close_handle(c, &reply->handle);
	if (!reply_received(c))
		return;
	if (c->state == COMPARE_READ) {
		if (reply->type == SFTP_HANDLE)
			c->handle = reply->handle;
		else
			fail_refused(c, "opening it to compare", reply);
	}
	settle(c);
}

/* Some bytes of a piece: those before it were received. */
static void
piece_data(void *ctx, uint64_t offset, const uint8_t *data, size_t len)
{
	struct piece *p = ctx;
	struct compare *c = p->compare;
	uint8_t own[CHUNK_BYTES];
	size_t done = 0, part;
	ssize_t n;

	p->offset += len;
	p->left -= len;
	while (c->state == COMPARE_READ && !c->is_detached && done < len) {
		part = len - done < sizeof(own) ? len - done : sizeof(own);
		n = pread(c->fd, own, part, (off_t)(offset + done));
		if (n <= 0)
			fail_local(c, n == 0 ? ENODATA : errno);
		else if (memcmp(own, data + done, (size_t)n) != 0)
			decide(c, COMPARE_DIFFERENT);
		else {
			done += (size_t)n;
			c->same_bytes += (size_t)n;
		}
	}
}

static void
read_same(struct compare *c)
{
	/* The shell sees another file under that path, or another path. */
	if (c->has_differed)
		c->comparer->exec.is_off = true;
	decide(c, COMPARE_SAME);
}

static void piece_done(void *ctx, struct sftp_reply *reply);

static void
piece_read(struct piece *p)
{
	struct compare *c = p->compare;

	c->replies++;
	sftp_read(&c->comparer->transfer->sftp, &c->handle, p->offset, p->left,
	    piece_data, piece_done, p);
}

static void
piece_done(void *ctx, struct sftp_reply *reply)
{
	struct piece *p = ctx;
	struct compare *c = p->compare;

	if (!reply_received(c))
		return;
	if (c->state == COMPARE_READ && reply->type == SFTP_DATA &&
	    p->left > 0) {
		piece_read(p); /* a server may send less than asked for */
		return;
	}
	p->compare = NULL;
	if (c->state == COMPARE_READ) {
		if (reply->type != SFTP_DATA && reply->status == SFTP_EOF)
			decide(c, COMPARE_DIFFERENT);
		else if (reply->type != SFTP_DATA)
			fail_refused(c, "reading it to compare", reply);
		else if (c->same_bytes == c->length)
			read_same(c);
	}
	settle(c);
}

static struct piece *
free_piece(struct compare *c)
{
	unsigned i;

	for (i = 0; i < PIECES; i++) {
		if (c->pieces[i].compare == NULL)
			return &c->pieces[i];
	}
	return NULL;
}

static void
start_reads(struct compare *c)
{
	struct transfer *t = c->comparer->transfer;
	size_t window = transfer_config(t)->channel_window, len;
	struct piece *p;
	uint64_t left;

	while ((left = c->length - c->next_offset) > 0 &&
	    sftp_can_read(&t->sftp, window) && (p = free_piece(c)) != NULL) {
		len = left < t->sftp.read_max ? (size_t)left : t->sftp.read_max;
		len = transfer_allowance(t, len);
		if (len == 0)
			return;
		*p = (struct piece){c, c->next_offset, len};
		c->next_offset += len;
		piece_read(p);
	}
}

static void
step_read(struct compare *c)
{
	struct sftp *f = &c->comparer->transfer->sftp;

	if (c->length == 0)
		decide(c, COMPARE_SAME);
	else if (c->handle.len > 0)
		start_reads(c);
	else if (!c->is_opening && sftp_has_room(f)) {
		c->is_opening = true;
		c->replies++;
		sftp_open(f, c->path, SFTP_FLAG_READ, 0, opened, c);
	}
}

/* --- hashes -------------------------------------------------------------- */

static void
hashed(void *ctx, int error, const uint8_t *sha256)
{
	struct compare *c = ctx;

	c->job = NULL;
	c->comparer->jobs--;
	c->job_error = error;
	if (sha256 != NULL) {
		memcpy(c->sha256, sha256, sizeof(c->sha256));
		c->has_sha256 = true;
	}
	transfer_wake(c->comparer->transfer); /* may free c */
}

static void
start_job(struct compare *c)
{
	if (c->has_sha256 || c->job != NULL)
		return;
	c->job =
	    disk_hash(worker_threads(c->comparer->transfer->session->worker),
		c->fd, c->length, hashed, c);
	c->comparer->jobs++;
	start_ticking(c->comparer, TICK_MS);
}

static void
read_back(struct compare *c)
{
	if (!c->wants_sha256)
		stop_job(c);
	c->state = COMPARE_READ;
}

static void
step_begin(struct compare *c)
{
	struct comparer *k = c->comparer;
	uint64_t now = uv_now(comparer_loop(k));

	if (c->length <= SHORT_BYTES || k->exec.is_off ||
	    !compare_exec_can(c->path)) {
		read_back(c);
		return;
	}
	start_job(c);
	if (k->running != NULL || !compare_exec_is_free(&k->exec))
		return;
	k->running = c;
	c->deadline_ms = now + HOST_HASH_MS + c->length / HOST_HASH_BYTES_MS;
	start_ticking(k, TICK_MS);
	compare_exec_start(&k->exec, c->path, c->length);
	c->state = COMPARE_ON_HOST;
}

/* Go on with what the host computes, for c or for one that was given up. */
static void
step_exec(struct comparer *k, struct compare *c)
{
	bool was_busy = k->exec.state != COMPARE_EXEC_IDLE;
	enum compare_exec_result result;

	result = compare_exec_step(&k->exec, c->host_sha256);
	if (k->running == NULL) {
		if (was_busy && k->exec.state == COMPARE_EXEC_IDLE)
			wake_waiting(k);
		return;
	}
	if (result == COMPARE_EXEC_AGAIN) {
		if (uv_now(comparer_loop(k)) < c->deadline_ms)
			return;
		compare_exec_stop(&k->exec);
		k->exec.is_off = true;
	}
	leave_host(c);
	if (result == COMPARE_EXEC_HASHED)
		c->state = COMPARE_HASHED;
	else
		read_back(c);
}

static void
step_hashed(struct compare *c)
{
	if (!c->has_sha256)
		return;
	if (memcmp(c->sha256, c->host_sha256, sizeof(c->sha256)) == 0)
		decide(c, COMPARE_SAME);
	else {
		c->has_differed = true;
		read_back(c);
	}
}

/* --- from outside -------------------------------------------------------- */

struct compare *
compare_new(struct comparer *k, const char *path, int fd, uint64_t length,
    const uint8_t *sha256, bool wants_sha256, compare_done done, void *ctx)
{
	struct compare *c = xcalloc(1, sizeof(*c));

	c->comparer = k;
	c->next = k->compares;
	c->link = &k->compares;
	if (c->next != NULL)
		c->next->link = &c->next;
	k->compares = c;
	c->path = xstrdup(path);
	c->fd = fd;
	c->length = length;
	c->wants_sha256 = wants_sha256;
	if (sha256 != NULL) {
		memcpy(c->sha256, sha256, sizeof(c->sha256));
		c->has_sha256 = true;
	}
	c->done = done;
	c->ctx = ctx;
	return c;
}

void
compare_step(struct compare *c)
{
	struct comparer *k = c->comparer;

	if (c->state == COMPARE_OVER)
		return;
	if (c->job_error != 0)
		fail_local(c, c->job_error);
	else if (c->wants_sha256)
		start_job(c);
	if (c->state == COMPARE_BEGIN)
		step_begin(c);
	if (k->running == NULL || k->running == c)
		step_exec(k, c);
	if (c->state == COMPARE_HASHED)
		step_hashed(c);
	if (c->state == COMPARE_READ)
		step_read(c);
	settle(c);
}

void
compare_free(struct compare *c)
{
	if (c == NULL)
		return;
	c->is_detached = true;
	stop_all(c);
	if (c->replies == 0)
		compare_release(c);
}

void
comparer_init(struct comparer *k, struct transfer *t)
{
	*k = (struct comparer){.transfer = t};
	compare_exec_init(&k->exec, t->session);
}

static void
timer_closed(uv_handle_t *handle)
{
	free(handle);
}

void
comparer_clear(struct comparer *k)
{
	struct compare *c, *next;

	for (c = k->compares; c != NULL; c = next) {
		next = c->next;
		stop_job(c);
		compare_release(c);
	}
	compare_exec_clear(&k->exec);
	if (k->timer != NULL)
		uv_close((uv_handle_t *)k->timer, timer_closed);
	k->timer = NULL;
	k->running = NULL;
}
