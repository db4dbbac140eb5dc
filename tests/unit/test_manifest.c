/* SPDX-License-Identifier: GPL-3.0-or-later */
/* manifest: what a put sends, under which names, and what it leaves out. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/manifest.h"
#include "control/manifest_level.h"
#include "util/fdio.h"
#include "util/log.h"
#include "wire/entry_file.h"

#define LOCALS_MAX 3

/* What the log would have shown. */
#define LOG_FILE "stderr"

static const struct row {
	const char *comment;
	const char *locals[LOCALS_MAX];
	bool follow;
	/* A line an entry: f, d, l or e (end of d), path, -> link, = size. */
	const char *list;
	uint64_t files, bytes, left_out;
	bool is_into;
	const char *why;   /* part of left_out_why */
	const char *error; /* the whole of it; then there is no list */
} rows[] = {
    {.comment = "a directory goes under its name, sorted by bytes",
	.locals = {"sort"},
	.list = "d sort\nf sort/B = 1\nd sort/a\nf sort/a/z = 3\ne sort/a\n"
		"f sort/a.b = 2\nf sort/a0 = 0\nf sort/\xc3\xa4 = 0\ne sort\n",
	.files = 5,
	.bytes = 6,
	.is_into = true},
    {.comment = "with a slash its content goes",
	.locals = {"sort/a/"},
	.list = "d \nf z = 3\ne \n",
	.files = 1,
	.bytes = 3},
    {.comment = "many slashes are one",
	.locals = {"sort//a///"},
	.list = "d \nf z = 3\ne \n",
	.files = 1,
	.bytes = 3},
    {.comment = "a dot at the end too",
	.locals = {"sort/a/."},
	.list = "d \nf z = 3\ne \n",
	.files = 1,
	.bytes = 3},
    {.comment = "two dots too",
	.locals = {"names/../sort/a/../a/b/.."},
	.error = "-local names/../sort/a/../a/b/..: "
		 "No such file or directory"},
    {.comment = "two dots",
	.locals = {"links/sub/.."},
	.list = "d \nl dangling -> nothing\nl dir -> ../sort/a\n"
		"l file -> ../sort/a.b\nd sub\ne sub\ne \n",
	.files = 3},
    {.comment = "an empty directory",
	.locals = {"links/sub"},
	.list = "d sub\ne sub\n",
	.is_into = true},
    {.comment = "an empty directory's content",
	.locals = {"links/sub/"},
	.list = "d \ne \n"},
    {.comment = "a file goes under its last name",
	.locals = {"./sort//a/z"},
	.list = "f z = 3\n",
	.files = 1,
	.bytes = 3},
    {.comment = "names are bytes",
	.locals = {"names"},
	.list = "d names\nf names/ sp ace = 0\nf names/-x = 0\n"
		"f names/new\nline = 0\nf names/\xff\xfe = 0\ne names\n",
	.files = 4,
	.is_into = true},
    {.comment = "a slash after a file",
	.locals = {"sort/a0/"},
	.error = "-local sort/a0/: Not a directory"},
    {.comment = "nothing there",
	.locals = {"sort", "none"},
	.error = "-local none: No such file or directory"},
    {.comment = "no path at all",
	.locals = {""},
	.error = "-local : No such file or directory"},
    {.comment = "a symlink is a symlink",
	.locals = {"links/dir", "links/dangling"},
	.list = "l dir -> ../sort/a\nl dangling -> nothing\n",
	.files = 2,
	.is_into = true},
    {.comment = "with a slash it is the directory",
	.locals = {"links/dir/"},
	.list = "d \nf z = 3\ne \n",
	.files = 1,
	.bytes = 3},
    {.comment = "a symlink to a file, with a slash",
	.locals = {"links/file/"},
	.error = "-local links/file/: Not a directory"},
    {.comment = "symlinks can be followed",
	.locals = {"links"},
	.follow = true,
	.list = "d links\nd links/dir\nf links/dir/z = 3\ne links/dir\n"
		"f links/file = 2\nd links/sub\ne links/sub\ne links\n",
	.files = 2,
	.bytes = 5,
	.left_out = 1,
	.is_into = true,
	.why = "links/dangling: a symbolic link to nothing"},
    {.comment = "a symlink followed goes under its own name",
	.locals = {"links/dir"},
	.follow = true,
	.list = "d dir\nf dir/z = 3\ne dir\n",
	.files = 1,
	.bytes = 3,
	.is_into = true},
    {.comment = "one of two that cannot be sent is left out",
	.locals = {"links/dangling", "sort/B"},
	.follow = true,
	.list = "f B = 1\n",
	.files = 1,
	.bytes = 1,
	.left_out = 1,
	.is_into = true,
	.why = "links/dangling: a symbolic link to nothing"},
    {.comment = "the only one that cannot be sent is an error",
	.locals = {"links/dangling"},
	.follow = true,
	.error = "-local links/dangling: a symbolic link to nothing"},
    {.comment = "loops end",
	.locals = {"loop/"},
	.follow = true,
	.list = "d \nd in\nf in/f = 1\ne in\ne \n",
	.files = 1,
	.bytes = 1,
	.left_out = 3,
	.why = "loop/in/self: a loop of symbolic links"},
    {.comment = "links that loop are links",
	.locals = {"loop/"},
	.list = "d \nd in\nf in/f = 1\nl in/self -> .\nl in/up -> ..\ne in\n"
		"l me -> me\ne \n",
	.files = 4,
	.bytes = 1},
    {.comment = "special files are passed over",
	.locals = {"special"},
	.list = "d special\nf special/file = 0\n"
		"l special/to_fifo -> fifo\ne special\n",
	.files = 2,
	.is_into = true},
    {.comment = "behind links too",
	.locals = {"special", "sort/B"},
	.follow = true,
	.list = "d special\nf special/file = 0\ne special\nf B = 1\n",
	.files = 2,
	.bytes = 1,
	.is_into = true},
    {.comment = "but not if there is nothing else",
	.locals = {"special/fifo"},
	.error = "-local special/fifo: a fifo, not sent"},
    {.comment = "two of one name",
	.locals = {"sort/B", "sort/a", "other/a"},
	.error = "-local sort/a and other/a: both would be \"a\""},
    {.comment = "one name in a directory whose content goes",
	.locals = {"other/a", "sort/"},
	.error = "-local sort/ and other/a: both would be \"a\""},
    {.comment = "the same name further down",
	.locals = {"sort/a/", "other"},
	.list = "d \nf z = 3\ne \nd other\nd other/a\nf other/a/z = 1\n"
		"e other/a\ne other\n",
	.files = 2,
	.bytes = 4,
	.is_into = true},
    {.comment = "contents may overlap",
	.locals = {"sort/a/", "other/a/"},
	.list = "d \nf z = 3\ne \nd \nf z = 1\ne \n",
	.files = 2,
	.bytes = 4,
	.is_into = true},
};

