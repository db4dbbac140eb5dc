/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Handles, and the requests that make or use them. A handle is 16 hexadecimal
 * digits, index and generation, with more behind them if it is to be long.
 */
#include "config.h"

#include "simhost_sftp_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "util/xalloc.h"

#define HANDLE_LEN	16
#define LONG_HANDLE_LEN 1000
#define SHRUNK_BYTES	1000u
#define SHORT_READ_MAX	1000u
#define MORE_DATA_BYTES 100u
#define NAMES_PER_REPLY 100u
#define NAMES_BYTES	(64u << 10)

/* Section 6.3 of the draft. */
enum open_flag {
	OPEN_READ = 1,
	OPEN_WRITE = 2,
	OPEN_APPEND = 4,
	OPEN_CREAT = 8,
	OPEN_TRUNC = 16,
	OPEN_EXCL = 32
};

/* --- handles --- */

/* NULL with errno set if there are too many. */
static struct handle *
handle_new(struct sftp *s, enum handle_kind kind)
{
	struct handle *h;
	uint32_t generation;
	size_t i;

	for (i = 0; i < s->handle_count; i++) {
		if (s->handles[i].kind == HANDLE_FREE)
			break;
	}
	if (i == SFTP_HANDLES_MAX) {
		errno = EMFILE;
		return NULL;
	}
	if (i == s->handle_count) {
		s->handles = xreallocarray(
		    s->handles, ++s->handle_count, sizeof(*s->handles));
		s->handles[i].generation = 0;
	}
	h = &s->handles[i];
	generation = h->generation + 1;
	memset(h, 0, sizeof(*h));
	h->kind = kind;
	h->generation = generation;
	h->fd = -1;
	return h;
}

static int
handle_close(struct handle *h)
{
	int rc = 0;

	if (h->dir != NULL)
		rc = closedir(h->dir);
	else if (h->fd != -1)
		rc = close(h->fd);
	h->kind = HANDLE_FREE;
	return rc;
}

void
handles_clear(struct sftp *s)
{
	size_t i;

	for (i = 0; i < s->handle_count; i++) {
		if (s->handles[i].kind != HANDLE_FREE)
			handle_close(&s->handles[i]);
	}
	free(s->handles);
	s->handles = NULL;
	s->handle_count = 0;
}

static void
reply_handle(struct sftp *s, uint32_t id, const struct handle *h)
{
	uint8_t text[LONG_HANDLE_LEN + 1];
	size_t len = HANDLE_LEN;

	snprintf((char *)text, sizeof(text), "%08zx%08" PRIx32,
	    (size_t)(h - s->handles), h->generation);
	if (host_has(s->host, B_LONG_HANDLE)) {
		memset(text + len, 'h', LONG_HANDLE_LEN - len);
		len = LONG_HANDLE_LEN;
	}
	reply_begin(s, FXP_HANDLE, id);
	buf_put_string(&s->msg, text, len);
	reply_end(s);
}

/* The handle of a request; replies to it if there is none, or not this kind. */
static struct handle *
get_handle(struct sftp *s, uint32_t id, struct cursor *c, bool is_any,
    enum handle_kind kind)
{
	char text[HANDLE_LEN + 1] = {0};
	const uint8_t *data;
	struct handle *h;
	uint32_t generation;
	size_t len, i;

	if (cursor_get_string(c, &data, &len) == -1) {
		reply_bad_message(s, id);
		return NULL;
	}
	if (len >= HANDLE_LEN) {
		memcpy(text, data, HANDLE_LEN);
		if (sscanf(text, "%8zx%8" SCNx32, &i, &generation) == 2 &&
		    i < s->handle_count) {
			h = &s->handles[i];
			if (h->kind != HANDLE_FREE &&
			    h->generation == generation &&
			    (is_any || h->kind == kind ||
				(kind == HANDLE_FILE &&
				    h->kind == HANDLE_FAKE_FILE)))
				return h;
		}
	}
	reply_status(s, id, FX_FAILURE, "Invalid handle");
	return NULL;
}

void
request_close(struct sftp *s, uint32_t id, struct cursor *c)
{
	struct handle *h = get_handle(s, id, c, true, HANDLE_FREE);
	int rc;

	if (h == NULL)
		return;
	rc = handle_close(h);
	if (host_has(s->host, B_CLOSE_FAILS))
		reply_status(s, id, FX_PERMISSION_DENIED, NULL);
	else
		reply_rc(s, id, rc);
}

/* --- files --- */

