/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The requests that work on paths. */
#include "config.h"

#include "simhost_sftp_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "util/fdio.h"

static void
answer_stat(struct sftp *s, uint32_t id, struct cursor *c, enum fake_use use)
{
	struct cursor name = *c;
	struct fs_path path;
	const uint8_t *data;
	struct stat st;
	mode_t mode;
	size_t len;
	int rc;

	if (cursor_get_string(c, &data, &len) == -1) {
		reply_bad_message(s, id);
		return;
	}
	mode = fake_lookup(s->host, data, len, use);
	if (mode != 0) {
		fake_attributes(mode, &st);
	} else {
		if (get_path(s, id, &name, &path) == -1)
			return;
		rc = use == FAKE_STAT ? fs_stat(s->host, &path, &st)
				      : fs_lstat(s->host, &path, &st);
		if (rc == -1) {
			reply_errno(s, id, errno);
			return;
		}
	}
	fake_distort(s->host, &st);
	reply_attrs(s, id, &st);
}

void
request_lstat(struct sftp *s, uint32_t id, struct cursor *c)
{
	answer_stat(s, id, c, FAKE_LSTAT);
}

void
request_stat(struct sftp *s, uint32_t id, struct cursor *c)
{
	answer_stat(s, id, c, FAKE_STAT);
}

void
request_setstat(struct sftp *s, uint32_t id, struct cursor *c)
{
	struct fs_path path;
	struct attrs a;
	int fd;

	if (get_path(s, id, c, &path) == -1)
		return;
	if (get_attrs(c, &a) == -1) {
		reply_bad_message(s, id);
		return;
	}
	fd = fs_open(s->host, &path, O_PATH, 0);
	if (fd == -1) {
		reply_errno(s, id, errno);
		return;
	}
	reply_rc(s, id, set_attrs(fd, &a));
	close(fd);
}

static void
answer_unlink(struct sftp *s, uint32_t id, struct cursor *c, int flags)
{
	struct fs_path path;
	const char *name;
	int dir_fd;

	if (get_path(s, id, c, &path) == -1)
		return;
	dir_fd = fs_parent(s->host, &path, &name);
	reply_rc(s, id, dir_fd == -1 ? -1 : unlinkat(dir_fd, name, flags));
	fd_close(&dir_fd);
}

void
request_remove(struct sftp *s, uint32_t id, struct cursor *c)
{
	answer_unlink(s, id, c, 0);
}

void
request_rmdir(struct sftp *s, uint32_t id, struct cursor *c)
{
	answer_unlink(s, id, c, AT_REMOVEDIR);
}

void
request_mkdir(struct sftp *s, uint32_t id, struct cursor *c)
{
	struct fs_path path;
	struct attrs a;
	const char *name;
	int dir_fd;

	if (get_path(s, id, c, &path) == -1)
		return;
	if (get_attrs(c, &a) == -1) {
		reply_bad_message(s, id);
		return;
	}
	dir_fd = fs_parent(s->host, &path, &name);
	if (dir_fd == -1 && errno == EPERM)
		errno = EEXIST; /* the root */
	reply_rc(s, id,
	    dir_fd == -1
		? -1
		: mkdirat(dir_fd, name,
		      a.flags & ATTR_PERMISSIONS ? a.permissions & 07777
						 : 0777));
	fd_close(&dir_fd);
}

static void
reply_name(struct sftp *s, uint32_t id, const char *name)
{
	reply_begin(s, FXP_NAME, id);
	buf_put_u32(&s->msg, 1);
	buf_put_string(&s->msg, name, strlen(name));
	buf_put_string(&s->msg, name, strlen(name));
	buf_put_u32(&s->msg, 0); /* no attributes */
	reply_end(s);
}

void
request_realpath(struct sftp *s, uint32_t id, struct cursor *c)
{
	struct fs_path path;
	char name[PATH_MAX + 1] = "/";

	if (get_path(s, id, c, &path) == -1)
		return;
	if (strcmp(path.text, ".") != 0)
		snprintf(name, sizeof(name), "/%s", path.text);
	reply_name(s, id, name);
}

void
request_readlink(struct sftp *s, uint32_t id, struct cursor *c)
{
	struct cursor name = *c;
	char target[PATH_MAX];
	struct fs_path path;
	const uint8_t *data;
	ssize_t n;
	size_t len;
	int fd;

	if (cursor_get_string(c, &data, &len) == -1) {
		reply_bad_message(s, id);
		return;
	}
	if (S_ISLNK(fake_lookup(s->host, data, len, FAKE_READLINK))) {
		reply_name(s, id, fake_link_target(s->host));
		return;
	}
	if (get_path(s, id, &name, &path) == -1)
		return;
	fd = fs_open(s->host, &path, O_PATH | O_NOFOLLOW, 0);
	n = fd == -1 ? -1 : readlinkat(fd, "", target, sizeof(target) - 1);
	if (n == -1) {
		/* "" of what is no link says ENOENT. */
		if (fd != -1)
			errno = EINVAL;
		reply_errno(s, id, errno);
	} else {
		target[n] = '\0';
		reply_name(s, id, target);
	}
	fd_close(&fd);
}

