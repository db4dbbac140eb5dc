/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A request is looked up in the table below, which tells its kind (enum op, for
 * stall=, drop= and the counts), the behaviour that makes it fail, and who
 * answers it. An answer is made in s->msg and passes reply_end(), the one place
 * where whole packets are spoilt (garbage, huge-packet, zero-packet, bad-id)
 * or held back:
 *
 *   slow     due so long after the request came; in order
 *   shuffle  collected for SHUFFLE_MS from the first on, then sent in reverse
 *
 * Lies about content (READ, attributes, names) are told where it is made.
 */
#include "config.h"

#include "simhost_sftp_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/log.h"
#include "util/xalloc.h"

#define SFTP_VERSION  3
#define SHUFFLE_MS    10
#define GARBAGE_BYTES 100

static const struct request {
	enum packet_type type;
	const char *extension; /* name of an FXP_EXTENDED */
	const char *extension_data;
	enum op op;
	enum behaviour fails;	/* with it the request fails; B_COUNT: none */
	enum behaviour missing; /* the extension is not there */
	enum count count;	/* C_COUNT: none */
	request_fn answer;
} requests[] = {
    {FXP_OPEN, NULL, NULL, OP_OPEN, B_OPEN_FAILS, B_COUNT, C_COUNT,
	request_open},
    {FXP_CLOSE, NULL, NULL, OP_CLOSE, B_COUNT, B_COUNT, C_CLOSES,
	request_close},
    {FXP_READ, NULL, NULL, OP_READ, B_READ_FAILS, B_COUNT, C_COUNT,
	request_read},
    {FXP_WRITE, NULL, NULL, OP_WRITE, B_COUNT, B_COUNT, C_COUNT, request_write},
    {FXP_LSTAT, NULL, NULL, OP_STAT, B_STAT_FAILS, B_COUNT, C_COUNT,
	request_lstat},
    {FXP_FSTAT, NULL, NULL, OP_STAT, B_STAT_FAILS, B_COUNT, C_COUNT,
	request_fstat},
    {FXP_SETSTAT, NULL, NULL, OP_SETSTAT, B_SETSTAT_FAILS, B_COUNT, C_COUNT,
	request_setstat},
    {FXP_FSETSTAT, NULL, NULL, OP_SETSTAT, B_SETSTAT_FAILS, B_COUNT, C_COUNT,
	request_fsetstat},
    {FXP_OPENDIR, NULL, NULL, OP_OPENDIR, B_OPENDIR_FAILS, B_COUNT, C_OPENDIRS,
	request_opendir},
    {FXP_READDIR, NULL, NULL, OP_READDIR, B_READDIR_FAILS, B_COUNT, C_COUNT,
	request_readdir},
    {FXP_REMOVE, NULL, NULL, OP_REMOVE, B_REMOVE_FAILS, B_COUNT, C_REMOVES,
	request_remove},
    {FXP_MKDIR, NULL, NULL, OP_MKDIR, B_MKDIR_FAILS, B_COUNT, C_MKDIRS,
	request_mkdir},
    {FXP_RMDIR, NULL, NULL, OP_RMDIR, B_RMDIR_FAILS, B_COUNT, C_COUNT,
	request_rmdir},
    {FXP_REALPATH, NULL, NULL, OP_REALPATH, B_REALPATH_FAILS, B_COUNT, C_COUNT,
	request_realpath},
    {FXP_STAT, NULL, NULL, OP_STAT, B_STAT_FAILS, B_COUNT, C_COUNT,
	request_stat},
    {FXP_RENAME, NULL, NULL, OP_RENAME, B_RENAME_FAILS, B_COUNT, C_RENAMES,
	request_rename},
    {FXP_READLINK, NULL, NULL, OP_READLINK, B_READLINK_FAILS, B_COUNT, C_COUNT,
	request_readlink},
    {FXP_SYMLINK, NULL, NULL, OP_SYMLINK, B_SYMLINK_FAILS, B_COUNT, C_COUNT,
	request_symlink},
    {FXP_EXTENDED, "posix-rename@openssh.com", "1", OP_RENAME, B_RENAME_FAILS,
	B_NO_POSIX_RENAME, C_RENAMES, request_posix_rename},
    {FXP_EXTENDED, "fsync@openssh.com", "1", OP_FSYNC, B_FSYNC_FAILS,
	B_NO_FSYNC, C_FSYNCS, request_fsync},
    {FXP_EXTENDED, "hardlink@openssh.com", "1", OP_HARDLINK, B_HARDLINK_FAILS,
	B_NO_HARDLINK, C_COUNT, request_hardlink},
    {FXP_EXTENDED, "statvfs@openssh.com", "2", OP_STATVFS, B_COUNT, B_COUNT,
	C_COUNT, request_statvfs},
    {FXP_EXTENDED, "limits@openssh.com", "1", OP_LIMITS, B_COUNT, B_NO_LIMITS,
	C_COUNT, request_limits},
};
#define REQUEST_COUNT (sizeof(requests) / sizeof(requests[0]))

