/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Templates of local paths: no host's path leaves the part that is the user's,
 * and no two are the same. The input is a line with the template, and names of
 * hosts, one a line.
 */
#include "config.h"

#include "fuzz.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/template.h"

#define HOSTS_MAX 12u

static void
check_path(const char *path)
{
	size_t len;

	FUZZ_CHECK(path[0] != '/' && strlen(path) < PATH_MAX);
	for (; *path != '\0'; path += len + (path[len] == '/')) {
		len = strcspn(path, "/");
		FUZZ_CHECK(len > 0);
		FUZZ_CHECK(len != 1 || path[0] != '.');
		FUZZ_CHECK(len != 2 || strncmp(path, "..", 2) != 0);
	}
}

static void
check_paths(char *const *paths, uint32_t count)
{
	uint32_t i, j;

	for (i = 0; i < count; i++) {
		check_path(paths[i]);
		for (j = 0; j < i; j++)
			FUZZ_CHECK(strcmp(paths[i], paths[j]) != 0);
	}
}

static void
check_template(const char *text, const struct host *hosts, uint32_t count)
{
	struct error err = {""};
	char *base = template_base(text);
	char **paths;

	FUZZ_CHECK(strncmp(text, base, strlen(base)) == 0);
	FUZZ_CHECK(strchr(base, '%') == NULL);
	free(base);
	paths = template_expand(text, hosts, count, &err);
	fuzz_check_result(paths != NULL ? 0 : -1, &err);
	if (paths != NULL)
		check_paths(paths, count);
	template_free(paths, count);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = {data, size};
	char *text = fuzz_line(&c);
	struct host hosts[HOSTS_MAX];
	struct error err = {""};
	uint32_t count = 0, i;
	int rc;

	memset(hosts, 0, sizeof(hosts));
	while (c.left > 0 && count < HOSTS_MAX)
		hosts[count++].name = fuzz_line(&c);
	rc = template_check_names(hosts, count, &err);
	fuzz_check_result(rc, &err);
	/* As the program does: other names have no path, nor have others. */
	if (rc == 0 && count > 0 && template_is(text))
		check_template(text, hosts, count);
	for (i = 0; i < count; i++)
		free(hosts[i].name);
	free(text);
	return 0;
}
