/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * target_world: where the tests of worker/target run. Each has a new, empty
 * directory as its own, in it a root "base/host", opened as t, and "outside"
 * with a file "secret", which must be as they were at its end.
 */
#ifndef TARGET_WORLD_H
#define TARGET_WORLD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "util/error.h"
#include "util/run_token.h"
#include "worker/target.h"

#define NOW	 1800000000
#define FOREIGN	 "00000001.4d2.9f3c"
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct world {
	char top[64];
	char *token;		       /* of this run */
	char dead[RUN_TOKEN_SIZE + 1]; /* of a run that is over */
	struct target *t;
	struct error err;
};

int world_setup(void **state);
int world_teardown(void **state);
#define WORLD_TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

/* Files, without the target; they fail the test if they cannot. */
void put_text(const char *path, const char *text);
void assert_text(const char *path, const char *text);
struct stat entry_stat(const char *path);
bool entry_exists(const char *path);
void remove_tree(const char *path);

/* Whether any temporary is left, anywhere. */
bool has_temps(void);

/*
 * Leave in the directory dir a temporary for base of the run token; where it
 * is goes to path.
 */
void leave_temp(const char *dir, const char *base, const char *token,
    uint32_t seq, const char *text, char path[static 300]);

/* Put text at path through the target; returns what committing did. */
int get_file(struct world *w, const char *path, const char *text, mode_t mode,
    const char *suffix);

/* Each function that is given path refuses it with errno errnum. */
void assert_all_refuse(struct world *w, const char *path, int errnum);

#endif