struct sftp *
sftp_new(struct host *host, uint64_t *stored, struct buf *out)
{
	struct sftp *s = xcalloc(1, sizeof(*s));

	s->host = host;
	s->stored = stored;
	s->random = 0x2545f491;
	buf_init(&s->msg, SFTP_OUT_MAX - SFTP_OUT_HIGH - 4);
	STAILQ_INIT(&s->held);
	if (host_has(host, B_TEXT_FIRST))
		buf_puts(out, "Welcome to host\n");
	return s;
}

void
sftp_free(struct sftp *s)
{
	struct held *held;

	if (s == NULL)
		return;
	while ((held = STAILQ_FIRST(&s->held)) != NULL) {
		STAILQ_REMOVE_HEAD(&s->held, entry);
		free(held);
	}
	handles_clear(s);
	buf_clear(&s->msg);
	free(s);
}

/* --- replies --- */

void
reply_begin(struct sftp *s, enum packet_type type, uint32_t id)
{
	buf_consume(&s->msg, buf_len(&s->msg));
	buf_put_u8(&s->msg, (uint8_t)type);
	buf_put_u32(&s->msg, id);
}

static void
put_garbage(struct sftp *s)
{
	size_t i;

	buf_consume(&s->msg, buf_len(&s->msg));
	for (i = 0; i < GARBAGE_BYTES; i++) {
		s->random ^= s->random << 13;
		s->random ^= s->random >> 17;
		s->random ^= s->random << 5;
		buf_put_u8(&s->msg, (uint8_t)s->random);
	}
}

static void
hold(struct sftp *s, const uint8_t *head, size_t head_len)
{
	const struct host *h = s->host;
	size_t len = head_len + buf_len(&s->msg);
	struct held *held = xmalloc(sizeof(*held) + len);

	held->len = len;
	memcpy(held->bytes, head, head_len);
	memcpy(held->bytes + head_len, buf_head(&s->msg), buf_len(&s->msg));
	held->due_ms = clock_now_ms() + host_number(h, B_SLOW);
	if (host_has(h, B_SHUFFLE)) {
		held->due_ms = STAILQ_EMPTY(&s->held)
		    ? held->due_ms + SHUFFLE_MS
		    : STAILQ_FIRST(&s->held)->due_ms;
		STAILQ_INSERT_HEAD(&s->held, held, entry);
	} else {
		STAILQ_INSERT_TAIL(&s->held, held, entry);
	}
	s->held_bytes += len;
}

void
reply_end(struct sftp *s)
{
	const struct host *h = s->host;
	uint8_t head[4], *p;
	size_t len;

	if (s->has_version && host_has(h, B_GARBAGE))
		put_garbage(s);
	p = buf_head(&s->msg);
	if (s->has_version && host_has(h, B_BAD_ID))
		p[1] ^= 0x80;
	len = buf_len(&s->msg);
	if (s->has_version && host_has(h, B_HUGE_PACKET)) {
		len = 0xfffffff0;
	} else if (s->has_version && host_has(h, B_ZERO_PACKET)) {
		len = 0;
		buf_consume(&s->msg, buf_len(&s->msg));
	}
	head[0] = (uint8_t)(len >> 24);
	head[1] = (uint8_t)(len >> 16);
	head[2] = (uint8_t)(len >> 8);
	head[3] = (uint8_t)len;
	if (host_has(h, B_SLOW) || (host_has(h, B_SHUFFLE) && s->has_version)) {
		hold(s, head, sizeof(head));
		return;
	}
	if (buf_append(s->out, head, sizeof(head)) == -1 ||
	    buf_append(s->out, buf_head(&s->msg), buf_len(&s->msg)) == -1)
		fatal("too many replies in a buffer"); /* see SFTP_OUT_MAX */
}

void
reply_status(struct sftp *s, uint32_t id, enum status code, const char *message)
{
	static const char *const usual[] = {"Success", "End of file",
	    "No such file", "Permission denied", "Failure", "Bad message",
	    "No connection", "Connection lost", "Operation unsupported"};

	if (message == NULL)
		message = usual[code];
	reply_begin(s, FXP_STATUS, id);
	buf_put_u32(&s->msg, code);
	buf_put_string(&s->msg, message, strlen(message));
	buf_put_string(&s->msg, "", 0); /* language */
	reply_end(s);
}