static int
open_flags(uint32_t pflags)
{
	int flags;

	if (pflags & OPEN_READ && pflags & OPEN_WRITE)
		flags = O_RDWR;
	else
		flags = pflags & OPEN_WRITE ? O_WRONLY : O_RDONLY;
	if (pflags & OPEN_WRITE) {
		flags |= pflags & OPEN_APPEND ? O_APPEND : 0;
		flags |= pflags & OPEN_CREAT ? O_CREAT : 0;
		flags |= pflags & OPEN_TRUNC ? O_TRUNC : 0;
		flags |= pflags & OPEN_EXCL ? O_EXCL : 0;
	}
	return flags;
}

static void
open_file(struct sftp *s, uint32_t id, const struct fs_path *path,
    uint32_t pflags, const struct attrs *a)
{
	struct handle *h;
	int fd;

	fd = fs_open(s->host, path, open_flags(pflags),
	    a->flags & ATTR_PERMISSIONS ? a->permissions : 0666);
	if (fd == -1) {
		reply_errno(s, id, errno);
		return;
	}
	h = handle_new(s, HANDLE_FILE);
	if (h == NULL) {
		reply_errno(s, id, errno);
		close(fd);
		return;
	}
	h->fd = fd;
	reply_handle(s, id, h);
}

void
request_open(struct sftp *s, uint32_t id, struct cursor *c)
{
	struct cursor name = *c;
	const uint8_t *data;
	struct fs_path path;
	struct handle *h;
	struct attrs a;
	uint32_t pflags;
	size_t len;
	bool is_write;

	if (cursor_get_string(c, &data, &len) == -1 ||
	    cursor_get_u32(c, &pflags) == -1 || get_attrs(c, &a) == -1) {
		reply_bad_message(s, id);
		return;
	}
	is_write = (pflags & OPEN_WRITE) != 0;
	s->host->counts[is_write ? C_WRITE_OPENS : C_READ_OPENS]++;
	/* Only this one: READ has its turn after an OPEN that succeeds. */
	if (is_write && host_has(s->host, B_BAD_TYPE)) {
		reply_begin(s, FXP_DATA, id);
		buf_put_string(&s->msg, "handle", 6);
		reply_end(s);
		return;
	}
	if (!is_write && host_has(s->host, B_TYPE_CHANGE)) {
		reply_status(s, id, FX_FAILURE, NULL);
		return;
	}
	if (!is_write && S_ISREG(fake_lookup(s->host, data, len, FAKE_READ))) {
		h = handle_new(s, HANDLE_FAKE_FILE);
		if (h == NULL)
			reply_errno(s, id, errno);
		else
			reply_handle(s, id, h);
		return;
	}
	if (get_path(s, id, &name, &path) == 0)
		open_file(s, id, &path, pflags, &a);
}

/* What the file holds, as far as the host lets it; -1 with errno. */
static ssize_t
read_file(const struct sftp *s, const struct handle *h, uint64_t offset,
    uint8_t *data, size_t len)
{
	const struct host *host = s->host;
	size_t size = strlen(FAKE_TEXT), want = len;
	ssize_t n;

	if (host_has(host, B_SHRINKS))
		want = offset >= SHRUNK_BYTES ? 0
		    : len < SHRUNK_BYTES - offset
		    ? len
		    : (size_t)(SHRUNK_BYTES - offset);
	if (h->kind == HANDLE_FAKE_FILE) {
		n = offset >= size	   ? 0
		    : want < size - offset ? (ssize_t)want
					   : (ssize_t)(size - offset);
		memcpy(data, &FAKE_TEXT[offset < size ? offset : 0], (size_t)n);
	} else {
		n = pread(h->fd, data, want, (off_t)offset);
	}
	if (n >= 0 && (host_has(host, B_GROWS) || host_has(host, B_SHRINKS))) {
		memset(data + n, 'x', want - (size_t)n);
		n = (ssize_t)want;
	}
	return n;
}

