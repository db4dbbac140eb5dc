/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lists of files: what is read can be written, to memory and to disk, and is
 * the same when it is read again. The input is the list that a worker reads.
 */
#include "config.h"

#include "fuzz.h"

#include "wire/entry_file.h"

#define MEMORY_MAX (1u << 20)

static void
check_entry(const struct msg_entry *e)
{
	FUZZ_CHECK(e->type <= ENTRY_DIR_END);
	FUZZ_CHECK(e->sha256.len == 0 || e->sha256.len == 32);
	FUZZ_CHECK(e->path != NULL && e->source != NULL && e->link != NULL);
}

/*
 * Append the frames of all entries to text, and the entries to the files, if
 * there are any. Returns how it ended.
 */
static int
read_all(struct entry_cursor *c, struct buf *text, struct entry_file *memory,
    struct entry_file *disk)
{
	struct error err = {""};
	struct msg_entry e;
	int rc;

	while ((rc = entry_next(c, &e, &err)) == 1) {
		check_entry(&e);
		FUZZ_CHECK(
		    frame_write(text, FRAME_ENTRY, FRAME_NO_JOB, &e) == 0);
		if (memory == NULL)
			continue;
		FUZZ_CHECK(entry_file_append(memory, &e, &err) == 0);
		FUZZ_CHECK(entry_file_append(disk, &e, &err) == 0);
	}
	fuzz_check_result(rc, &err);
	entry_cursor_clear(c);
	return rc;
}

/* The list holds what text has. */
static void
check_list(const struct entry_file *list, const struct buf *text)
{
	struct entry_cursor c;
	struct buf again;

	buf_init(&again, text->max);
	FUZZ_CHECK(entry_file_length(list) == buf_len(text));
	entry_cursor_init(&c, list);
	FUZZ_CHECK(read_all(&c, &again, NULL, NULL) == 0);
	FUZZ_CHECK(fuzz_equal(&again, text));
	buf_clear(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct entry_file memory, disk;
	struct fuzz_file file;
	struct entry_cursor c;
	struct buf text, longer;

	buf_init(&text, size + FRAME_MAX);
	buf_init(&longer, size + FRAME_MAX);
	entry_file_init(&memory, MEMORY_MAX);
	entry_file_init(&disk, 0);
	fuzz_file_open(&file, data, size);
	entry_cursor_init_fd(&c, file.fd, size);
	read_all(&c, &text, &memory, &disk);
	check_list(&memory, &text);
	check_list(&disk, &text);
	/* A list that ends too soon. */
	entry_cursor_init_fd(&c, file.fd, size + 1);
	FUZZ_CHECK(read_all(&c, &longer, NULL, NULL) == -1);
	FUZZ_CHECK(fuzz_equal(&longer, &text));
	entry_file_clear(&memory);
	entry_file_clear(&disk);
	fuzz_file_close(&file);
	buf_clear(&text);
	buf_clear(&longer);
	return 0;
}
