/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * seeds: write the inputs of a corpus into a folder, as libFuzzer wants them:
 * seeds FOLDER INPUT...
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seed.h"
#include "util/xalloc.h"

static int
copy_input(const char *dir, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct error err;
	size_t size;
	uint8_t *input = seed_read(path, &size, &err);
	char *to;
	FILE *f;
	int rc = -1;

	if (input == NULL) {
		fprintf(stderr, "seeds: %s\n", err.text);
		return -1;
	}
	to = xconcat(dir, "/", slash != NULL ? slash + 1 : path);
	f = fopen(to, "we");
	if (f != NULL && fwrite(input, 1, size, f) == size)
		rc = 0;
	if (f != NULL && fclose(f) != 0)
		rc = -1;
	if (rc == -1)
		perror(to);
	free(to);
	free(input);
	return rc;
}

int
main(int argc, char **argv)
{
	int i, rc = 0;

	for (i = 2; i < argc && rc == 0; i++)
		rc = copy_input(argv[1], argv[i]);
	return rc == 0 ? 0 : 1;
}
