/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "target_world.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "worker/temp_name.h"

void
put_text(const char *path, const char *text)
{
	FILE *fp = fopen(path, "w");

	assert_non_null(fp);
	assert_true(fputs(text, fp) >= 0);
	assert_int_equal(fclose(fp), 0);
}

void
assert_text(const char *path, const char *text)
{
	char got[256];
	FILE *fp = fopen(path, "r");

	if (fp == NULL)
		fail_msg("%s: %s", path, strerror(errno));
	got[fread(got, 1, sizeof(got) - 1, fp)] = '\0';
	fclose(fp);
	assert_string_equal(got, text);
}

struct stat
entry_stat(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == -1)
		fail_msg("%s: %s", path, strerror(errno));
	return st;
}

bool
entry_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static int
count_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	return strncmp(path + ftw->base, ".batch_scp.", 11) == 0;
}

bool
has_temps(void)
{
	return nftw(".", count_one, 16, FTW_PHYS) != 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
remove_tree(const char *path)
{
	assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

int
world_setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	unsigned long long start;
	char *last;

	assert_non_null(w);
	snprintf(w->top, sizeof(w->top), "/tmp/test_target.XXXXXX");
	if (mkdtemp(w->top) == NULL || chdir(w->top) == -1)
		return -1;
	umask(022);
	w->token = run_token_make();
	/* Our pid with another time of start: a run that is over. */
	last = strrchr(w->token, '.');
	start = strtoull(last + 1, NULL, 16);
	snprintf(w->dead, sizeof(w->dead), "%.*s.%llx", (int)(last - w->token),
	    w->token, start + 1);
	assert_int_equal(mkdir("outside", 0777), 0);
	put_text("outside/secret", "secret");
	w->t = target_open("base", "host", &w->err);
	assert_non_null(w->t);
	*state = w;
	return 0;
}

int
world_teardown(void **state)
{
	struct world *w = *state;

	target_close(w->t);
	/* Whatever a test did: nothing outside was touched. */
	assert_text("outside/secret", "secret");
	assert_int_equal(entry_stat("outside").st_nlink, 2);
	assert_int_equal(entry_stat("outside/secret").st_nlink, 1);
	if (chdir("/") == -1)
		return -1;
	remove_tree(w->top);
	free(w->token);
	free(w);
	return 0;
}

int
get_file(struct world *w, const char *path, const char *text, mode_t mode,
    const char *suffix)
{
	struct target_file *f;
	size_t len = strlen(text);
	int rc, saved;

	rc = target_file_create(w->t, path, w->token, 1, &f, &w->err);
	if (rc == -1)
		return -1;
	assert_int_equal(pwrite(target_file_fd(f), text, len, 0), len);
	rc = target_file_commit(f, mode, NULL, suffix, &w->err);
	if (rc == -1) {
		saved = errno;
		target_file_discard(f, false);
		assert_int_equal(errno, saved);
	}
	return rc;
}

void
leave_temp(const char *dir, const char *base, const char *token, uint32_t seq,
    const char *text, char path[static 300])
{
	char name[TEMP_NAME_SIZE];

	temp_name_make(name, sizeof(name), base, token, seq);
	snprintf(path, 300, "%s/%s", dir, name);
	put_text(path, text);
}

void
assert_all_refuse(struct world *w, const char *path, int errnum)
{
	struct target_file *f = NULL;
	struct stat st;
	uint64_t bytes;

#define REFUSED(call)                                                         \
	do {                                                                  \
		errno = 0;                                                    \
		w->err.text[0] = '\0';                                        \
		if ((call) != -1)                                             \
			fail_msg("%s took \"%s\"", #call, path);              \
		if (errno != errnum)                                          \
			fail_msg("%s: \"%s\": %s", #call, path, w->err.text); \
		assert_true(w->err.text[0] != '\0');                          \
	} while (0)

	REFUSED(target_lookup(w->t, path, &st, &w->err));
	REFUSED(target_mkdir(w->t, path, 0755, &w->err));
	REFUSED(target_dir_finish(w->t, path, 0777, NULL, &w->err));
	REFUSED(target_symlink(w->t, path, "x", w->token, 1, NULL, &w->err));
	REFUSED(target_file_create(w->t, path, w->token, 1, &f, &w->err));
	REFUSED(
	    target_file_claim(w->t, path, w->token, 1, &f, &bytes, &w->err));
	if (path[0] != '\0') /* "" is the root there */
		REFUSED(target_clean(w->t, path, NOW, &w->err));
	assert_null(f);
}
