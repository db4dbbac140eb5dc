/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * batch.conf: what -print-config prints reads back as the same values. The
 * input is the file.
 */
#include "config.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "cli/conf.h"
#include "cli/option_value.h"
#include "cli/run_options.h"

#define TEXT_MAX ((size_t)16 << 20)
/* What stands in the print for a value that no file can have. */
#define NO_LINE "not to be written in a file"

/* One program with its values. */
struct world {
	struct run_options options;
	struct option_table tables[5];
	struct conf conf;
};

static void
world_open(struct world *w)
{
	memset(w, 0, sizeof(*w));
	run_options_init(&w->options);
	w->tables[0] = (struct option_table){run_option_rows, &w->options};
	w->tables[1] = (struct option_table){run_rolling_rows, &w->options};
	w->tables[2] = (struct option_table){run_output_rows, &w->options};
	w->tables[3] = (struct option_table){run_general_rows, &w->options};
}

static void
world_close(struct world *w)
{
	options_clear(w->tables);
	conf_clear(&w->conf);
	buf_clear(&w->options.task);
}

static int
world_read(struct world *w, const void *text, size_t len)
{
	struct error err = {""};
	struct fuzz_file file;
	int rc;

	fuzz_file_open(&file, text, len);
	rc = conf_read(&w->conf, w->tables, "batch_run", file.path, &err);
	fuzz_check_result(rc, &err);
	fuzz_file_close(&file);
	return rc;
}

/* All values, one after the other. */
static void
world_describe(const struct world *w, struct buf *text)
{
	struct option_walk walk = {w->tables};
	char *value;
	size_t i;

	while (option_walk_next(&walk)) {
		for (i = 0;
		     (value = option_text(walk.row, walk.place, i)) != NULL;
		     i++) {
			buf_printf(
			    text, "%s=%s\n", option_name(walk.row), value);
			free(value);
		}
	}
}

static char *
world_print(const struct world *w, size_t *len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, len);

	FUZZ_CHECK(f != NULL);
	conf_print(&w->conf, w->tables, "batch_run", f);
	FUZZ_CHECK(fclose(f) == 0);
	FUZZ_CHECK(fuzz_is_shown(text, *len));
	return text;
}

static void
check_print(const struct world *w)
{
	struct buf before, after;
	struct world again;
	size_t len;
	char *text = world_print(w, &len);

	buf_init(&before, TEXT_MAX);
	buf_init(&after, TEXT_MAX);
	world_open(&again);
	FUZZ_CHECK(world_read(&again, text, len) == 0);
	world_describe(w, &before);
	world_describe(&again, &after);
	FUZZ_CHECK(
	    strstr(text, NO_LINE) != NULL || fuzz_equal(&before, &after));
	world_close(&again);
	buf_clear(&before);
	buf_clear(&after);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w;

	/* regcomp(3) takes all memory for some intervals, as x{999}{999}. */
	if (size > 0 && memchr(data, '{', size) != NULL)
		return 0;
	world_open(&w);
	if (world_read(&w, data, size) == 0)
		check_print(&w);
	world_close(&w);
	return 0;
}
