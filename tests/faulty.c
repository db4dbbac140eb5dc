/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * faulty: does what its argument says, once, so that tests can tell that a
 * checker finds it.
 *
 *	nothing       no fault
 *	leak          memory that nothing points to any more
 *	reachable     memory that is kept until the end
 *	uninitialised a decision by a byte that was never written
 *	beyond        a read behind the end of allocated memory
 *	descriptor    one that stays open
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE 16

/* Volatile, so that the compiler knows nothing of what they point to. */
static char *volatile kept, *volatile lost;

static int
fault(const char *name)
{
	lost = malloc(SIZE);
	if (lost == NULL)
		return 1;
	if (strcmp(name, "uninitialised") == 0 && lost[1] == 'x')
		puts("x");
	if (strcmp(name, "beyond") == 0 && lost[SIZE] == 'x')
		puts("x");
	if (strcmp(name, "descriptor") == 0 &&
	    open("/dev/null", O_RDONLY) == -1)
		return 1;
	if (strcmp(name, "reachable") == 0)
		kept = lost;
	else if (strcmp(name, "leak") != 0)
		free(lost);
	lost = NULL;
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	return fault(argv[1]);
}