void
reply_errno(struct sftp *s, uint32_t id, int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		reply_status(s, id, FX_NO_SUCH_FILE, NULL);
		break;
	case EACCES:
	case EPERM:
		reply_status(s, id, FX_PERMISSION_DENIED, NULL);
		break;
	case ENOSYS:
	case EOPNOTSUPP:
		reply_status(s, id, FX_OP_UNSUPPORTED, NULL);
		break;
	default:
		reply_status(s, id, FX_FAILURE, strerror(error));
	}
}

void
reply_rc(struct sftp *s, uint32_t id, int rc)
{
	if (rc == -1)
		reply_errno(s, id, errno);
	else
		reply_status(s, id, FX_OK, NULL);
}

void
reply_bad_message(struct sftp *s, uint32_t id)
{
	reply_status(s, id, FX_BAD_MESSAGE, NULL);
}

void
reply_attrs(struct sftp *s, uint32_t id, const struct stat *st)
{
	reply_begin(s, FXP_ATTRS, id);
	put_attrs(s, st);
	reply_end(s);
}

/* --- attributes and paths --- */

void
put_attrs(struct sftp *s, const struct stat *st)
{
	uint32_t flags =
	    ATTR_SIZE | ATTR_UIDGID | ATTR_PERMISSIONS | ATTR_ACMODTIME;
	struct buf *m = &s->msg;

	if (host_has(s->host, B_MANY_ATTRS))
		flags |= ATTR_EXTENDED;
	buf_put_u32(m, flags);
	buf_put_u64(m, (uint64_t)st->st_size);
	buf_put_u32(m, st->st_uid);
	buf_put_u32(m, st->st_gid);
	buf_put_u32(m, st->st_mode);
	buf_put_u32(m, (uint32_t)st->st_atime);
	buf_put_u32(m, (uint32_t)st->st_mtime);
	if (flags & ATTR_EXTENDED)
		buf_put_u32(m, 0xffffffff);
}

int
get_attrs(struct cursor *c, struct attrs *a)
{
	memset(a, 0, sizeof(*a));
	if (cursor_get_u32(c, &a->flags) == -1)
		return -1;
	if (a->flags & ATTR_SIZE && cursor_get_u64(c, &a->size) == -1)
		return -1;
	if (a->flags & ATTR_UIDGID &&
	    (cursor_get_u32(c, &a->uid) == -1 ||
		cursor_get_u32(c, &a->gid) == -1))
		return -1;
	if (a->flags & ATTR_PERMISSIONS &&
	    cursor_get_u32(c, &a->permissions) == -1)
		return -1;
	if (a->flags & ATTR_ACMODTIME &&
	    (cursor_get_u32(c, &a->atime) == -1 ||
		cursor_get_u32(c, &a->mtime) == -1))
		return -1;
	return 0; /* extended attributes come last, and we know none */
}