void
request_read(struct sftp *s, uint32_t id, struct cursor *c)
{
	struct handle *h = get_handle(s, id, c, false, HANDLE_FILE);
	const struct host *host = s->host;
	size_t claimed, extra = 0;
	uint64_t offset;
	uint32_t asked, most, len;
	uint8_t *p;
	ssize_t n;

	if (h == NULL)
		return;
	if (cursor_get_u64(c, &offset) == -1 ||
	    cursor_get_u32(c, &asked) == -1) {
		reply_bad_message(s, id);
		return;
	}
	if (host_has(host, B_BAD_TYPE)) {
		reply_handle(s, id, h);
		return;
	}
	most = asked < SFTP_READ_MAX ? asked : SFTP_READ_MAX;
	len = most;
	if (host_has(host, B_SHORT_READ) && len > SHORT_READ_MAX)
		len = SHORT_READ_MAX;
	reply_begin(s, FXP_DATA, id);
	p = buf_reserve(&s->msg, 4 + (size_t)most + MORE_DATA_BYTES);
	n = read_file(s, h, offset, p + 4, len);
	if (n == -1) {
		reply_errno(s, id, errno);
		return;
	}
	if (n == 0 && asked > 0) {
		reply_status(s, id, FX_EOF, NULL);
		return;
	}
	s->host->counts[C_READ_BYTES] += (uint64_t)n;
	if (host_has(host, B_MORE_DATA)) {
		/* More than asked for, not only more than there is. */
		extra = most - (size_t)n + MORE_DATA_BYTES;
		memset(p + 4 + n, 'z', extra);
	}
	claimed = (size_t)n + extra;
	if (host_has(host, B_BAD_DATA))
		claimed += 1000;
	buf_put_u32(&s->msg, (uint32_t)claimed);
	buf_advance(&s->msg, (size_t)n + extra);
	reply_end(s);
}

/* pwrite(2) all of it. */
static int
write_all(const struct handle *h, const uint8_t *data, size_t len, off_t offset)
{
	ssize_t n;

	while (len > 0) {
		n = pwrite(h->fd, data, len, offset); /* O_APPEND appends */
		if (n == -1 && errno != EINTR)
			return -1;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
			offset += n;
		}
	}
	return 0;
}

/* Store a WRITE's bytes, or what the host makes of them. */
static int
store(const struct sftp *s, const struct handle *h, const uint8_t *data,
    size_t len, uint64_t offset)
{
	uint8_t first;

	/* Every second half of a WRITE is lost; the rest moves together. */
	if (host_has(s->host, B_LIES_SIZE)) {
		offset /= 2;
		len /= 2;
	}
	if (host_has(s->host, B_CORRUPT) && offset == 0 && len > 0) {
		first = data[0] ^ 0x01;
		if (write_all(h, &first, 1, 0) == -1)
			return -1;
		data++;
		len--;
		offset++;
	}
	return write_all(h, data, len, (off_t)offset);
}

void
request_write(struct sftp *s, uint32_t id, struct cursor *c)
{
	struct handle *h = get_handle(s, id, c, false, HANDLE_FILE);
	const struct host *host = s->host;
	bool is_full = false;
	const uint8_t *data;
	uint64_t offset, left;
	size_t len;

	if (h == NULL)
		return;
	if (cursor_get_u64(c, &offset) == -1 ||
	    cursor_get_string(c, &data, &len) == -1) {
		reply_bad_message(s, id);
		return;
	}
	if (host_has(host, B_WRITE_FAILS)) {
		reply_status(
		    s, id, FX_FAILURE, host->values[B_WRITE_FAILS].text);
		return;
	}
	if (host_has(host, B_DISK_FULL)) {
		left = host_number(host, B_DISK_FULL) - *s->stored;
		is_full = len > left;
		if (is_full)
			len = (size_t)left;
	}
	if (store(s, h, data, len, offset) == -1) {
		reply_errno(s, id, errno);
		return;
	}
	*s->stored += len;
	if (is_full) {
		reply_status(s, id, FX_FAILURE, "No space left on device");
		return;
	}
	s->host->counts[C_WRITE_BYTES] += len;
	reply_status(s, id, FX_OK, NULL);
}

void
request_fsync(struct sftp *s, uint32_t id, struct cursor *c)
{
	struct handle *h = get_handle(s, id, c, false, HANDLE_FILE);

	if (h != NULL)
		reply_rc(s, id, h->fd != -1 ? fsync(h->fd) : 0);
}

void
request_fstat(struct sftp *s, uint32_t id, struct cursor *c)
{
	struct handle *h = get_handle(s, id, c, true, HANDLE_FREE);
	struct stat st;
	int fd;

	if (h == NULL)
		return;
	fd = h->dir != NULL ? dirfd(h->dir) : h->fd;
	if (fd == -1)
		fake_attributes(
		    h->kind == HANDLE_DIR ? S_IFDIR | 0755 : S_IFREG | 0644,
		    &st);
	else if (fstat(fd, &st) == -1) {
		reply_errno(s, id, errno);
		return;
	}
	fake_distort(s->host, &st);
	reply_attrs(s, id, &st);
}