/* The entry's source is the file that the entry is about. */
static void
check_source(const struct msg_entry *e)
{
	struct stat st;
	int fd = open(
	    e->source, O_RDONLY | (e->type == ENTRY_FILE ? O_NOFOLLOW : 0));

	if (fd == -1 || fstat(fd, &st) == -1)
		fail_msg("%s: %s", e->source, strerror(errno));
	close(fd);
	assert_int_equal(st.st_mode & 07777, e->mode);
	assert_int_equal(st.st_dev, e->dev);
	assert_int_equal(st.st_ino, e->ino);
	assert_int_equal(st.st_mtim.tv_sec, e->mtime_s);
	assert_int_equal(st.st_mtim.tv_nsec, e->mtime_ns);
	assert_int_equal(st.st_ctim.tv_sec, e->ctime_s);
	assert_int_equal(st.st_ctim.tv_nsec, e->ctime_ns);
	if (e->type == ENTRY_FILE)
		assert_int_equal(st.st_size, e->size);
}

/* The entries as rows have them; the caller clears out. */
static void
list_entries(const struct manifest *m, struct buf *out)
{
	struct error err = {""};
	struct entry_cursor c;
	struct msg_entry e;
	int rc;

	buf_init(out, 1 << 24);
	entry_cursor_init_fd(&c, m->fd, m->length);
	while ((rc = entry_next(&c, &e, &err)) == 1) {
		if (e.type != ENTRY_SYMLINK)
			check_source(&e);
		buf_printf(out, "%c %s", "fdle"[e.type], e.path);
		if (e.type == ENTRY_SYMLINK)
			buf_printf(out, " -> %s", e.link);
		if (e.type == ENTRY_FILE)
			buf_printf(out, " = %llu", (unsigned long long)e.size);
		buf_puts(out, "\n");
	}
	buf_append(out, "", 1);
	entry_cursor_clear(&c);
	if (rc == -1)
		fail_msg("%s", err.text);
}