int
set_attrs(int fd, const struct attrs *a)
{
	struct timespec times[2] = {
	    {.tv_sec = (time_t)a->atime}, {.tv_sec = (time_t)a->mtime}};
	char path[32];

	/* These follow the link to the file itself, whatever fd may do. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (a->flags & ATTR_SIZE && truncate(path, (off_t)a->size) == -1)
		return -1;
	if (a->flags & ATTR_PERMISSIONS &&
	    chmod(path, a->permissions & 07777) == -1)
		return -1;
	if (a->flags & ATTR_ACMODTIME &&
	    utimensat(AT_FDCWD, path, times, 0) == -1)
		return -1;
	if (a->flags & ATTR_UIDGID && chown(path, a->uid, a->gid) == -1)
		return -1;
	return 0;
}

int
get_path(struct sftp *s, uint32_t id, struct cursor *c, struct fs_path *path)
{
	const uint8_t *data;
	size_t len;

	if (cursor_get_string(c, &data, &len) == -1) {
		reply_bad_message(s, id);
		return -1;
	}
	if (fs_path_parse(s->host, data, len, path) == -1) {
		reply_errno(s, id, errno);
		return -1;
	}
	return 0;
}

/* --- requests --- */

static bool
has_extension(const struct host *h, const struct request *r)
{
	return r->extension != NULL && !host_has(h, B_NO_EXTENSIONS) &&
	    (r->missing == B_COUNT || !host_has(h, r->missing));
}

static void
answer_init(struct sftp *s)
{
	const struct request *r;
	uint32_t version = SFTP_VERSION;

	if (host_has(s->host, B_VERSION))
		version = (uint32_t)host_number(s->host, B_VERSION);
	reply_begin(s, FXP_VERSION, version);
	for (r = requests; r < requests + REQUEST_COUNT; r++) {
		if (!has_extension(s->host, r))
			continue;
		buf_put_string(&s->msg, r->extension, strlen(r->extension));
		buf_put_string(
		    &s->msg, r->extension_data, strlen(r->extension_data));
	}
	reply_end(s);
	s->has_version = true;
}

/* NULL: not offered. An extension's name is taken from c. */
static const struct request *
find_request(const struct host *h, uint8_t type, struct cursor *c)
{
	const struct request *r;
	const uint8_t *name = NULL;
	size_t len = 0;

	if (type == FXP_EXTENDED && cursor_get_string(c, &name, &len) == -1)
		return NULL;
	for (r = requests; r < requests + REQUEST_COUNT; r++) {
		if (r->type != type)
			continue;
		if (type != FXP_EXTENDED)
			return r;
		if (has_extension(h, r) && strlen(r->extension) == len &&
		    memcmp(r->extension, name, len) == 0)
			return r;
	}
	return NULL;
}

static void
answer(struct sftp *s, const struct request *r, uint32_t id, struct cursor *c)
{
	if (r->count != C_COUNT)
		s->host->counts[r->count]++;
	if (r->fails == B_COUNT || !host_has(s->host, r->fails))
		r->answer(s, id, c);
	else if (r->op == OP_OPEN)
		reply_status(s, id, FX_PERMISSION_DENIED,
		    "\033[31mPermission denied\033[0m by host\r\n");
	else
		reply_status(s, id, FX_PERMISSION_DENIED, NULL);
}

/* One packet without its length. */
static enum sftp_verdict
serve_packet(struct sftp *s, const uint8_t *data, size_t len)
{
	struct cursor c = {.p = data, .left = len};
	const struct host *h = s->host;
	const struct request *r = NULL;
	enum op op = OP_INIT;
	uint32_t id;
	uint8_t type;

	if (s->is_stalled)
		return SFTP_GO_ON;
	/* INIT has its version where others have an id. */
	if (cursor_get_u8(&c, &type) == -1 || cursor_get_u32(&c, &id) == -1 ||
	    (type == FXP_INIT) == s->has_version)
		return SFTP_CLOSE;
	s->host->counts[C_REQUESTS]++;
	if (type != FXP_INIT) {
		r = find_request(h, type, &c);
		op = r != NULL ? r->op : OP_COUNT;
	}
	if (host_is(h, B_STALL, op)) {
		s->is_stalled = true;
		return SFTP_GO_ON;
	}
	if (host_is(h, B_DROP, op) &&
	    ++s->drop_count >=
		(host_has(h, B_DROP_AFTER) ? host_number(h, B_DROP_AFTER) : 1))
		return SFTP_DROP;
	if (type == FXP_INIT)
		answer_init(s);
	else if (r == NULL)
		reply_status(s, id, FX_OP_UNSUPPORTED, NULL);
	else
		answer(s, r, id, &c);
	return SFTP_GO_ON;
}

static void
release_held(struct sftp *s, struct buf *out)
{
	uint64_t now = clock_now_ms();
	struct held *held;

	while ((held = STAILQ_FIRST(&s->held)) != NULL && held->due_ms <= now) {
		if (buf_append(out, held->bytes, held->len) == -1)
			fatal("too many replies in a buffer");
		s->held_bytes -= held->len;
		STAILQ_REMOVE_HEAD(&s->held, entry);
		free(held);
	}
}

bool
sftp_is_stalled(const struct sftp *s)
{
	return s->is_stalled;
}

uint64_t
sftp_due_ms(const struct sftp *s)
{
	return STAILQ_EMPTY(&s->held) ? 0 : STAILQ_FIRST(&s->held)->due_ms;
}

enum sftp_verdict
sftp_serve(struct sftp *s, struct buf *in, struct buf *out)
{
	enum sftp_verdict verdict = SFTP_GO_ON;
	struct cursor c;
	uint32_t len;

	s->out = out;
	release_held(s, out);
	while (verdict == SFTP_GO_ON &&
	    buf_len(out) + s->held_bytes < SFTP_OUT_HIGH) {
		c.p = buf_head(in);
		c.left = buf_len(in);
		if (cursor_get_u32(&c, &len) == -1)
			break;
		if (len > SFTP_PACKET_MAX)
			return SFTP_CLOSE;
		if (c.left < len)
			break;
		verdict = serve_packet(s, c.p, len);
		buf_consume(in, 4 + (size_t)len);
	}
	return verdict;
}
