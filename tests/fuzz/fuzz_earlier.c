/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An earlier report: each name that comes out is that of one host, and the
 * hosts that are taken are among those that have a record. The input is a line
 * with statuses (none: those not ok), and the report.
 */
#include "config.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "report/earlier.h"

static bool
is_within(const struct hostset *set, const struct hostset *other)
{
	size_t i;

	for (i = 0; i < hostset_count(set); i++) {
		if (!hostset_has(other, hostset_name(set, i)))
			return false;
	}
	return true;
}

static void
check_names(const struct hostset *set)
{
	struct hostset *one;
	const char *name;
	size_t i;

	for (i = 0; i < hostset_count(set); i++) {
		one = hostset_new();
		name = hostset_name(set, i);
		FUZZ_CHECK(strchr(name, '/') == NULL && name[0] != '-');
		FUZZ_CHECK(fuzz_is_shown(name, strlen(name)));
		FUZZ_CHECK(hostset_expand(one, name, NULL, NULL) == 0);
		FUZZ_CHECK(hostset_count(one) == 1 && hostset_has(one, name));
		hostset_free(one);
	}
}

/* Read it, and check what is so for any statuses. */
static int
read_report(struct earlier *e, const char *path, const char *statuses)
{
	struct error err = {""};
	int rc;

	memset(e, 0, sizeof(*e));
	rc = earlier_read(e, path, statuses, &err);
	fuzz_check_result(rc, &err);
	if (rc == 0) {
		check_names(e->recorded);
		FUZZ_CHECK(is_within(e->hosts, e->recorded));
		FUZZ_CHECK(is_within(e->grouped, e->hosts));
	}
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = {data, size};
	char *line = fuzz_line(&c);
	const char *statuses = line[0] != '\0' ? line : NULL;
	bool is_known = statuses == NULL || earlier_is_statuses(statuses);
	struct earlier some, all;
	struct fuzz_file file;

	fuzz_file_open(&file, c.p, c.left);
	if (read_report(&all, file.path, "ok,notok,missing") == 0) {
		FUZZ_CHECK(is_within(all.recorded, all.hosts));
		FUZZ_CHECK(
		    (read_report(&some, file.path, statuses) == 0) == is_known);
		if (is_known)
			FUZZ_CHECK(is_within(all.recorded, some.recorded));
		earlier_clear(&some);
	}
	earlier_clear(&all);
	fuzz_file_close(&file);
	free(line);
	return 0;
}