/* OpenSSH's order: the target, then the link to make. */
void
request_symlink(struct sftp *s, uint32_t id, struct cursor *c)
{
	char target[PATH_MAX];
	struct fs_path path;
	const uint8_t *data;
	const char *name;
	size_t len;
	int dir_fd;

	if (cursor_get_string(c, &data, &len) == -1) {
		reply_bad_message(s, id);
		return;
	}
	if (len >= sizeof(target) || memchr(data, '\0', len) != NULL) {
		reply_errno(s, id, EINVAL);
		return;
	}
	memcpy(target, data, len);
	target[len] = '\0';
	if (get_path(s, id, c, &path) == -1)
		return;
	dir_fd = fs_parent(s->host, &path, &name);
	reply_rc(s, id, dir_fd == -1 ? -1 : symlinkat(target, dir_fd, name));
	fd_close(&dir_fd);
}

enum move { MOVE_NEW, MOVE_OVER, MOVE_LINK };

static void
answer_move(struct sftp *s, uint32_t id, struct cursor *c, enum move how)
{
	struct fs_path from, to;
	const char *from_name, *to_name;
	int from_fd, to_fd = -1, rc = -1;

	if (get_path(s, id, c, &from) == -1 || get_path(s, id, c, &to) == -1)
		return;
	from_fd = fs_parent(s->host, &from, &from_name);
	if (from_fd != -1)
		to_fd = fs_parent(s->host, &to, &to_name);
	if (to_fd != -1 && how == MOVE_LINK)
		rc = linkat(from_fd, from_name, to_fd, to_name, 0);
	else if (to_fd != -1)
		rc = renameat2(from_fd, from_name, to_fd, to_name,
		    how == MOVE_NEW ? RENAME_NOREPLACE : 0);
	reply_rc(s, id, rc);
	fd_close(&from_fd);
	fd_close(&to_fd);
}

void
request_rename(struct sftp *s, uint32_t id, struct cursor *c)
{
	answer_move(s, id, c, MOVE_NEW);
}

void
request_posix_rename(struct sftp *s, uint32_t id, struct cursor *c)
{
	answer_move(s, id, c, MOVE_OVER);
}

void
request_hardlink(struct sftp *s, uint32_t id, struct cursor *c)
{
	answer_move(s, id, c, MOVE_LINK);
}

void
request_statvfs(struct sftp *s, uint32_t id, struct cursor *c)
{
	struct fs_path path;
	struct statvfs st;
	int fd;

	if (get_path(s, id, c, &path) == -1)
		return;
	fd = fs_open(s->host, &path, O_PATH, 0);
	if (fd == -1 || fstatvfs(fd, &st) == -1) {
		reply_errno(s, id, errno);
		fd_close(&fd);
		return;
	}
	fd_close(&fd);
	reply_begin(s, FXP_EXTENDED_REPLY, id);
	buf_put_u64(&s->msg, st.f_bsize);
	buf_put_u64(&s->msg, st.f_frsize);
	buf_put_u64(&s->msg, st.f_blocks);
	buf_put_u64(&s->msg, st.f_bfree);
	buf_put_u64(&s->msg, st.f_bavail);
	buf_put_u64(&s->msg, st.f_files);
	buf_put_u64(&s->msg, st.f_ffree);
	buf_put_u64(&s->msg, st.f_favail);
	buf_put_u64(&s->msg, st.f_fsid);
	/* SSH_FXE_STATVFS_ST_RDONLY 1, _ST_NOSUID 2 */
	buf_put_u64(&s->msg,
	    (st.f_flag & ST_RDONLY ? 1u : 0) |
		(st.f_flag & ST_NOSUID ? 2u : 0));
	buf_put_u64(&s->msg, st.f_namemax);
	reply_end(s);
}

void
request_limits(struct sftp *s, uint32_t id, struct cursor *c)
{
	(void)c;
	reply_begin(s, FXP_EXTENDED_REPLY, id);
	buf_put_u64(&s->msg, SFTP_PACKET_MAX);
	buf_put_u64(&s->msg, SFTP_READ_MAX);
	buf_put_u64(&s->msg, SFTP_READ_MAX); /* of a WRITE */
	buf_put_u64(&s->msg, SFTP_HANDLES_MAX);
	reply_end(s);
}
