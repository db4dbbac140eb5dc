/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * refuse ERRNO CALL... -- COMMAND...: as on a system, or in a container, that
 * does not have or not permit these system calls. CALL is a name, or
 * NAME:NUMBER if only with that first argument; ERRNO is a number.
 */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/exit_status.h"

static void
refuse(scmp_filter_ctx filter, uint32_t action, char *call)
{
	struct scmp_arg_cmp first = {.op = SCMP_CMP_EQ};
	char *argument = strchr(call, ':');
	int number, rc;

	if (argument != NULL) {
		*argument++ = '\0';
		first.datum_a = strtoul(argument, NULL, 10);
	}
	number = seccomp_syscall_resolve_name(call);
	rc = number == __NR_SCMP_ERROR ? -ENOENT
				       : seccomp_rule_add_array(filter, action,
					     number, argument != NULL, &first);
	if (rc < 0)
		errx(EXIT_USAGE, "%s: %s", call, strerror(-rc));
}

int
main(int argc, char **argv)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	uint32_t action;
	int i, rc;

	if (argc < 3 || filter == NULL)
		errx(EXIT_USAGE, "usage: refuse ERRNO CALL... -- COMMAND...");
	action = SCMP_ACT_ERRNO((uint32_t)strtoul(argv[1], NULL, 10));
	for (i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
		refuse(filter, action, argv[i]);
	rc = seccomp_load(filter);
	if (rc < 0)
		errx(EXIT_USAGE, "%s", strerror(-rc));
	if (i + 1 < argc)
		execvp(argv[i + 1], argv + i + 1);
	err(EXIT_NOT_FOUND, "%s", argv[argc - 1]);
}
