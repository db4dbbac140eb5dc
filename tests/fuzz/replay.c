/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * replay: the main of a fuzz target without libFuzzer. It hands the target the
 * inputs that are named, or all in its folder of the corpus, and says so in
 * TAP; what is wrong with one ends it.
 */
#include "config.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "seed.h"
#include "util/xalloc.h"

static int
run_input(const char *path)
{
	struct error err;
	size_t size;
	uint8_t *input;

	/* Known even if it is the last thing that is. */
	printf("# %s\n", path);
	fflush(stdout);
	input = seed_read(path, &size, &err);
	if (input == NULL) {
		printf("not ok 1 - %s\n", err.text);
		return -1;
	}
	LLVMFuzzerTestOneInput(input, size);
	free(input);
	return 0;
}

static int
is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Returns how many there were, or -1. */
static int
run_folder(const char *dir)
{
	struct dirent **entries;
	int count = scandir(dir, &entries, is_input, alphasort), i, rc = 0;
	char *path;

	for (i = 0; i < count; i++) {
		path = xconcat(dir, "/", entries[i]->d_name);
		if (rc == 0)
			rc = run_input(path);
		free(path);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return rc == 0 ? count : -1;
}

/* From ".../fuzz_NAME" to the folder of NAME. */
static char *
folder_of(const char *program)
{
	const char *source = getenv("top_srcdir");
	const char *slash = strrchr(program, '/');
	const char *name = strstr(slash != NULL ? slash : program, "fuzz_");

	return xconcat(source != NULL ? source : ".", "/tests/fuzz/corpus/",
	    name != NULL ? name + strlen("fuzz_") : program);
}

int
main(int argc, char **argv)
{
	char *dir = folder_of(argv[0]);
	int count = 0;

	LLVMFuzzerInitialize(&argc, &argv);
	printf("1..1\n");
	if (argc == 1)
		count = run_folder(dir);
	while (argc > 1 && count < argc - 1 && count != -1)
		count = run_input(argv[count + 1]) == 0 ? count + 1 : -1;
	if (count > 0)
		printf("ok 1 - %d inputs\n", count);
	else if (count == 0)
		printf("not ok 1 - no inputs in %s\n", dir);
	free(dir);
	return count > 0 ? 0 : 1;
}