static size_t
count_locals(const char *const *locals)
{
	size_t n = 0;

	while (n < LOCALS_MAX && locals[n] != NULL)
		n++;
	return n;
}

static void
check_row(const struct row *row)
{
	const struct manifest_options options = {.follow = row->follow};
	struct error err = {""};
	struct manifest m;
	struct buf list;
	int rc;

	rc = manifest_build(
	    &m, row->locals, count_locals(row->locals), &options, &err);
	if (strcmp(err.text, row->error != NULL ? row->error : "") != 0)
		fail_msg("%s: \"%s\"", row->comment, err.text);
	if (row->error != NULL) {
		assert_int_equal(rc, -1);
		assert_int_equal(m.fd, -1);
		return;
	}
	list_entries(&m, &list);
	if (strcmp((char *)buf_head(&list), row->list) != 0)
		fail_msg("%s:\n%s", row->comment, (char *)buf_head(&list));
	if (m.files != row->files || m.bytes != row->bytes ||
	    m.left_out != row->left_out || m.is_into != row->is_into)
		fail_msg("%s: %d files, %d bytes, %d left out, into: %d",
		    row->comment, (int)m.files, (int)m.bytes, (int)m.left_out,
		    m.is_into);
	if ((row->why == NULL) != (m.left_out_why == NULL) ||
	    (row->why != NULL && strstr(m.left_out_why, row->why) == NULL))
		fail_msg("%s: %s", row->comment, m.left_out_why);
	buf_clear(&list);
	manifest_clear(&m);
}

static void
test_rows(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&rows[i]);
}

static void
write_file(const char *name, size_t size)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	while (size-- > 0)
		fputc('a', f);
	assert_int_equal(fclose(f), 0);
}

/* Build what must not fail. */
static void
build(struct manifest *m, const char *local, bool follow, bool has_hash)
{
	const struct manifest_options options = {
	    .follow = follow, .has_hash = has_hash};
	struct error err = {""};

	if (manifest_build(m, &local, 1, &options, &err) == -1)
		fail_msg("%s", err.text);
}

static void
check_hash(struct entry_cursor *c, const char *path, const char *want)
{
	struct error err = {""};
	struct msg_entry e;
	char hex[65];
	size_t i;

	assert_int_equal(entry_next(c, &e, &err), 1);
	assert_string_equal(e.path, path);
	assert_int_equal(e.sha256.len, want != NULL ? 32 : 0);
	for (i = 0; i < e.sha256.len; i++)
		snprintf(hex + 2 * i, 3, "%02x", e.sha256.data[i]);
	if (want != NULL)
		assert_string_equal(hex, want);
}

/* The examples of FIPS 180: a million times "a"; and nothing. */
static void
test_hashes_of_files(void **state)
{
	struct entry_cursor c;
	struct manifest m;

	(void)state;
	assert_int_equal(mkdir("hash", 0755), 0);
	write_file("hash/empty", 0);
	write_file("hash/million", 1000000);
	assert_int_equal(symlink("million", "hash/x"), 0);
	build(&m, "hash/", false, true);
	entry_cursor_init_fd(&c, m.fd, m.length);
	check_hash(&c, "", NULL);
	check_hash(&c, "empty",
	    "e3b0c44298fc1c149afbf4c8996fb924"
	    "27ae41e4649b934ca495991b7852b855");
	check_hash(&c, "million",
	    "cdc76e5c9914fb9281a1c7e284d73e67"
	    "f1809a48a497200e046d39ccc7112cd0");
	check_hash(&c, "x", NULL);
	entry_cursor_clear(&c);
	manifest_clear(&m);
}

/* A file of /proc has no size, but bytes: as if it had grown meanwhile. */
static void
test_a_file_that_changes_while_it_is_read(void **state)
{
	const struct manifest_options options = {.has_hash = true};
	const char *locals[] = {"/proc/version", "sort/B"};
	struct error err = {""};
	struct manifest m;

	(void)state;
	if (access(locals[0], R_OK) == -1)
		skip();
	assert_int_equal(manifest_build(&m, locals, 2, &options, &err), 0);
	assert_int_equal(m.left_out, 1);
	assert_string_equal(
	    m.left_out_why, "/proc/version: changed while it was read");
	assert_int_equal(m.files, 1);
	manifest_clear(&m);
}