void
request_fsetstat(struct sftp *s, uint32_t id, struct cursor *c)
{
	struct handle *h = get_handle(s, id, c, true, HANDLE_FREE);
	struct attrs a;
	int fd;

	if (h == NULL)
		return;
	if (get_attrs(c, &a) == -1) {
		reply_bad_message(s, id);
		return;
	}
	fd = h->dir != NULL ? dirfd(h->dir) : h->fd;
	reply_rc(s, id, fd != -1 ? set_attrs(fd, &a) : 0);
}

/* --- directories --- */

void
request_opendir(struct sftp *s, uint32_t id, struct cursor *c)
{
	struct cursor name = *c;
	const uint8_t *data;
	struct fs_path path;
	struct handle *h;
	DIR *dir = NULL;
	size_t len;
	int fd;

	if (cursor_get_string(c, &data, &len) == -1) {
		reply_bad_message(s, id);
		return;
	}
	if (!S_ISDIR(fake_lookup(s->host, data, len, FAKE_LIST))) {
		if (get_path(s, id, &name, &path) == -1)
			return;
		fd = fs_open(s->host, &path, O_RDONLY | O_DIRECTORY, 0);
		if (fd == -1 || (dir = fdopendir(fd)) == NULL) {
			reply_errno(s, id, errno);
			if (fd != -1)
				close(fd);
			return;
		}
	}
	h = handle_new(s, HANDLE_DIR);
	if (h == NULL) {
		reply_errno(s, id, errno);
		if (dir != NULL)
			closedir(dir);
		return;
	}
	h->dir = dir;
	h->is_real_done = fake_list_kind(s->host, dir == NULL) == LIST_FAKED;
	reply_handle(s, id, h);
}

/* Name, the line of "ls -l", attributes. */
static void
put_name(struct sftp *s, const char *name, size_t len, const struct stat *st)
{
	static const char bits[] = "rwxrwxrwx";
	char line[128], mode[11] = "----------", date[32];
	struct tm tm;
	int i, n;

	mode[0] = S_ISDIR(st->st_mode) ? 'd' : S_ISLNK(st->st_mode) ? 'l' : '-';
	for (i = 0; i < 9; i++) {
		if (st->st_mode & (0400u >> i))
			mode[i + 1] = bits[i];
	}
	gmtime_r(&st->st_mtime, &tm);
	strftime(date, sizeof(date), "%b %e %H:%M", &tm);
	n = snprintf(line, sizeof(line), "%s %4ju %-8u %-8u %8jd %s ", mode,
	    (uintmax_t)st->st_nlink, st->st_uid, st->st_gid,
	    (intmax_t)st->st_size, date);
	buf_put_string(&s->msg, name, len);
	buf_put_u32(&s->msg, (uint32_t)((size_t)n + len));
	buf_append(&s->msg, line, (size_t)n);
	buf_append(&s->msg, name, len);
	put_attrs(s, st);
}

/* The next entry of h into the reply; false at the end. */
static bool
put_next_name(struct sftp *s, struct handle *h)
{
	struct fake_entry fake;
	struct dirent *entry;
	struct stat st;

	while (!h->is_real_done) {
		entry = readdir(h->dir);
		if (entry == NULL) {
			h->is_real_done = true;
			if (fake_list_kind(s->host, false) == LIST_REAL)
				return false;
			break;
		}
		if (fstatat(dirfd(h->dir), entry->d_name, &st,
			AT_SYMLINK_NOFOLLOW) == -1)
			continue; /* removed meanwhile */
		fake_distort(s->host, &st);
		put_name(s, entry->d_name, strlen(entry->d_name), &st);
		return true;
	}
	if (fake_list_kind(s->host, h->dir == NULL) == LIST_REAL ||
	    !fake_list_entry(s->host, h->dir == NULL, h->pos, &fake))
		return false;
	h->pos++;
	fake_attributes(fake.mode, &st);
	fake_distort(s->host, &st);
	put_name(s, fake.name, fake.len, &st);
	return true;
}

void
request_readdir(struct sftp *s, uint32_t id, struct cursor *c)
{
	struct handle *h = get_handle(s, id, c, false, HANDLE_DIR);
	uint32_t count = 0;
	uint8_t *p;

	if (h == NULL)
		return;
	reply_begin(s, FXP_NAME, id);
	buf_put_u32(&s->msg, 0);
	while (count < NAMES_PER_REPLY && buf_len(&s->msg) < NAMES_BYTES &&
	    put_next_name(s, h))
		count++;
	if (count == 0) {
		reply_status(s, id, FX_EOF, NULL);
		return;
	}
	p = buf_head(&s->msg) + 5;
	p[2] = (uint8_t)(count >> 8);
	p[3] = (uint8_t)count;
	reply_end(s);
}
