/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "worker/cage_names.h"

#include <stdlib.h>
#include <string.h>

#include "util/fdio.h"

#define FILE_MAX 65536u
#define BLANK	 " \t\r\n"
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool
does_without(const char *module)
{
	static const char *const modules[] = {"dns", "files", "myhostname"};
	size_t i;

	for (i = 0; i < COUNT(modules); i++) {
		if (strcmp(module, modules[i]) == 0)
			return true;
	}
	return false;
}

/* The modules of a line; what to do if one fails stands in brackets between. */
static bool
line_needs_socket(char *line)
{
	static const char database[] = "hosts:";
	char *p, *word, *rest;

	line[strcspn(line, "#")] = '\0';
	line += strspn(line, BLANK);
	if (strncmp(line, database, sizeof(database) - 1) != 0)
		return false;
	line += sizeof(database) - 1;
	while ((p = strchr(line, '[')) != NULL)
		memset(p, ' ', strcspn(p, "]") + (strchr(p, ']') != NULL));
	for (word = strtok_r(line, BLANK, &rest); word != NULL;
	     word = strtok_r(NULL, BLANK, &rest)) {
		if (!does_without(word))
			return true;
	}
	return false;
}

bool
cage_names_need_socket(const char *file)
{
	bool needs_socket = false;
	char *text, *line, *rest;
	struct error err;
	size_t len;

	text = file_read(file, FILE_MAX, &len, &err);
	if (text == NULL)
		return false;
	for (line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest))
		needs_socket = needs_socket || line_needs_socket(line);
	free(text);
	return needs_socket;
}