static void
test_the_list_can_only_be_read(void **state)
{
	struct manifest m;

	(void)state;
	build(&m, "sort", false, false);
	assert_int_equal(fcntl(m.fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(fcntl(m.fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(lseek(m.fd, 0, SEEK_END), m.length);
	manifest_clear(&m);
}

static int
make_dir_in(int dir, const char *name)
{
	int fd;

	assert_int_equal(mkdirat(dir, name, 0755), 0);
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY);
	assert_int_not_equal(fd, -1);
	return fd;
}

/* Each level has a file after its directory, so that the walk comes back. */
static void
test_a_tree_deeper_than_there_are_descriptors(void **state)
{
	enum { DEPTH = 300 };
	struct rlimit saved, limit;
	int i, fd, next;
	struct manifest m;

	(void)state;
	fd = make_dir_in(AT_FDCWD, "deep");
	for (i = 0; i < DEPTH; i++) {
		assert_int_equal(mknodat(fd, "z", S_IFREG | 0600, 0), 0);
		next = make_dir_in(fd, "d");
		close(fd);
		fd = next;
	}
	close(fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &saved), 0);
	limit = saved;
	limit.rlim_cur = 100;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	build(&m, "deep", false, false);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &saved), 0);
	assert_int_equal(m.files, DEPTH);
	assert_int_equal(m.left_out, 0);
	manifest_clear(&m);
}

static void
test_a_path_that_is_too_long_is_left_out(void **state)
{
	char name[251];
	int i, fd, next;
	struct manifest m;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	fd = make_dir_in(AT_FDCWD, "long");
	for (i = 0; i < 20; i++) {
		next = make_dir_in(fd, name);
		close(fd);
		fd = next;
	}
	close(fd);
	build(&m, "long/", false, false);
	assert_int_equal(m.left_out, 1);
	assert_non_null(strstr(m.left_out_why, "...: path too long"));
	manifest_clear(&m);
}

/* The walk goes back to a level that it closed: is it still the same? */
static void
test_a_directory_that_was_replaced_is_noticed(void **state)
{
	struct walk_level l;

	(void)state;
	walk_level_init(&l, 0);
	l.fd = make_dir_in(AT_FDCWD, "swap");
	assert_int_equal(fstat(l.fd, &l.st), 0);
	assert_int_equal(walk_level_open(&l, "swap"), 0);
	assert_int_equal(rename("swap", "swapped"), 0);
	assert_int_equal(symlink("sort", "swap"), 0);
	assert_int_equal(walk_level_open(&l, "swap"), 0); /* still open */
	fd_close(&l.fd);
	assert_int_equal(walk_level_open(&l, "swap"), -1);
	assert_int_equal(l.fd, -1);
	assert_int_equal(walk_level_open(&l, "swapped"), 0);
	walk_level_clear(&l);
}

