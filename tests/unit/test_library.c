/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <libssh2.h>

#include "worker/library.h"

static const struct row {
	const char *comment;
	struct library library;
	const char *hole; /* in what is said; NULL: nothing is */
} rows[] = {
    {"older than what we are built for", {"1.8.0", false, false},
	"CVE-2019-3855"},
    {"the last such", {"1.9.0_DEV", false, false}, "CVE-2020-22218"},
    {"1.10 does not know what the probe asks for", {"1.10.0", false, false},
	NULL},
    {"1.11.0 as released", {"1.11.0", false, false}, "CVE-2023-48795"},
    {"1.11.0 with patches of 2023", {"1.11.0", true, false}, "CVE-2026-55199"},
    {"1.11.0 with patches of 2026 only", {"1.11.0", false, true},
	"CVE-2023-48795"},
    {"1.11.0 with all patches", {"1.11.0", true, true}, NULL},
    {"1.11.1 as released", {"1.11.1", true, false}, "CVE-2026-55200"},
    {"1.11.1 with patches", {"1.11.1", true, true}, NULL},
    {"what is to come", {"1.11.2_DEV", true, true}, NULL},
    {"what is to come, and lost a fix", {"2.0.0", true, false},
	"CVE-2026-55199"},
    {"no version", {"", true, true}, "CVE-2019-3855"},
};

static void
holes_are_told_of_what_is_not_patched(void **state)
{
	const char *text;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		text = library_holes(&rows[i].library);
		if ((rows[i].hole == NULL) != (text == NULL) ||
		    (text != NULL && strstr(text, rows[i].hole) == NULL))
			fail_msg("%s: %s", rows[i].comment,
			    text != NULL ? text : "nothing");
	}
}

/* That the library of this system is patched is seen by its package. */
static void
the_library_is_looked_at(void **state)
{
	struct library library;
	bool has_ext_info = libssh2_version(0x010b00) != NULL;
	int fds[2];
	char byte;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	library_find(&library, fds[0]);
	assert_string_equal(library.version, libssh2_version(0));
	/* libssh2 1.11.1 has it, and 1.10 nowhere. */
	if (libssh2_version(0x010b01) != NULL)
		assert_true(library.has_strict_kex);
	if (!has_ext_info) {
		assert_false(library.has_strict_kex);
		assert_true(library.checks_extensions);
	}
	/* Nothing was written to that descriptor, and it blocks as before. */
	close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 0);
	close(fds[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(holes_are_told_of_what_is_not_patched),
	    cmocka_unit_test(the_library_is_looked_at),
	};
	int failed;

	if (libssh2_init(0) != 0)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	libssh2_exit();
	return failed;
}