/* Standard error goes to a file; returns the descriptor to go back to. */
static int
log_begin(void)
{
	int saved = dup(STDERR_FILENO);
	int fd = open(LOG_FILE, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_not_equal(dup2(fd, STDERR_FILENO), -1);
	close(fd);
	return saved;
}

/* What was logged; the caller frees it. */
static char *
log_finish(int saved)
{
	struct error err = {""};
	char *text;
	size_t len;

	dup2(saved, STDERR_FILENO);
	close(saved);
	text = file_read(LOG_FILE, 1 << 20, &len, &err);
	assert_non_null(text);
	return text;
}

static size_t
count_lines(const char *text, const char *part)
{
	size_t n = 0;

	while ((text = strstr(text, part)) != NULL) {
		text += strlen(part);
		n++;
	}
	return n;
}

static void
test_many_that_are_left_out_are_counted(void **state)
{
	struct manifest m;
	char name[64], *text;
	int i, saved;

	(void)state;
	assert_int_equal(mkdir("many", 0755), 0);
	for (i = 0; i < 25; i++) {
		snprintf(name, sizeof(name), "many/link\n%d", i);
		assert_int_equal(symlink("nothing", name), 0);
		snprintf(name, sizeof(name), "many/fifo%d", i);
		assert_int_equal(mkfifo(name, 0600), 0);
	}
	saved = log_begin();
	build(&m, "many", true, false);
	text = log_finish(saved);
	assert_int_equal(m.left_out, 25);
	assert_int_equal(m.files, 0);
	assert_int_equal(count_lines(text, "\n"), 42);
	assert_int_equal(count_lines(text, "to nothing\n"), 20);
	assert_int_equal(count_lines(text, "link\\x0a"), 20);
	assert_int_equal(count_lines(text, ": a fifo, not sent\n"), 20);
	assert_int_equal(count_lines(text, ": 5 more files or"), 1);
	assert_int_equal(count_lines(text, "warning: 5 more special"), 1);
	free(text);
	manifest_clear(&m);
}

static void
test_what_may_not_be_read_is_left_out(void **state)
{
	const char *locals[] = {"secret/file", "sort/B"};
	const struct manifest_options options = {.follow = false};
	struct error err = {""};
	struct manifest m;

	(void)state;
	if (geteuid() == 0)
		skip(); /* root may read all */
	assert_int_equal(mkdir("secret", 0755), 0);
	write_file("secret/file", 1);
	write_file("secret/open", 1);
	assert_int_equal(mkdir("secret/dir", 0111), 0);
	assert_int_equal(chmod("secret/file", 0200), 0);
	build(&m, "secret", false, false);
	assert_int_equal(m.left_out, 2);
	assert_int_equal(m.files, 1);
	assert_string_equal(m.left_out_why, "secret/dir: Permission denied");
	manifest_clear(&m);
	assert_int_equal(manifest_build(&m, locals, 2, &options, &err), 0);
	assert_int_equal(m.left_out, 1);
	assert_int_equal(m.files, 1);
	manifest_clear(&m);
	assert_int_equal(manifest_build(&m, locals, 1, &options, &err), -1);
	assert_string_equal(err.text, "-local secret/file: Permission denied");
}

static void
make_special(void)
{
	struct sockaddr_un address = {
	    .sun_family = AF_UNIX, .sun_path = "special/socket"};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_int_equal(mkdir("special", 0755), 0);
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	assert_int_equal(mkfifo("special/fifo", 0600), 0);
	assert_int_equal(symlink("fifo", "special/to_fifo"), 0);
	write_file("special/file", 0);
}

static int
setup(void **state)
{
	static const char *const dirs[] = {"sort", "sort/a", "other", "other/a",
	    "names", "links", "links/sub", "loop", "loop/in"};
	static const struct {
		const char *name;
		size_t size;
	} files[] = {{"sort/a0", 0}, {"sort/a.b", 2}, {"sort/B", 1},
	    {"sort/\xc3\xa4", 0}, {"sort/a/z", 3}, {"other/a/z", 1},
	    {"names/new\nline", 0}, {"names/\xff\xfe", 0}, {"names/-x", 0},
	    {"names/ sp ace", 0}, {"loop/in/f", 1}};
	static const char *const links[][2] = {{"../sort/a", "links/dir"},
	    {"../sort/a.b", "links/file"}, {"nothing", "links/dangling"},
	    {"..", "loop/in/up"}, {".", "loop/in/self"}, {"me", "loop/me"}};
	static char folder[] = "/tmp/manifest.XXXXXX";
	size_t i;

	if (mkdtemp(folder) == NULL || chdir(folder) == -1)
		return -1;
	*state = folder;
	umask(022);
	log_set_quiet(false);
	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		assert_int_equal(mkdir(dirs[i], 0755), 0);
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		write_file(files[i].name, files[i].size);
	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		assert_int_equal(symlink(links[i][0], links[i][1]), 0);
	make_special();
	return 0;
}

static int
teardown(void **state)
{
	const char *folder = *state;
	char command[128];

	if (chdir("/") == -1)
		return -1;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_hashes_of_files),
	    cmocka_unit_test(test_a_file_that_changes_while_it_is_read),
	    cmocka_unit_test(test_the_list_can_only_be_read),
	    cmocka_unit_test(test_a_tree_deeper_than_there_are_descriptors),
	    cmocka_unit_test(test_a_path_that_is_too_long_is_left_out),
	    cmocka_unit_test(test_a_directory_that_was_replaced_is_noticed),
	    cmocka_unit_test(test_many_that_are_left_out_are_counted),
	    cmocka_unit_test(test_what_may_not_be_read_is_left_out),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
